/**
 * How many calls of one callback may run at a time.
 *
 * @module
 */

/** Lets at most so many run, and the others wait for their turn in the order in which they came. */
export class Turns<T> {
  #most: number;
  #running = 0;
  #waiting: T[] = [];

  /** @param most How many may run at a time. */
  constructor(most: number) {
    this.#most = most;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** True if `item` may run now; otherwise it waits. */
  take(item: T): boolean {
    if (this.#running < this.#most) {
      this.#running++;
      return true;
    }
    this.#waiting.push(item);
    return false;
  }

  /** Takes back an item that still waits; false if it runs already. */
  leave(item: T): boolean {
    const index = this.#waiting.indexOf(item);
    if (index < 0) return false;
    this.#waiting.splice(index, 1);
    return true;
  }

  /** One has finished: whose turn it is now. */
  next(): T | undefined {
    const item = this.#waiting.shift();
    if (item === undefined) this.#running--;
    return item;
  }
}
