/**
 * What travels item by item instead of as a value.
 *
 * @module
 */

/** Anything that gives items. */
export type Streamable = AsyncIterable<unknown> | Iterable<unknown>;

/**
 * Async iterables; generators, which unlike arrays, sets and maps give their items only once; and plain objects
 * that give items, for nothing else would be left of them.
 */
export function isStreamable(value: object): value is Streamable {
  return Symbol.asyncIterator in value ||
    (Symbol.iterator in value &&
      ("next" in value || Object.getPrototypeOf(value) === Object.prototype));
}

/** The same for any value. */
export function isStream(value: unknown): value is Streamable {
  return typeof value === "object" && value !== null && isStreamable(value);
}

/** Whether something gives items, be it only once or as often as it is asked. */
export function isIterable(value: object): value is Streamable {
  return Symbol.asyncIterator in value || Symbol.iterator in value;
}

/** Arrays and sets are values elsewhere; streamed, they stand for their items. */
export function itemsOf(items: Streamable): Streamable {
  // The items of another call: the call itself is nothing that could be sent.
  if (Symbol.asyncIterator in items) return "then" in items ? itemsFrom(items) : items;
  const iterator = items[Symbol.iterator]();
  return Symbol.iterator in iterator ? iterator as IterableIterator<unknown> : generator(items);
}

async function* itemsFrom(items: AsyncIterable<unknown>): AsyncGenerator {
  yield* items;
}

function* generator(items: Iterable<unknown>): Generator {
  yield* items;
}
