/**
 * Calls that come in: finds the callback, has it run, and keeps what takes longer than a turn.
 *
 * @module
 */

import {
  CallbackNotFoundError,
  CallCancelledError,
  type DaffiError,
  type Executed,
  OverloadedError,
  TransferError,
} from "../errors.ts";
import { type CallScope, endScope, enterSpareContext } from "../internal/call_scope.ts";
import { monotonicMs } from "../internal/monotonic.ts";
import type { Logger } from "../internal/log.ts";
import { within } from "../internal/within.ts";
import type { CallbackRegistry } from "../registry/callback_registry.ts";
import type { RegisteredCallback } from "../registry/registered_callback.ts";
import type { Codec } from "../wire/codec.ts";
import { Flag, type Frame, Kind } from "../wire/frame.ts";
import {
  LEAVE_TIMEOUT_MS,
  MAX_RUNNING_CALLS,
  MAX_RUNNING_CALLS_PER_CALLER,
} from "../wire/limits.ts";
import { isStream } from "../wire/streamable.ts";
import {
  argumentDecoder,
  asArguments,
  type DecodeArguments,
  onArgumentFrame,
  tooEarly,
} from "./arguments.ts";
import { execute } from "./execute.ts";
import type { Network, RemoteProcess } from "./network.ts";
import { Replier, type ReplierCounts, unrun } from "./replier.ts";
import { RunningCall } from "./running_call.ts";
import { RunningCalls } from "./running_calls.ts";
import type { Session } from "./session.ts";
import { useUp } from "./unread_stream.ts";

/** As it is when this is loaded: where a test stops the clock, a process can be stopped nevertheless. */
const { clearTimeout, setTimeout } = globalThis;

/** For so long a node that stops waits for another call: as long as the news of it may take to reach everybody. */
const MAX_LINGER_MS = 100;

/** What the dispatcher needs of its node. */
export interface DispatcherOptions {
  /** What callbacks get as `currentCall().g`. */
  readonly g: unknown;
  readonly codec: Codec;
  readonly network: Network;
  readonly registry: CallbackRegistry;
  readonly logger: Logger;
  /** Does what another process asks of the scheduler. @throws {DaffiError} when it cannot be done. */
  readonly handleTask: (request: unknown, owner: string) => unknown;
  /** Runs functions that other processes send. */
  readonly transferred: RegisteredCallback | undefined;
}

