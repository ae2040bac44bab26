/**
 * Calls that want no answer.
 *
 * @module
 */

import { CallTimeoutError, EncodeError } from "../errors.ts";
import { waitFor } from "../internal/abort.ts";
import { currentScope, runOutside } from "../internal/call_scope.ts";
import { concerning } from "../internal/concerning.ts";
import { monotonicMs } from "../internal/monotonic.ts";
import { type CallRequest, notSent } from "../internal/call_request.ts";
import type { Logger } from "../internal/log.ts";
import type { Codec, StreamWriter } from "../wire/codec.ts";
import { decodeNames } from "../wire/control.ts";
import { Flag, type Frame, frame, Kind, Undelivered } from "../wire/frame.ts";
import { releaseSources } from "../wire/sources.ts";
import type { Network, RemoteProcess } from "./network.ts";
import { OneWayBroadcast, OneWayCall } from "./one_way_call.ts";
import { timeLeft } from "./pending_call.ts";
import type { Session } from "./session.ts";
import type { SessionGate } from "./session_gate.ts";
import { checkSize } from "./stream_link.ts";
import { StreamReader } from "./stream_reader.ts";

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
    broadcast(request: CallRequest): Promise<Record<string, unknown>>;
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
    const failed = this.#onFailure(request.callbackName);
    try {
      const payload = this.#encode(request);
      if (payload === undefined) {
        // Somebody has to stay and send the items: that it was called without answer stays here.
        const unlimited = { ...request, timeoutMs: Infinity };
        runOutside(() => this.#options.answered.call(unlimited)).then(useUp).catch(failed);
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
    const failed = this.#onFailure(callbackName);
    const { timeoutMs = this.#options.defaultTimeoutMs } = request;
    const until = Math.min(monotonicMs() + timeoutMs, currentScope()?.deadlineAt ?? Infinity);
    try {
      const payload = this.#encode(request);
      if (until <= monotonicMs()) throw notInTime(callbackName);
      if (payload === undefined) {
        const outcome = this.#options.answered.broadcast(request);
        await Promise.race([outcome, HANDED_OVER]); // rejects if it could not be sent
        const useAll = (results: Record<string, unknown>) => {
          for (const result of Object.values(results)) useUp(result).catch(failed);
        };
        outcome.then(useAll, (error) => {
          failed(error);
          useAll(error.results ?? {}); // of those who have not failed
        });
      } else await this.#sendToAll(request, payload, until);
    } catch (error) {
      releaseSources(request.args);
      throw concerning(error as Error, { callbackName, executed: "never" });
    }
  }

  /** Apart from the request, which it would keep. */
  #onFailure(callbackName: string): (error: Error) => void {
    return ({ message }) => this.drop(`${callbackName}: ${message}`);
  }

  async #sendToAll(request: CallRequest, payload: Uint8Array, until: number): Promise<void> {
    const { callbackName, signal } = request;
    const broadcast = new OneWayBroadcast(until);
    const sent = this.#send(request, payload, this.#toAll(broadcast), broadcast);
    if (sent === undefined) return;
    try {
      await waitFor(sent, {
        timeoutMs: until - monotonicMs(),
        signal,
        onTimeout: () => notInTime(callbackName),
        onAbort: () => notSent(request),
      });
    } catch (error) {
      if (!this.#giveUp(broadcast, error as Error)) throw error;
    }
  }

  /** Takes back what has not left; false if that is all of it. */
  #giveUp(broadcast: OneWayBroadcast, { message }: Error): boolean {
    const { gate } = this.#options;
    gate.leave(broadcast);
    const waiting = broadcast.calls.filter((call) => call.waits);
    for (const call of waiting) gate.leave(call);
    if (broadcast.isSent) { for (const call of waiting) call.drop(message); }
    return broadcast.isSent;
  }

  readonly #postToOne: Post = (session, { callbackName, to, strategy }, payload) => {
    const target = this.#options.network.choose(callbackName, to, strategy);
    this.#post(session, new OneWayCall(this, callbackName, target), payload);
    return session.outbox.ready(target.id);
  };

  #toAll(broadcast: OneWayBroadcast): Post {
    return (session, { callbackName }, payload) => {
      const { network, nextId, gate } = this.#options;
      if (session.outbox.isFree && gate.isEmpty) {
        const name = network.nameId(callbackName);
        const value = timeLeft(broadcast.until, monotonicMs());
        const fields = { flags: Flag.NoReply, call: nextId(), name, value, payload };
        session.connection.send(frame(Kind.Broadcast, fields));
        broadcast.isSent = true;
      } else {
        // Behind what waits for some process, a broadcast must not reach it first.
        const kept = payload.slice(); // who hears that one was dropped may make a call
        for (const target of network.providersOf(callbackName)) {
          const call = new OneWayCall(this, callbackName, target, broadcast);
          broadcast.calls.push(call);
          try {
            this.#post(session, call, kept);
          } catch (error) { // one slow process must not keep it from the others
            call.drop((error as Error).message);
          }
        }
      }
      return session.outbox.ready(0); // until the own connection has room
    };
  }

  #post({ outbox }: Session, call: OneWayCall, payload: Uint8Array): void {
    const { network, nextId } = this.#options;
    outbox.post({
      kind: Kind.Call,
      flags: Flag.NoReply,
      stream: 0,
      call: nextId(),
      peer: call.target.id,
      name: network.nameId(call.callbackName),
      value: call.timeLeft,
      payload,
      attachments: undefined,
    }, call);
  }

  /** The controller could not, or would not, pass something on for which nobody waits. */
  undelivered({ call, value, payload }: Frame, process: RemoteProcess | undefined): void {
    if (call === 0) {
      const names = decodeNames(payload).join(", ");
      const why = value === Undelivered.Denied ? "does not allow" : "has no room";
      return this.#options.logger.warn(`daffi: the controller ${why} to offer: ${names}`);
    }
    const who = process?.name ?? "a process that has left";
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
    const refusal = request.signal?.aborted ? notSent(request) : this.#options.refusal();
    if (refusal !== undefined) throw refusal;
    try {
      return this.#options.codec.encode(request.args, "args", STREAM_DETECTOR);
    } catch (error) {
      if (error === STREAM_FOUND) return undefined;
      throw error;
    }
  }

  /** Sends now, or when there is a connection, in the order of the calls. */
  #send(
    request: CallRequest,
    payload: Uint8Array,
    post: Post,
    owner?: object,
  ): Promise<void> | undefined {
    const session = this.#options.gate.ready(request);
    if (session === undefined) return this.#wait(request, payload, post, owner);
    checkSize(payload, session, "the arguments");
    return post(session, request, payload);
  }

  #wait(
    request: CallRequest,
    payload: Uint8Array,
    post: Post,
    owner: object = {},
  ): Promise<void> {
    const kept = payload.slice();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#options.gate.wait(owner, request, {
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
    return promise;
  }
}

/** Ends the encoding of arguments that have to be sent in another way. */
const STREAM_FOUND = new EncodeError("There is a stream among them");

const STREAM_DETECTOR: StreamWriter = {
  addStream() {
    throw STREAM_FOUND;
  },
};

/** A generator runs to its end, though nobody wants its items. */
async function useUp(result: unknown): Promise<void> {
  if (result instanceof StreamReader) { for await (const _ of result); }
}

function notInTime(callbackName: string): CallTimeoutError {
  return new CallTimeoutError(`The call of ${callbackName} was not sent in time`);
}
