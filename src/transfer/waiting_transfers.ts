/**
 * Functions that wait for a sandbox.
 *
 * @module
 */

import { OverloadedError } from "../errors.ts";
import { MAX_WAITING_BYTES } from "../wire/limits.ts";

/** Most functions of one sender that wait for their turn. Stops senders from filling memory. */
export const MAX_WAITING_TRANSFERS = 1_000;

/** Whose turn it is: senders take turns, and the functions of each keep their order. */
export class WaitingTransfers<T> {
  /** By sender, with their sizes; whose turn is next comes first. */
  readonly #queues = new Map<string, Map<T, number>>();
  #bytes = 0;

  /** The senders of what waits, the next one first. */
  get senders(): Iterable<string> {
    return this.#queues.keys();
  }

  /**
   * Has a function wait.
   *
   * @param sender Whose function it is.
   * @param item What stands for it.
   * @param bytes How large it is, with its arguments.
   * @throws {OverloadedError} when too many of its sender wait, or those of all senders are too large together.
   */
  add(sender: string, item: T, bytes: number): void {
    const queue = this.#queues.get(sender) ?? new Map<T, number>();
    if (queue.size >= MAX_WAITING_TRANSFERS) {
      throw new OverloadedError(
        `${MAX_WAITING_TRANSFERS} functions of ${sender} wait for their turn already`,
      );
    }
    if (this.#bytes > MAX_WAITING_BYTES) {
      throw new OverloadedError(
        `Functions of ${this.#bytes} bytes wait for their turn, at most ${MAX_WAITING_BYTES} may`,
      );
    }
    this.#queues.set(sender, queue.set(item, bytes));
    this.#bytes += bytes;
  }

  /** Takes a function back; false if it does not wait any more. */
  remove(sender: string, item: T): boolean {
    const queue = this.#queues.get(sender);
    const bytes = queue?.get(item);
    if (queue === undefined || bytes === undefined) return false;
    this.#bytes -= bytes;
    queue.delete(item);
    if (queue.size === 0) this.#queues.delete(sender);
    return true;
  }

  /** Takes what this sender has waited with for longest; the sender comes behind the others then. */
  next(sender: string): T | undefined {
    const queue = this.#queues.get(sender);
    if (queue === undefined) return undefined;
    const [item] = queue.keys();
    this.#queues.delete(sender);
    this.#queues.set(sender, queue);
    this.remove(sender, item!);
    return item;
  }
}
