/**
 * Calls that want no answer.
 *
 * @module
 */

import type { Logger } from "../internal/log.ts";
import type { Codec } from "../wire/codec.ts";
import { Flag, frame, Kind } from "../wire/frame.ts";
import { LARGE_PAYLOAD_BYTES } from "../wire/limits.ts";
import type { CallRequest } from "./caller.ts";
import type { Network, RemoteProcess } from "./network.ts";
import type { Session } from "./session.ts";
import type { SessionGate } from "./session_gate.ts";
import { checkSize } from "./stream_link.ts";

/** What one-way calls need of their node. */
export interface OneWayOptions {
  readonly codec: Codec;
  readonly network: Network;
  readonly logger: Logger;
  readonly gate: SessionGate;
  /** Gives a call id that no waiting call has. */
  readonly nextId: () => number;
}

type Send = (session: Session, payload: Uint8Array) => Promise<void>;

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
  async noReturn(request: CallRequest): Promise<void> {
    try {
      await this.#send(request, (session, payload) => this.#sendToOne(session, request, payload));
    } catch (error) {
      this.drop(`${request.callbackName}: ${(error as Error).message}`);
    }
  }

  async #sendToOne(session: Session, request: CallRequest, payload: Uint8Array): Promise<void> {
    const { callbackName, to, strategy } = request;
    const target = this.#options.network.choose(callbackName, to, strategy);
    this.#post(session, target, callbackName, payload);
    await session.outbox.ready(target.id);
  }

  #post(session: Session, target: RemoteProcess, callbackName: string, payload: Uint8Array): void {
    const { network, nextId } = this.#options;
    const fields = { call: nextId(), peer: target.id, name: network.nameId(callbackName), payload };
    session.outbox.post(frame(Kind.Call, { ...fields, flags: Flag.NoReply }), {
      claim: () => true,
      dropped: () => this.drop(`${callbackName}: process ${target.name} was lost`),
    });
  }

  /** One slow process must not keep a broadcast from the others. */
  #postOrDrop(session: Session, target: RemoteProcess, name: string, payload: Uint8Array): void {
    try {
      this.#post(session, target, name, payload);
    } catch (error) {
      this.drop(`${name} on ${target.name}: ${(error as Error).message}`);
    }
  }

  /**
   * Calls every process that offers the callback. Resolves when the call was handed to the
   * connection; it does not wait for slow processes.
   *
   * @throws {DaffiError} when it cannot be sent.
   */
  async broadcast(request: CallRequest): Promise<void> {
    const { network, nextId } = this.#options;
    const { callbackName } = request;
    await this.#send(request, async (session, payload) => {
      if (session.outbox.isFree) {
        const name = network.nameId(callbackName);
        const flags = Flag.NoReply;
        session.connection.send(frame(Kind.Broadcast, { flags, call: nextId(), name, payload }));
      } else {
        // Behind frames that wait for some process, a broadcast must not reach it first.
        for (const target of network.providersOf(callbackName)) {
          this.#postOrDrop(session, target, callbackName, payload);
        }
      }
      await session.outbox.ready(0); // until the own connection has room
    });
  }

  /** Counts and logs a call that was not delivered. */
  drop(why: string): void {
    this.dropped++;
    this.#options.logger.warn(`daffi: a call without answer was dropped: ${why}`);
  }

  /** Sends now, or when there is a connection. */
  async #send(request: CallRequest, send: Send): Promise<void> {
    const { codec, gate } = this.#options;
    const payload = codec.encode(request.args, "args");
    const present = gate.ready(request);
    if (present !== undefined) {
      checkSize(payload, present, "the arguments");
      return await send(present, payload);
    }
    const kept = payload.length < LARGE_PAYLOAD_BYTES ? payload.slice() : payload;
    const { promise, resolve, reject } = Promise.withResolvers<Session>();
    gate.wait(request, { send: resolve, fail: reject });
    const session = await promise;
    checkSize(kept, session, "the arguments");
    await send(session, kept);
  }
}
