/**
 * What the user holds of a stream that is a call's result.
 *
 * @module
 */

import type { InStream } from "./in_stream.ts";

/** Who hears of readers that became garbage. */
const readers = new FinalizationRegistry<() => void>((forsaken) => forsaken());

/**
 * Reads a stream for the user, and is held by nobody else: so it is garbage once nobody can take an
 * item any more, though the call still waits for the stream to end.
 */
export class StreamReader implements AsyncIterableIterator<unknown, undefined> {
  readonly #stream: InStream;

  /**
   * @param stream Where items come in. It holds this only while somebody waits for one.
   * @param forsaken Called when this is garbage; must not hold it.
   */
  constructor(stream: InStream, forsaken: () => void) {
    this.#stream = stream;
    readers.register(this, forsaken, stream);
  }

  /** The stream is over: nobody need hear of its reader. */
  static over(stream: InStream): void {
    readers.unregister(stream);
  }

  /** An iterator is its own iterable. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Takes the next item. */
  next(): Promise<IteratorResult<unknown, undefined>> {
    return this.#stream.next(this);
  }

  /** Wants no more items. */
  return(): Promise<IteratorResult<unknown, undefined>> {
    return this.#stream.return();
  }
}
