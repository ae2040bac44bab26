/**
 * Notices that the other side of a connection is gone without having said so: frozen, cut off, or
 * half-open (`docs/protocol.md`, section 10a).
 *
 * @module
 */

import { ConnectionError } from "../errors.ts";
import { longTimeout } from "../internal/long_timeout.ts";
import { frame, Kind } from "../wire/frame.ts";
import { encodeFrame } from "../wire/frame_codec.ts";
import type { Connection } from "./connection.ts";

/** How soon a lost connection is noticed. */
export interface HeartbeatPolicy {
  /** An idle connection gets a `PING` this often. */
  readonly intervalMs: number;
  /** Nothing received for so long, and the connection is lost. */
  readonly timeoutMs: number;
}

const PING = encodeFrame(frame(Kind.Ping));

/** The finer, the sooner after its time a loss is noticed. */
const TICKS_PER_INTERVAL = 2;

/** What is known of a connection. */
export interface Watched {
  readonly connection: Connection;
  receivedBytes: number;
  writtenBytes: number;
  /** Ticks for which nothing was received. */
  silentTicks: number;
  /** Ticks for which nothing was written. */
  quietTicks: number;
}

/**
 * Watches any number of connections with one timer, which runs while there are any. Time is counted
 * in ticks of this timer, not read from a clock: while this process is blocked or suspended there
 * are none, so it does not blame the others for what it could not hear.
 */
export class Heartbeat {
  /** How soon a loss is noticed, */
  protected readonly policy: HeartbeatPolicy;
  /** and in ticks. */
  protected readonly lostTicks: number;
  readonly #tickMs: number;
  readonly #watched = new Set<Watched>();
  #cancelTimer: (() => void) | undefined;
  #tickedAt = 0;

  /** @param policy How soon a loss is noticed. */
  constructor(policy: HeartbeatPolicy) {
    this.policy = policy;
    this.#tickMs = policy.intervalMs / TICKS_PER_INTERVAL;
    this.lostTicks = Math.ceil(policy.timeoutMs / this.#tickMs);
  }

  /**
   * Watches a connection until it is over, and closes it when it is lost.
   *
   * @param connection A joined connection.
   */
  watch(connection: Connection): void {
    const { receivedBytes, writtenBytes } = connection;
    const entry = { connection, receivedBytes, writtenBytes, silentTicks: 0, quietTicks: 0 };
    this.#watched.add(entry);
    if (this.#watched.size === 1) this.#arm();
    connection.over.then(() => {
      this.#watched.delete(entry);
      if (this.#watched.size === 0) this.#cancelTimer?.();
    });
  }

  #arm(): void {
    this.#tickedAt = Date.now();
    this.#cancelTimer = longTimeout(() => this.#tick(), this.#tickMs);
  }

  #tick(): void {
    const late = Date.now() - this.#tickedAt >= TICKS_PER_INTERVAL * this.#tickMs;
    for (const watched of this.#watched) this.#look(watched, late);
    this.#arm();
  }

  #look(watched: Watched, late: boolean): void {
    const { connection } = watched;
    const { receivedBytes, writtenBytes, queuedBytes } = connection;
    // What is not read on purpose says nothing.
    const heard = receivedBytes !== watched.receivedBytes || connection.held;
    const told = writtenBytes !== watched.writtenBytes;
    watched.silentTicks = heard ? 0 : watched.silentTicks + 1;
    watched.quietTicks = told ? 0 : watched.quietTicks + 1;
    watched.receivedBytes = receivedBytes;
    watched.writtenBytes = writtenBytes;
    const why = this.whyLost(watched, late);
    if (why !== undefined) {
      return connection.close(new ConnectionError(`The other side is gone: ${why}`));
    }
    // What waits to be written will do as a sign of life; what was never heard must be asked for.
    const mustTell = queuedBytes === 0 && isFirstOfInterval(watched.quietTicks);
    if (mustTell || isFirstOfInterval(watched.silentTicks)) connection.sendShared(PING);
  }

  /** Why a connection is lost, if it is. */
  protected whyLost({ silentTicks }: Watched, late: boolean): string | undefined {
    if (!this.isOver(silentTicks, this.lostTicks, late)) return undefined;
    return `nothing was received for ${this.policy.timeoutMs} ms`;
  }

  /** A late tick comes before what arrived meanwhile is read: it only counts. */
  protected isOver(ticks: number, mostTicks: number, late: boolean): boolean {
    return ticks > mostTicks || (ticks === mostTicks && !late);
  }
}

function isFirstOfInterval(ticks: number): boolean {
  return ticks % TICKS_PER_INTERVAL === 1;
}
