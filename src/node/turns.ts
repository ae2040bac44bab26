/**
 * How many calls of one callback may run at a time.
 *
 * @module
 */

import { OverloadedError } from "../errors.ts";
import { MAX_WAITING_BYTES } from "../wire/limits.ts";

/** Lets at most so many run, and the others wait for their turn in the order in which they came. */
export class Turns<T> {
  #most: number;
  #running = 0;
  /** With their sizes. */
  #waiting = new Map<T, number>();
  #waitingBytes = 0;
  /** Goes through them once: what is deleted from the front of a map is not free to step over again. */
  #order = this.#waiting.keys();
  /** So many have left since that began, which the engine keeps for as long as it stands still. */
  #left = 0;

  /** @param most How many may run at a time. */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * True if `item`, which has so many bytes, may run now; otherwise it waits.
   *
   * @throws {OverloadedError} when those that wait are too large together.
   */
  take(item: T, bytes: number): boolean {
    if (this.#running < this.#most) {
      this.#running++;
      return true;
    }
    if (this.#waitingBytes > MAX_WAITING_BYTES) {
      throw new OverloadedError(
        `Cannot call: ${this.#waitingBytes} bytes wait for their turn, at most ${MAX_WAITING_BYTES} may`,
      );
    }
    this.#waiting.set(item, bytes);
    this.#waitingBytes += bytes;
    return false;
  }

  /** Takes back an item that still waits; false if it runs already. */
  leave(item: T): boolean {
    this.#waitingBytes -= this.#waiting.get(item) ?? 0;
    if (!this.#waiting.delete(item)) return false;
    if (++this.#left > this.#waiting.size) {
      this.#order = this.#waiting.keys();
      this.#left = 0;
    }
    return true;
  }

  /** One has finished: whose turn it is now. */
  next(): T | undefined {
    if (this.#waiting.size === 0) {
      this.#running--;
      return undefined;
    }
    const { value } = this.#order.next(); // of all that ever waited: never at its end while some do
    this.leave(value!);
    return value;
  }
}
