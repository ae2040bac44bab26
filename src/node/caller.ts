/**
 * Calls that leave this node: chooses the target, sends, and settles by what comes back.
 *
 * @module
 */

import { ConnectionError, type DaffiError } from "../errors.ts";
import type { Answer, CallRequest } from "../internal/call_request.ts";
import { concerning } from "../internal/concerning.ts";
import { Deadlines } from "../internal/deadlines.ts";
import type { Logger } from "../internal/log.ts";
import type { Codec } from "../wire/codec.ts";
import { Flag, type Frame, frame, Kind } from "../wire/frame.ts";
import { BroadcastCall } from "./broadcast_call.ts";
import { Broadcasts, type BroadcastsOptions } from "./broadcasts.ts";
import type { Network, RemoteProcess } from "./network.ts";
import { OneWayCalls } from "./one_way.ts";
import { PendingTable } from "./pending.ts";
import type { PendingCall, PendingPort } from "./pending_call.ts";
import type { Session } from "./session.ts";
import { SessionGate } from "./session_gate.ts";
import { attachedBytes, copyOf } from "../wire/parts.ts";
import { releaseSources } from "../wire/sources.ts";
import { checkSize } from "./stream_link.ts";
import { UnaryCall } from "./unary_call.ts";

/** What the caller needs of its node. */
export interface CallerOptions {
  readonly codec: Codec;
  readonly network: Network;
  readonly logger: Logger;
  /** Time given to calls that say nothing, in milliseconds. */
  readonly defaultTimeoutMs: number;
}

/** What no caller hears of. */
export interface CallerCounts {
  /** Calls without answer that were not delivered. */
  droppedCalls: number;
  /** Answers to calls that were over already, or from processes that were not asked. */
  lateAnswers: number;
  pendingCalls: number;
}

/** Chooses the target of a call and sends it. */
type Send<C> = (session: Session, payload: Uint8Array, call: C, request: CallRequest) => void;

