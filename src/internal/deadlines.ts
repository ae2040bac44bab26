/**
 * Many deadlines, one timer.
 *
 * @module
 */

import { MAX_DELAY_MS } from "./long_timeout.ts";
import { monotonicMs } from "./monotonic.ts";

/** A sweep is followed by none for so many times as long as it took: many items must not take all the time. */
const REST_RATIO = 9;
/** But for no longer than this, for it may have been held up by something else. */
const MAX_REST_MS = 100;

/** Something that has a last moment. */
export interface Expiring {
  /** On the monotonic clock; `Infinity` for never. */
  readonly deadlineAt: number;
}

/**
 * Watches over deadlines. Most calls are answered long before theirs, so nothing is done for one but to
 * compare: the one timer is only moved when an earlier deadline comes, and sweeps when it fires.
 */
export class Deadlines<T extends Expiring> {
  #items: () => Iterable<T>;
  #onExpired: (item: T) => void;
  #now: () => number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #armedFor = Infinity;
  #restUntil = -Infinity;

  /**
   * @param items Gives the items that there are when it is called.
   * @param onExpired Called for each item whose deadline has passed; it is none of the items then.
   * @param now The clock.
   */
  constructor(
    items: () => Iterable<T>,
    onExpired: (item: T) => void,
    now: () => number = monotonicMs,
  ) {
    this.#items = items;
    this.#onExpired = onExpired;
    this.#now = now;
  }

  /** Another item was added; its deadline must not change. */
  added(item: T): void {
    this.#arm(item.deadlineAt);
  }

  /** Stops watching. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#armedFor = -Infinity;
  }

  #arm(deadlineAt: number): void {
    const at = Math.max(deadlineAt, this.#restUntil);
    if (at >= this.#armedFor) return;
    clearTimeout(this.#timer);
    this.#armedFor = at;
    // Timers count whole milliseconds: rounding down would fire just before the deadline.
    const delay = Math.min(Math.max(0, Math.ceil(at - this.#now())), MAX_DELAY_MS);
    this.#timer = setTimeout(() => this.#sweep(), delay);
  }

  #sweep(): void {
    this.#armedFor = Infinity;
    const now = this.#now();
    let next = Infinity;
    for (const item of this.#items()) {
      if (item.deadlineAt <= now) this.#onExpired(item);
      else if (item.deadlineAt < next) next = item.deadlineAt;
    }
    const end = this.#now();
    this.#restUntil = end + Math.min((end - now) * REST_RATIO, MAX_REST_MS);
    this.#arm(next);
  }
}
