/**
 * How many calls of one callback may run at a time.
 *
 * @module
 */

/** Lets at most so many run, and the others wait for their turn in the order in which they came. */
export class Turns<T> {
  #most: number;
  #running = 0;
  #waiting = new Set<T>();
  /** Goes through them once: what is deleted from the front of a set is not free to step over again. */
  #order = this.#waiting.values();

  /** @param most How many may run at a time. */
  constructor(most: number) {
    this.#most = most;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** True if `item` may run now; otherwise it waits. */
  take(item: T): boolean {
    if (this.#running < this.#most) {
      this.#running++;
      return true;
    }
    this.#waiting.add(item);
    return false;
  }

  /** Takes back an item that still waits; false if it runs already. */
  leave(item: T): boolean {
    return this.#waiting.delete(item);
  }

  /** One has finished: whose turn it is now. */
  next(): T | undefined {
    if (this.#waiting.size === 0) {
      this.#running--;
      return undefined;
    }
    let { done, value } = this.#order.next();
    if (done === true) {
      this.#order = this.#waiting.values(); // it had come to the end before these came
      value = this.#order.next().value;
    }
    this.#waiting.delete(value!);
    return value;
  }
}
