/**
 * Staying awake for a moment after writing, as long as that pays.
 *
 * @module
 */

import { monotonicMs } from "../internal/monotonic.ts";
import { anotherTurn } from "../internal/next_turn.ts";

/** How long it stays awake, in turns of the event loop: some 12 µs. */
const TURNS = 8;
/** It has paid if the answer is there within so many times the time of the spin. */
const PAYS_WITHIN = 4;
/** Spins that may be in vain, if none has paid. */
const PATIENCE = 16;
/** Each that has paid allows one more, up to so many. */
const MOST_PATIENCE = 256;
/** Writes without a spin, when patience has run out. */
const REST = 4096;
/** A larger write is more than one small message. */
const MAX_BYTES = 512;

/** Who has written last, of all in this process. */
let lastWriter: AdaptiveSpin | undefined;

/**
 * Whoever writes to a UNIX socket and goes to sleep is woken when the other side reads, for there is room again, and
 * once more by the answer. If it goes to sleep a little later, both sides are spared the first, and if the other side does
 * the same, often both. The answer must be near for that: others may want the core. So it is done only by who exchanges
 * small messages with one other alone, and not where answers were later than that lately.
 *
 * Adaptive spinning, as mutexes do it. Nothing that comes is seen before the spin is over: to look, the process would go
 * to sleep.
 */
export class AdaptiveSpin {
  readonly #now: () => number;
  readonly #nextTurn: () => Promise<void>;
  /** Whether something has come since the last write. */
  #alternates = false;
  /** Whether it is waited for what comes next, after a spin. */
  #waits = false;
  #since = 0;
  #spinMs = 0;
  #patience = PATIENCE;
  #rest = 0;

  /**
   * @param now Tells the time, in milliseconds.
   * @param turn Resolves in the next turn of the event loop.
   */
  constructor(now: () => number = monotonicMs, turn: () => Promise<void> = anotherTurn) {
    this.#now = now;
    this.#nextTurn = turn;
  }

  /** So many bytes are about to be written. */
  writes(bytes: number): void {
    const suits = this.#alternates && lastWriter === this && bytes <= MAX_BYTES;
    this.#waits = suits && this.#rest === 0;
    this.#alternates = false;
    lastWriter = this;
    if (this.#waits) this.#spin();
    else if (suits) this.#rest--;
  }

  /** Something has come. */
  came(): void {
    this.#alternates = true;
    if (!this.#waits) return;
    this.#waits = false;
    if (this.#now() - this.#since <= PAYS_WITHIN * this.#spinMs) {
      this.#patience = Math.min(MOST_PATIENCE, this.#patience + 1);
    } else if (--this.#patience === 0) {
      this.#patience = PATIENCE;
      this.#rest = REST;
    }
  }

  async #spin(): Promise<void> {
    this.#spinMs = Infinity;
    this.#since = this.#now();
    for (let turn = 0; turn < TURNS; turn++) await this.#nextTurn();
    this.#spinMs = this.#now() - this.#since;
  }
}
