/**
 * Calls that want no answer.
 *
 * @module
 */

import { CallCancelledError, CallTimeoutError } from "../errors.ts";
import { waitFor } from "../internal/abort.ts";
import { currentScope } from "../internal/call_scope.ts";
import { concerning } from "../internal/concerning.ts";
import { monotonicMs } from "../internal/deadlines.ts";
import type { CallRequest } from "../internal/call_request.ts";
import type { Logger } from "../internal/log.ts";
import type { Codec, StreamWriter } from "../wire/codec.ts";
import { decodeNames } from "../wire/control.ts";
import { Flag, type Frame, frame, Kind, Undelivered } from "../wire/frame.ts";
import { releaseSources } from "../wire/sources.ts";
import type { Network, RemoteProcess } from "./network.ts";
import type { FrameOwner } from "./outbox.ts";
import { timeLeft } from "./pending_call.ts";
import type { Session } from "./session.ts";
import type { SessionGate } from "./session_gate.ts";
import { checkSize } from "./stream_link.ts";

/** What one-way calls need of their node. */
export interface OneWayOptions {
  readonly codec: Codec;
  readonly network: Network;
  readonly logger: Logger;
  readonly gate: SessionGate;
  /** Timeout of broadcasts that give none; `Infinity` for no limit. */
  readonly defaultTimeoutMs: number;
  /** The same calls with an answer. */
  readonly answered: {
    call(request: CallRequest): Promise<unknown>;
    broadcast(request: CallRequest): Promise<unknown>;
  };
  /** Why nothing can be called any more, if so. */
  readonly refusal: () => Error | undefined;
  /** Gives a call id that no waiting call has. */
  readonly nextId: () => number;
}

/** Hands a payload over; the promise, if there is one, settles when more may follow. */
type Post = (
  session: Session,
  request: CallRequest,
  payload: Uint8Array,
) => Promise<void> | undefined;

const HANDED_OVER: Promise<void> = Promise.resolve();

/** Sends calls and forgets them. */
export class OneWayCalls {
  /** How many were not delivered. */
  dropped = 0;
  readonly #options: OneWayOptions;

  /** @param options What they need. */
  constructor(options: OneWayOptions) {
    this.#options = options;
  }

  /**
   * Calls one process. Resolves when the call was handed to the connection; never rejects: what
   * cannot be sent is logged and counted.
   */
  noReturn(request: CallRequest): Promise<void> {
    const failed = (error: Error) => this.#failed(request, error);
    try {
      const payload = this.#encode(request);
      if (payload === undefined) {
        // Somebody has to stay and send the items: that it was called without answer stays here.
        this.#options.answered.call(request).catch(failed);
        return HANDED_OVER;
      }
      const sent = this.#send(request, payload, this.#postToOne);
      return sent === undefined ? HANDED_OVER : sent.catch(failed);
    } catch (error) {
      failed(error as Error);
      releaseSources(request.args);
      return HANDED_OVER;
    }
  }

  /**
   * Calls every process that offers the callback. Resolves when the call was handed to the
   * connection; it does not wait for slow processes.
   *
   * @throws {DaffiError} when it cannot be sent, within the timeout if there is one.
   */
  async broadcast(request: CallRequest): Promise<void> {
    const { callbackName } = request;
    const { timeoutMs = this.#options.defaultTimeoutMs } = request;
    const until = Math.min(monotonicMs() + timeoutMs, currentScope()?.deadlineAt ?? Infinity);
    try {
      const payload = this.#encode(request);
      if (payload === undefined) {
        const { answered } = this.#options;
        answered.broadcast(request).catch((error: Error) => this.#failed(request, error));
      } else await this.#send(request, payload, this.#toAll(until), until);
    } catch (error) {
      releaseSources(request.args);
      throw concerning(error as Error, { callbackName, executed: "never" });
    }
  }

  #failed({ callbackName }: CallRequest, { message }: Error): void {
    this.drop(`${callbackName}: ${message}`);
  }

  readonly #postToOne: Post = (session, { callbackName, to, strategy }, payload) => {
    const target = this.#options.network.choose(callbackName, to, strategy);
    this.#post(session, target, callbackName, payload);
    return session.outbox.ready(target.id);
  };

