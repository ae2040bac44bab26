// Types by hand for the plain JavaScript of the standard library on npm: see ../README.md.
import { tee as teeImpl } from "npm:deno-std@1.4.0/async/tee.js";

/** A tuple of `N` elements of type `T`. */
export type Tuple<T, N extends number> = N extends N ? number extends N ? T[] : TupleOf<T, N, []>
  : never;

/** A tuple of `N` elements of type `T`, built on `R`. */
export type TupleOf<T, N extends number, R extends unknown[]> = R["length"] extends N ? R
  : TupleOf<T, N, [T, ...R]>;

/** Branches one async iterable into `n`. */
export const tee: <T, N extends number = 2>(
  iterable: AsyncIterable<T>,
  n?: N,
) => Tuple<AsyncIterable<T>, N> = teeImpl;
