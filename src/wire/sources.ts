/**
 * Ending what gives items and is not wanted.
 *
 * @module
 */

import { isStream, type Streamable } from "./streamable.ts";

/** Reads a source. */
export type SourceIterator = AsyncIterator<unknown> | Iterator<unknown>;

/** Sources that a stream has taken: it ends them itself. */
const taken = new WeakSet<Streamable>();

/** Marks a source as one that whoever takes it will end. */
export function take(source: Streamable): Streamable {
  taken.add(source);
  return source;
}

/** Whether nothing can come of a source any more, for it gives its items once and they were taken. */
export function isSpent(source: Streamable): boolean {
  return taken.has(source) && ("next" in source || source instanceof ReadableStream);
}

/** Begins to read a source. */
export function iteratorOf(source: Streamable): SourceIterator {
  if (source instanceof ReadableStream) return readerOf(source);
  return Symbol.asyncIterator in source
    ? source[Symbol.asyncIterator]()
    : source[Symbol.iterator]();
}

/** Its own iterator would wait for the next item before it ends the stream. */
function readerOf(source: ReadableStream): SourceIterator {
  const reader = source.getReader();
  return {
    next: () => reader.read(),
    return: () => reader.cancel(),
  } as { next(): Promise<IteratorResult<unknown>> };
}

/** Ends the sources among arguments that were not sent, as if their loop had been left. */
export function releaseSources(args: readonly unknown[]): void {
  for (const arg of args) release(arg);
}

async function release(arg: unknown): Promise<void> {
  try {
    if (!isStream(arg) || taken.has(arg)) return;
    await iteratorOf(take(arg)).return?.();
  } catch {
    // The call has failed already, for a reason of its own.
  }
}