  #toAll(until: number): Post {
    return (session, { callbackName }, payload) => {
      const { network, nextId, gate } = this.#options;
      const value = timeLeft(until, monotonicMs());
      if (session.outbox.isFree && gate.isEmpty) {
        const name = network.nameId(callbackName);
        const fields = { flags: Flag.NoReply, call: nextId(), name, value, payload };
        session.connection.send(frame(Kind.Broadcast, fields));
      } else {
        // Behind what waits for some process, a broadcast must not reach it first.
        for (const target of network.providersOf(callbackName)) {
          this.#postOrDrop(session, target, callbackName, payload, value);
        }
      }
      return session.outbox.ready(0); // until the own connection has room
    };
  }

  #post(
    session: Session,
    target: RemoteProcess,
    callbackName: string,
    payload: Uint8Array,
    value = 0,
  ): void {
    const { network, nextId } = this.#options;
    session.outbox.post({
      kind: Kind.Call,
      flags: Flag.NoReply,
      stream: 0,
      call: nextId(),
      peer: target.id,
      name: network.nameId(callbackName),
      value,
      payload,
      attachments: undefined,
    }, new OneWayCall(this, callbackName, target));
  }

  /** One slow process must not keep a broadcast from the others. */
  #postOrDrop(
    session: Session,
    target: RemoteProcess,
    name: string,
    payload: Uint8Array,
    value: number,
  ): void {
    try {
      this.#post(session, target, name, payload, value);
    } catch (error) {
      this.drop(`${name} on ${target.name}: ${(error as Error).message}`);
    }
  }

  /** The controller could not, or would not, pass something on for which nobody waits. */
  undelivered({ call, value, payload }: Frame, process: RemoteProcess | undefined): void {
    if (call === 0 && value === Undelivered.Denied) {
      const names = decodeNames(payload).join(", ");
      return this.#options.logger.warn(`daffi: the controller does not allow to offer: ${names}`);
    }
    const who = process?.name ?? "the process";
    this.drop(
      value === Undelivered.Denied
        ? `the controller does not allow it on ${who}`
        : `${who} did not take it`,
    );
  }

  /** Counts and logs a call that was not delivered. */
  drop(why: string): void {
    this.dropped++;
    this.#options.logger.warn(`daffi: a call without answer was dropped: ${why}`);
  }

  /** The arguments; `undefined` if there are streams among them. */
  #encode(request: CallRequest): Uint8Array | undefined {
    const refusal = request.signal?.aborted ? cancelled(request) : this.#options.refusal();
    if (refusal !== undefined) throw refusal;
    const streams = new StreamDetector();
    const payload = this.#options.codec.encode(request.args, "args", streams);
    return streams.found ? undefined : payload;
  }

  /** Sends now, or when there is a connection, in the order of the calls. */
  #send(
    request: CallRequest,
    payload: Uint8Array,
    post: Post,
    until = Infinity,
  ): Promise<void> | undefined {
    const session = this.#options.gate.ready(request);
    if (session === undefined) return this.#wait(request, payload, post, until);
    checkSize(payload, session, "the arguments");
    return post(session, request, payload);
  }

  #wait(
    request: CallRequest,
    payload: Uint8Array,
    post: Post,
    until: number,
  ): Promise<void> {
    const kept = payload.slice();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const { signal, callbackName } = request;
    const { gate } = this.#options;
    gate.wait(promise, request, {
      bytes: kept.length,
      send: (session) => {
        try {
          checkSize(kept, session, "the arguments");
          resolve(post(session, request, kept));
        } catch (error) {
          reject(error);
        }
      },
      fail: reject,
    });
    const givenUp = <E extends Error>(error: E): E => {
      gate.leave(promise);
      return error;
    };
    return waitFor(promise, {
      timeoutMs: until - monotonicMs(),
      signal,
      onTimeout: () =>
        givenUp(new CallTimeoutError(`The call of ${callbackName} was not sent in time`)),
      onAbort: () => givenUp(cancelled(request)),
    });
  }
}

class StreamDetector implements StreamWriter {
  found = false;

  addStream(): number {
    this.found = true;
    return 1;
  }
}

/** A call that waits for a slow process. */
class OneWayCall implements FrameOwner {
  #calls: OneWayCalls;
  #callbackName: string;
  #target: RemoteProcess;

  constructor(calls: OneWayCalls, callbackName: string, target: RemoteProcess) {
    this.#calls = calls;
    this.#callbackName = callbackName;
    this.#target = target;
  }

  claim(): boolean {
    return true;
  }

  dropped(): void {
    this.#calls.drop(`${this.#callbackName}: process ${this.#target.name} was lost`);
  }
}

function cancelled({ callbackName, signal }: CallRequest): CallCancelledError {
  return new CallCancelledError(`The call of ${callbackName} was cancelled before it was sent`, {
    callbackName,
    executed: "never",
    cause: signal?.reason,
  });
}
