/**
 * A call that wants no answer, and may have to wait for a slow process.
 *
 * @module
 */

import { monotonicMs } from "../internal/monotonic.ts";
import type { RemoteProcess } from "./network.ts";
import type { FrameOwner } from "./outbox.ts";
import { timeLeft } from "./pending_call.ts";

/** A call of many, as far as it has come. */
export class OneWayBroadcast {
  /** Those that were made one by one. */
  readonly calls: OneWayCall[] = [];
  /** Whether somebody is sent it. */
  isSent = false;

  /** @param until When nobody wants it any more, on the monotonic clock. */
  constructor(readonly until: number) {}
}

/** A call of one process. */
export class OneWayCall implements FrameOwner {
  /** Whether it was neither handed to the connection nor dropped. */
  waits = true;
  readonly #log: { drop(why: string): void };

  /**
   * @param log Counts and logs calls that will not be sent.
   * @param callbackName The callback.
   * @param target Who is called.
   * @param broadcast What it is part of.
   */
  constructor(
    log: { drop(why: string): void },
    readonly callbackName: string,
    readonly target: RemoteProcess,
    readonly broadcast?: OneWayBroadcast,
  ) {
    this.#log = log;
  }

  /** See {@linkcode FrameOwner.timeLeft}. */
  get timeLeft(): number {
    return this.broadcast === undefined ? 0 : timeLeft(this.broadcast.until, monotonicMs());
  }

  /** See {@linkcode FrameOwner.claim}. */
  claim(): boolean {
    const { broadcast } = this;
    if (broadcast !== undefined) {
      if (broadcast.until <= monotonicMs()) {
        this.drop("it was not sent in time");
        return false;
      }
      broadcast.isSent = true;
    }
    this.waits = false;
    return true;
  }

  /** See {@linkcode FrameOwner.dropped}. */
  dropped(): void {
    this.drop("it was lost");
  }

  /** It will not be sent. */
  drop(why: string): void {
    this.waits = false;
    this.#log.drop(`${this.callbackName} on ${this.target.name}: ${why}`);
  }
}
