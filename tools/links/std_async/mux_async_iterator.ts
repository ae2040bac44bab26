// Types by hand for the plain JavaScript of the standard library on npm: see ../README.md.
import { MuxAsyncIterator as MuxAsyncIteratorImpl } from "npm:deno-std@1.4.0/async/mux_async_iterator.js";

/** Several async iterables read as one. */
export interface MuxAsyncIterator<T> extends AsyncIterable<T> {
  /** Adds an iterable. */
  add(iterable: AsyncIterable<T>): void;
  /** Reads whichever iterable has an item. */
  iterate(): AsyncIterableIterator<T>;
}

/** Several async iterables read as one. */
export const MuxAsyncIterator: new <T>() => MuxAsyncIterator<T> = MuxAsyncIteratorImpl;
