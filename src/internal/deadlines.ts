/**
 * Many deadlines, one timer.
 *
 * @module
 */

const MAX_TIMER_MS = 2 ** 31 - 1;

/** Milliseconds that never jump, whatever happens to the wall clock. */
export function monotonicMs(): number {
  return performance.now();
}

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
    if (item.deadlineAt < this.#armedFor) this.#arm(item.deadlineAt);
  }

  /** Stops watching. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#armedFor = -Infinity;
  }

  #arm(deadlineAt: number): void {
    clearTimeout(this.#timer);
    this.#armedFor = deadlineAt;
    // Timers count whole milliseconds: rounding down would fire just before the deadline.
    const delay = Math.min(Math.max(0, Math.ceil(deadlineAt - this.#now())), MAX_TIMER_MS);
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
    if (next < this.#armedFor) this.#arm(next);
  }
}
