// Types by hand for the plain JavaScript of the standard library on npm: see ../README.md.
import { abortable as abortableImpl } from "npm:deno-std@1.4.0/async/abortable.js";

/** Rejects, or ends the iteration with an error, when the signal is aborted. */
export const abortable: {
  <T>(p: Promise<T>, signal: AbortSignal): Promise<T>;
  <T>(p: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T>;
} = abortableImpl;
