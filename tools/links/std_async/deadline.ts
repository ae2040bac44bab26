// Types by hand for the plain JavaScript of the standard library on npm: see ../README.md.
import { deadline as deadlineImpl } from "npm:deno-std@1.4.0/async/deadline.js";

/** Options for {@linkcode deadline}. */
export interface DeadlineOptions {
  /** Signal used to abort the deadline. */
  signal?: AbortSignal;
}

/** Rejects with a `TimeoutError` if the promise takes longer than `ms`. */
export const deadline: <T>(p: Promise<T>, ms: number, options?: DeadlineOptions) => Promise<T> =
  deadlineImpl;
