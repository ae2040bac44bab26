/**
 * Many due times, one timer.
 *
 * @module
 */

import { Heap, type HeapItem } from "../internal/heap.ts";

/**
 * The longest sleep. A timer does not notice that the clock was set or the machine was suspended,
 * so the clock is looked at this often while something is due at all.
 */
const MAX_SLEEP_MS = 30_000;

/** What the alarm needs. */
export interface AlarmOptions<T> {
  /** When an item is due, in epoch milliseconds. */
  readonly timeOf: (item: T) => number;
  /** Called when the first item is due, and now and then before. */
  readonly onWake: () => void;
  /** The wall clock. */
  readonly now: () => number;
}

/** Wakes up for the item that is due first. */
export class Alarm<T extends HeapItem> {
  readonly #options: AlarmOptions<T>;
  readonly #heap: Heap<T>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stopped = false;

  /** @param options What it needs. */
  constructor(options: AlarmOptions<T>) {
    const { timeOf } = options;
    this.#options = options;
    this.#heap = new Heap((a, b) => timeOf(a) < timeOf(b));
  }

  /** Adds an item, or finds its place again after its time has changed. */
  put(item: T): void {
    this.#heap.put(item);
  }

  /** Takes an item out; does nothing if it is not in. */
  remove(item: T): void {
    this.#heap.remove(item);
  }

  /** The first item, if it is due by then; none once it is stopped. */
  due(nowMs: number): T | undefined {
    const { top } = this.#heap;
    return !this.#stopped && top !== undefined && this.#options.timeOf(top) <= nowMs
      ? top
      : undefined;
  }

  /** Sets the timer for the first item. Called after items have changed. */
  set(): void {
    clearTimeout(this.#timer);
    const { top } = this.#heap;
    if (top === undefined || this.#stopped) return;
    const { timeOf, now, onWake } = this.#options;
    // Timers count whole milliseconds: rounding down would wake up just before the time.
    const sleep = Math.min(Math.max(0, Math.ceil(timeOf(top) - now())), MAX_SLEEP_MS);
    this.#timer = setTimeout(onWake, sleep);
  }

  /** Wakes up no more. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}
