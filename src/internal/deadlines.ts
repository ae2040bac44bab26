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
 * Watches over deadlines. Most calls are answered long before theirs, so adding and removing are
 * cheap; the one timer is only moved when an earlier deadline comes, and sweeps when it fires.
 */
export class Deadlines<T extends Expiring> {
  #items = new Set<T>();
  #onExpired: (item: T) => void;
  #now: () => number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #armedFor = Infinity;

  /**
   * @param onExpired Called for each item whose deadline has passed, after it was removed.
   * @param now The clock.
   */
  constructor(onExpired: (item: T) => void, now: () => number = monotonicMs) {
    this.#onExpired = onExpired;
    this.#now = now;
  }

  /** Starts watching an item; its deadline must not change. */
  add(item: T): void {
    if (item.deadlineAt === Infinity) return;
    this.#items.add(item);
    if (item.deadlineAt < this.#armedFor) this.#arm(item.deadlineAt);
  }

  /** Stops watching an item. */
  delete(item: T): void {
    if (item.deadlineAt !== Infinity) this.#items.delete(item);
  }

  /** Stops watching everything. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#items.clear();
    this.#armedFor = Infinity;
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
    for (const item of this.#items) {
      if (item.deadlineAt <= now) {
        this.#items.delete(item);
        this.#onExpired(item);
      } else if (item.deadlineAt < next) next = item.deadlineAt;
    }
    if (this.#items.size > 0 && next < this.#armedFor) this.#arm(next);
  }
}
