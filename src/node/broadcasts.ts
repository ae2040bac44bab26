/**
 * Sends calls of every process that offers a callback.
 *
 * @module
 */

import type { DaffiError } from "../errors.ts";
import type { CallRequest } from "../internal/call_request.ts";
import { concerning } from "../internal/concerning.ts";
import { decodeTargets } from "../wire/control.ts";
import { type Frame, frame, Kind } from "../wire/frame.ts";
import { BroadcastCall } from "./broadcast_call.ts";
import type { Network, RemoteProcess } from "./network.ts";
import type { PendingCall, PendingPort } from "./pending_call.ts";
import type { Session } from "./session.ts";

/** What broadcasts need of the caller. */
export interface BroadcastsOptions {
  readonly network: Network;
  readonly port: PendingPort;
  /** Whether no call waits for a connection, or for who was there before. */
  nothingWaits(): boolean;
  /** Sends a call to one process. @throws {DaffiError} when it may not wait for it. */
  post(
    session: Session,
    call: PendingCall,
    target: RemoteProcess,
    flags: number,
    payload: Uint8Array,
  ): void;
}

/** One frame that the controller multiplies, or, where some have to wait, one for each process. */
export class Broadcasts {
  readonly #options: BroadcastsOptions;

  /** @param options What they need. */
  constructor(options: BroadcastsOptions) {
    this.#options = options;
  }

  /**
   * Sends a call to all who offer its callback, or to the one that was asked for.
   *
   * @throws {CallbackNotFoundError} when nobody, or not the one asked for, offers it.
   * @throws {ProcessNotFoundError} when the one asked for is not connected.
   */
  send(
    session: Session,
    call: BroadcastCall,
    request: CallRequest,
    payload: Uint8Array,
  ): void {
    const { flags } = call;
    const { network, nothingWaits, post } = this.#options;
    const { callbackName, to, strategy } = request;
    if (to === undefined && session.outbox.isFree && nothingWaits()) {
      const fields = { flags, call: call.callId, name: network.nameId(callbackName), payload };
      call.claim();
      return session.connection.send(frame(Kind.Broadcast, { ...fields, value: call.timeLeft }));
    }
    // Behind what waits for some process, a broadcast must not reach it first.
    const targets = to === undefined
      ? network.providersOf(callbackName)
      : [network.choose(callbackName, to, strategy)];
    call.begin(targets);
    for (const target of targets) {
      try {
        post(session, call, target, flags, payload);
      } catch (error) { // too much waits for this one: that must not keep the call from the others
        call.failAt(target, concerning(error as DaffiError, { processName: target.name }));
      }
    }
  }

  /** The controller has told whom it called. */
  onTargets(incoming: Frame, call: PendingCall | undefined): void {
    const targets = decodeTargets(incoming.payload)
      .map((id) => this.#options.network.byId(id))
      .filter((process) => process !== undefined);
    if (call instanceof BroadcastCall) return call.begin(targets);
    for (const { id: peer } of targets) { // it was cancelled before they were known
      this.#options.port.send(frame(Kind.Cancel, { call: incoming.call, peer }));
    }
  }
}