/** The calling half of a node. */
export class Caller {
  readonly #options: CallerOptions;
  readonly #pending = new PendingTable<PendingCall>();
  readonly #deadlines = new Deadlines<PendingCall>(
    () => this.#pending.values(),
    (call) => call.expire(),
  );
  readonly #gate: SessionGate;
  readonly #oneWay: OneWayCalls;
  readonly #broadcasts: Broadcasts;
  readonly #port: PendingPort;
  #lateAnswers = 0;
  #ending = false;
  #ended: (() => DaffiError) | undefined;

  /** @param options What it needs. */
  constructor(options: CallerOptions) {
    this.#options = options;
    this.#gate = new SessionGate(options.network);
    this.#oneWay = new OneWayCalls({
      ...options,
      gate: this.#gate,
      answered: {
        call: (request) => this.call(request),
        broadcast: (request) => this.#callMany(request, 0),
      },
      refusal: () => this.#ended?.(),
      nextId: () => this.#pending.nextId(),
    });
    this.#port = {
      ...options,
      session: () => this.#gate.session,
      send: (frame) => this.#gate.session?.connection.send(frame),
      forget: (call) => {
        this.#pending.delete(call);
        // Of a broadcast that was sent to some, others may not have got it yet.
        if (!call.sent || call instanceof BroadcastCall) this.#gate.leave(call);
      },
    };
    this.#broadcasts = new Broadcasts({
      network: options.network,
      port: this.#port,
      nothingWaits: () => this.#gate.isEmpty,
      post: this.#post,
    });
  }

  /** What no caller heard of so far. */
  get counts(): CallerCounts {
    const pendingCalls = this.#pending.size;
    return { droppedCalls: this.#oneWay.dropped, lateAnswers: this.#lateAnswers, pendingCalls };
  }

  /**
   * Calls one process and waits for its result: a value or a `StreamReader`.
   *
   * @param request The call.
   * @param eager Whether a stream may begin before it is asked for its first item.
   */
  call(request: CallRequest, eager = false): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const call = new UnaryCall(this.#port, request, eager, resolve, reject);
      this.#start(call, request, this.#sendToOne, call);
    });
  }

  readonly #sendToOne: Send<UnaryCall> = (session, payload, call, request) => {
    const target = this.#choose(request);
    call.begin(target);
    this.#post(session, call, target, 0, payload);
  };

  /**
   * Asks a process for something other than a callback.
   *
   * @param kind What is asked: `TASK` or `TRANSFER`.
   * @param request Who is asked: one that offers `callbackName`, or, with an empty name, the process
   * `to`. Its arguments are what is asked.
   * @returns The answer, and who gave it.
   */
  ask(kind: Kind, request: CallRequest & { verb: string }): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = new UnaryCall(this.#port, request, undefined, answerTo(resolve), reject);
      this.#start(call, request, ({ outbox }, payload) => {
        const target = request.callbackName === ""
          ? this.#options.network.process(request.to!, request.verb)
          : this.#choose(request);
        call.begin(target);
        const { callId, attachments, timeLeft: value } = call;
        const fields = { call: callId, peer: target.id, value, payload, attachments };
        outbox.post(frame(kind, fields), call);
        call.attachments = undefined;
      }, kind === Kind.Transfer ? call : undefined);
    });
  }

  /**
   * The list of arguments as bytes, to be kept.
   *
   * @throws {EncodeError} when something in it cannot travel; iterables cannot be kept.
   */
  encodeArguments(args: readonly unknown[]): Uint8Array {
    return this.#options.codec.encode(args, "args").slice();
  }

  /**
   * Calls every process that offers the callback.
   *
   * @param returnResult Whether to wait for all results; if not, see {@linkcode OneWayCalls.broadcast}.
   */
  broadcast(
    request: CallRequest,
    returnResult = false,
  ): Promise<Record<string, unknown> | void> {
    return returnResult ? this.#callMany(request, 0) : this.#oneWay.broadcast(request);
  }

  /** Has every process that offers the callback run it once for each item of the one argument. */
  async stream(request: CallRequest): Promise<void> {
    await this.#callMany(request, Flag.Each);
  }

  #callMany(request: CallRequest, flags: number): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
      const call = new BroadcastCall(this.#port, request, flags, resolve, reject);
      this.#start(call, request, (session, payload) => {
        if (flags === Flag.Each) {
          call.streams[0]?.finished.catch((error: Error) => call.fail(error));
        }
        this.#broadcasts.send(session, call, request, payload);
      });
    });
  }

  /** See {@linkcode OneWayCalls.noReturn}. */
  noReturn(request: CallRequest): Promise<void> {
    return this.#oneWay.noReturn(request);
  }

  #choose({ callbackName, to, strategy, verb }: CallRequest): RemoteProcess {
    return this.#options.network.choose(callbackName, to, strategy, verb);
  }

  /** @param apart Gets large arrays; without it the payload has all, which the kind of frame may want. */
  #start<C extends PendingCall>(
    call: C,
    request: CallRequest,
    send: Send<C>,
    apart?: PendingCall,
  ): void {
    const { isLate } = call;
    if (this.#ended !== undefined || request.signal?.aborted || isLate) {
      releaseSources(request.args);
      if (this.#ended) return call.fail(this.#ended());
      return isLate ? call.expire() : call.cancel(request.signal!.reason);
    }
    this.#pending.add(call);
    this.#deadlines.added(call);
    try {
      const payload = this.#options.codec.encode(request.args, "args", call, apart);
      if (call.settled) return releaseSources(request.args); // a getter has aborted it
      const session = this.#gate.ready(request);
      if (session === undefined) return this.#queue(call, request, send, payload.slice());
      checkSize(payload, session, "the arguments", call.attachments);
      send(session, payload, call, request);
    } catch (error) {
      call.fail(error as Error);
      releaseSources(request.args);
    }
  }

  #queue<C extends PendingCall>(
    call: C,
    request: CallRequest,
    send: Send<C>,
    payload: Uint8Array,
  ): void {
    call.queued = true;
    call.attachments = call.attachments?.map(copyOf);
    this.#gate.wait(call, request, {
      bytes: payload.length + attachedBytes(call.attachments),
      send: (session) => {
        call.waited();
        try {
          checkSize(payload, session, "the arguments", call.attachments);
          send(session, payload, call, request);
        } catch (error) {
          call.fail(error as Error);
        }
      },
      fail: (error) => call.fail(error),
    });
  }

  readonly #post: BroadcastsOptions["post"] = ({ outbox }, call, target, flags, payload) => {
    outbox.post({
      kind: Kind.Call,
      flags,
      stream: 0,
      call: call.callId,
      peer: target.id,
      name: this.#options.network.nameId(call.callbackName),
      value: call.timeLeft,
      payload,
      attachments: call.attachments,
    }, call);
    call.attachments = undefined;
  };

  /** Takes an answer, or a frame about a stream among a call's arguments; or why it cannot be had. */
  onFrame(incoming: Frame, problem?: DaffiError): void {
    const call = this.#pending.get(incoming.call);
    const process = this.#options.network.byId(incoming.peer);
    if (incoming.kind === Kind.Undelivered && isOfNoCall(incoming)) {
      return this.#oneWay.undelivered(incoming, process);
    }
    if (incoming.kind === Kind.Targets) return this.#broadcasts.onTargets(incoming, call);
    if (call === undefined || process === undefined || !call.expects(process)) {
      if (!isOfStream(incoming)) this.#lateAnswers++;
      return;
    }
    switch (incoming.kind) {
      case Kind.Credit:
        return call.streams[incoming.stream - 1]?.credit(process.id, incoming.value);
      case Kind.Stop:
        return call.streams[incoming.stream - 1]?.drop(process.id);
    }
    try {
      if (problem !== undefined) throw problem;
      call.accept(incoming, process);
    } catch (error) {
      // The controller only passed it on: it is that process's fault.
      const facts = { processName: process.name, executed: "yes" } as const;
      call.breakOff(process, concerning(error as DaffiError, facts));
    }
  }

  /**
   * A process is gone.
   *
   * @param graceful Whether it has said so, and had answered all that it had taken.
   */
  onLeave(process: RemoteProcess, graceful: boolean): void {
    this.#gate.session?.outbox.forget(process.id);
    if (this.#ending) return;
    for (const call of this.#pending.values()) {
      if (call.expects(process)) call.lose(process, graceful);
    }
  }

  /** Other processes came, or offer more than before. */
  networkChanged(): void {
    this.#gate.changed();
  }

  /** The node has joined: what has waited goes out, in the order in which it came. */
  connected(session: Session): void {
    this.#gate.open(session);
  }

  /** The connection is lost: what was sent fails, for nothing is ever sent twice; the rest if it `isLast`. */
  disconnected(isLast = false): void {
    const outbox = this.#gate.session?.outbox;
    this.#gate.close(); // first: a logger that hears what is dropped may call
    outbox?.clear();
    if (this.#ending) return;
    for (const call of this.#pending.values()) {
      if (!call.queued) call.fail(call.connectionLost());
    }
    if (isLast) this.end(() => new ConnectionError("The controller is lost"));
  }

  /**
   * Nothing can be called any more.
   *
   * @param reason Makes the error for each call; without it they are left as they are.
   */
  end(reason: (() => DaffiError) | undefined): void {
    this.#deadlines.stop();
    this.#ending = true;
    this.#gate.end(reason);
    if (reason === undefined) return;
    this.#ended = reason;
    for (const call of this.#pending.values()) call.fail(reason());
  }
}

/** Made apart from the request, which it would keep for as long as the call waits. */
function answerTo(resolve: (answer: Answer) => void) {
  return (value: unknown, { name }: RemoteProcess) => resolve({ value, processName: name });
}

/** Whether it is about a stream among the arguments, which is no answer. */
function isOfStream({ kind }: Frame): boolean {
  return kind === Kind.Credit || kind === Kind.Stop;
}

/** Whether nobody waits for what was sent: a call without answer, or an `OFFER`. */
function isOfNoCall({ call, flags }: Frame): boolean {
  return call === 0 || (flags & Flag.NoReply) !== 0;
}
