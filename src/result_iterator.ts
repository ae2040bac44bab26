/**
 * Iterating over a call.
 *
 * @module
 */

import { EncodeError } from "./errors.ts";
import { isIterable, type Streamable } from "./wire/streamable.ts";

/**
 * The items of a call's result. An async generator would cost several
 * promises for each.
 */
export class ResultIterator implements AsyncIterator<never> {
  #name: string;
  #call: (() => Promise<unknown>) | undefined;
  #items: Promise<AsyncIterator<never>> | AsyncIterator<never> | undefined;

  /**
   * @param name The callback, for messages.
   * @param call Makes the call.
   */
  constructor(name: string, call: () => Promise<unknown>) {
    this.#name = name;
    this.#call = call;
  }

  /** Makes the call, if it is not made yet, and takes the next item. */
  next(): Promise<IteratorResult<never>> {
    this.#items ??= this.#open();
    return this.#items instanceof Promise
      ? this.#items.then((items) => items.next())
      : this.#items.next();
  }

  /** Wants no more items. */
  async return(): Promise<IteratorResult<never>> {
    this.#items ??= NO_ITEMS;
    const items = await this.#items;
    this.#items = NO_ITEMS;
    await items.return?.();
    return { done: true, value: undefined };
  }

  async #open(): Promise<AsyncIterator<never>> {
    try {
      const call = this.#call!;
      this.#call = undefined; // it would keep the arguments
      const result = await call();
      if (typeof result === "object" && result !== null && isIterable(result)) {
        return this.#items = itemsOf(result);
      }
      throw new EncodeError(
        `Cannot iterate over the result of ${this.#name}: it is no stream; await the call instead`,
        { callbackName: this.#name, executed: "yes" },
      );
    } catch (error) {
      this.#items = NO_ITEMS; // as with a generator: thrown once, finished afterwards
      throw error;
    }
  }
}

const NO_ITEMS: AsyncIterator<never> = {
  next: () => Promise.resolve({ done: true, value: undefined }),
};

function itemsOf(result: Streamable): AsyncIterator<never> {
  const items = Symbol.asyncIterator in result ? result : asynchronous(result);
  return items[Symbol.asyncIterator]() as AsyncIterator<never>;
}

async function* asynchronous(items: Iterable<unknown>): AsyncGenerator {
  yield* items;
}
