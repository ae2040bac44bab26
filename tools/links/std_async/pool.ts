// Types by hand for the plain JavaScript of the standard library on npm: see ../README.md.
import { pooledMap as pooledMapImpl } from "npm:deno-std@1.4.0/async/pool.js";

/** Maps with at most `poolLimit` calls under way; results come in the order of the items. */
export const pooledMap: <T, R>(
  poolLimit: number,
  array: Iterable<T> | AsyncIterable<T>,
  iteratorFn: (data: T) => Promise<R>,
) => AsyncIterableIterator<R> = pooledMapImpl;
