/**
 * What travels item by item instead of as a value.
 *
 * @module
 */

/** Anything that gives items. */
export type Streamable = AsyncIterable<unknown> | Iterable<unknown>;

/** Async iterables, and generators, which unlike arrays, sets and maps give their items only once. */
export function isStreamable(value: object): value is Streamable {
  return Symbol.asyncIterator in value || (Symbol.iterator in value && "next" in value);
}

/** Whether something gives items, be it only once or as often as it is asked. */
export function isIterable(value: object): value is Streamable {
  return Symbol.asyncIterator in value || Symbol.iterator in value;
}