/** The answering half of a node. */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #replier: Replier;
  readonly #decodeArguments: DecodeArguments;
  readonly #calls = new RunningCalls((call) => this.#finished(call));
  #session: Session | undefined;
  #active = 0;
  /** Calls that have come. */
  #received = 0;
  /** Whether no tasks are taken any more, */
  #stopping = false;
  /** and no calls either. */
  #closing = false;
  #linger: ReturnType<typeof setTimeout> | undefined;
  /** Calls that wait until the others have finished. */
  readonly #stoppers = new Set<CallScope>();
  readonly #others = Promise.withResolvers<void>();
  readonly #idle = Promise.withResolvers<void>();

  /** @param options What it needs. */
  constructor(options: DispatcherOptions) {
    this.#options = options;
    const session = () => this.#session;
    this.#replier = new Replier(options.codec, options.logger, session);
    this.#decodeArguments = argumentDecoder(options.codec, session);
  }

  /** What no caller heard of so far. */
  get counts(): ReplierCounts & { runningCalls: number } {
    return { ...this.#replier.counts, runningCalls: this.#active };
  }

  /** Answers on this connection from now on. */
  connected(session: Session): void {
    this.#session = session;
    enterSpareContext(); // of the connection's read loop, which this is part of
  }

  /** Nobody can be answered any more. */
  disconnected(): void {
    this.#session = undefined;
    this.#calls.abortAll(new CallCancelledError("The connection to the caller was lost"));
  }

  /** A process is gone: what runs for it is not wanted any more. */
  onLeave(process: RemoteProcess): void {
    this.#calls.abortFor(
      process.id,
      new CallCancelledError(`The caller, process ${process.name}, is gone`),
    );
  }

  /**
   * Takes no more calls, lets those that run finish, and their answers leave.
   *
   * @param timeoutMs How long they may take; the signals of those that still run are aborted after it.
   * @returns Whether all answers have left.
   */
  async drain(timeoutMs: number): Promise<boolean> {
    const until = monotonicMs() + timeoutMs;
    if (!await within(this.#finishAll(timeoutMs / 10), timeoutMs)) {
      clearTimeout(this.#linger);
      this.#close(); // or what comes from now on would run, and nobody hear of it
      this.#calls.giveUpAll(stopping);
    }
    const left = Math.max(LEAVE_TIMEOUT_MS, until - monotonicMs());
    return this.#session === undefined || await within(this.#session.outbox.flushed(), left);
  }

  /** Who has not heard of it yet still makes calls: they are taken until none has come for a while. */
  async #finishAll(mostMs: number): Promise<void> {
    this.#stopping = true;
    let lingerMs = this.#session === undefined ? 0 : Math.min(MAX_LINGER_MS, mostMs);
    if (this.#received === 0) {
      // Whom nobody has called needs to wait less, and nobody waits whom nobody can call.
      lingerMs = this.#options.registry.names().length > 0 ? lingerMs / 5 : 0;
    }
    for (let round = 0, seen = -1; lingerMs > 0 && round < 10 && this.#received > seen; round++) {
      seen = this.#received;
      await new Promise<void>((resolve) => this.#linger = setTimeout(resolve, lingerMs));
    }
    this.#close();
    await this.#idle.promise;
  }

  #close(): void {
    this.#closing = true;
    this.#calls.giveUpBehind(this.#stoppers, stopping);
    this.#checkIdle();
  }

  /** Resolves when no call is taken or runs any more but those that wait for just this. */
  othersDone(call: CallScope): Promise<void> {
    this.#stoppers.add(call);
    if (this.#closing) this.#calls.giveUpBehind(this.#stoppers, stopping);
    this.#checkIdle();
    return this.#others.promise;
  }

  #checkIdle(): void {
    if (!this.#closing) return;
    if (this.#active <= this.#stoppers.size) this.#others.resolve();
    if (this.#active === 0) this.#idle.resolve();
  }

  /** Forgets all deadlines. */
  end(): void {
    this.#calls.end();
  }

  /** Takes a frame of a call that this node runs, or is to run; or why its payload cannot be had. */
  onFrame(incoming: Frame, problem?: DaffiError): void {
    if (incoming.kind === Kind.Call || incoming.kind === Kind.Transfer) {
      return this.#onCall(incoming, problem);
    }
    if (incoming.kind === Kind.Task) return this.#onTask(incoming);
    const call = this.#calls.get(incoming.peer, incoming.call);
    if (call === undefined) return; // it was under way when the call ended
    switch (incoming.kind) {
      case Kind.Cancel:
        return this.#calls.abort(call, new CallCancelledError("The caller cancelled the call"));
      case Kind.Stop:
        return this.#calls.abort(call, new CallCancelledError("The caller wants no more items"));
      case Kind.Credit:
        return call.resultStream?.credit(incoming.peer, incoming.value);
      default:
        if (call.queued !== undefined) return this.#calls.giveUp(call, tooEarly());
        return onArgumentFrame(this.#options.codec, call, incoming, problem);
    }
  }

  #onCall(incoming: Frame, problem: DaffiError | undefined): void {
    const { g, network, registry, transferred } = this.#options;
    const source = network.byId(incoming.peer);
    if (source === undefined) return; // it has left, and nobody waits for an answer
    this.#received++;
    const isSent = incoming.kind === Kind.Transfer;
    if (isSent && transferred === undefined) problem ??= runsNone();
    const callback = isSent ? transferred : registry.get(network.ownCallback(incoming.name) ?? "");
    const callbackName = callback?.name ?? network.ownCallback(incoming.name) ?? "";
    problem ??= this.objection(callback, callbackName, source);
    if (callback === undefined || problem !== undefined) {
      return this.#replier.refuse(unrun(source, incoming, callbackName), problem!);
    }
    const { call: callId, flags, value: callerTimeoutMs } = incoming;
    const reply = this.#replier;
    const call = new RunningCall({ g, source, callId, flags, callback, callerTimeoutMs, reply });
    this.admit(call, incoming);
  }

  #onTask(incoming: Frame): void {
    const { network, codec, handleTask } = this.#options;
    const source = network.byId(incoming.peer);
    if (source === undefined) return;
    const asked = unrun(source, incoming, "the scheduler");
    try {
      if (this.#stopping) throw this.objection(undefined, asked.callbackName, source);
      const list = asArguments(codec.decode(incoming.payload));
      this.#replier.answer(asked, handleTask(list.length === 1 ? list[0] : undefined, source.name));
    } catch (error) {
      this.#replier.refuse(asked, error as DaffiError);
    }
  }

  /** Runs a call, when it has its turn. Ask for an {@linkcode objection} before. */
  admit(call: RunningCall, incoming: Frame): void {
    this.#active++;
    call.source.activeCalls++;
    try {
      if (this.#calls.waits(call, incoming)) return;
    } catch (error) {
      call.reply.refuse(call, error as DaffiError);
      return this.#finished(call);
    }
    this.#run(call, incoming);
  }

  /** Why a callback cannot be called. */
  objection(
    callback: RegisteredCallback | undefined,
    name: string,
    { activeCalls }: RemoteProcess,
  ): DaffiError | undefined {
    if (this.#closing || callback === undefined) {
      const why = this.#stopping ? "is stopping" : "has just withdrawn it";
      return new CallbackNotFoundError(`Cannot call ${name}: its process ${why}`);
    }
    if (this.#active < MAX_RUNNING_CALLS && activeCalls < MAX_RUNNING_CALLS_PER_CALLER) {
      return undefined;
    }
    return new OverloadedError(
      `Cannot call ${name}: its process runs ${this.#active} calls already, ${activeCalls} for this caller`,
    );
  }

  #run(call: RunningCall, incoming: Frame): void {
    if (call.aborted) return this.#ended(call); // cancelled just before its turn
    try {
      call.args = this.#decodeArguments(call, incoming);
    } catch (error) {
      call.reply.refuse(call, error as DaffiError);
      return this.#ended(call);
    }
    try {
      const result = execute(call);
      if (result instanceof Promise) this.#await(call, result);
      else this.#answer(call, result);
    } catch (thrown) {
      this.#failed(call, thrown);
    }
  }

  async #await(call: RunningCall, result: Promise<unknown>): Promise<void> {
    this.#calls.track(call);
    try {
      this.#answer(call, await result);
    } catch (thrown) {
      this.#failed(call, thrown);
    }
  }

  /** Throws only before the call has ended, for what looking at the result throws. */
  #answer(call: RunningCall, result: unknown): void {
    if (isStream(result)) {
      this.#calls.track(call);
      if ((call.flags & Flag.NoReply) === 0) {
        this.#replier.stream(call, result).finally(() => this.#ended(call));
      } else this.#await(call, useUp(call, result));
    } else {
      call.reply.value(call, result);
      this.#ended(call);
    }
  }

  #failed(call: RunningCall, thrown: unknown): void {
    try {
      call.reply.failure(call, thrown);
    } finally {
      this.#ended(call);
    }
  }

  /** The callback has returned or thrown: the next one may have its turn. */
  #ended(call: RunningCall): void {
    this.#finished(call);
    if (call.callback.concurrency === Infinity) return;
    const next = this.#calls.turnsOf(call.callback).next();
    if (next !== undefined) this.#runSoon(next);
  }

  /** Not at once: a long queue of callbacks that return at once would exhaust the stack. */
  #runSoon(call: RunningCall): void {
    queueMicrotask(() => this.#run(call, call.queued!));
  }

  #finished(call: RunningCall): void {
    endScope(call);
    this.#active--;
    call.source.activeCalls--;
    this.#calls.untrack(call);
    call.reply.ended?.();
    if (!this.#stopping) return;
    this.#stoppers.delete(call);
    this.#checkIdle();
  }
}

function stopping(executed: Executed): CallCancelledError {
  return new CallCancelledError("The process is stopping", { executed });
}

function runsNone(): TransferError {
  const message = "A page runs no functions that others send";
  return new TransferError(message, { executed: "never" });
}
