/**
 * What may be there at once, or later.
 *
 * @module
 */

/** A value, or a promise of it. */
export type Maybe<T> = T | Promise<T>;

/** Goes on with a value: now if it is there. */
export function andThen<T, U>(value: Maybe<T>, next: (value: T) => Maybe<U>): Maybe<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}
