// Types by hand for the plain JavaScript of the standard library on npm: see ../README.md.
import { debounce as debounceImpl } from "npm:deno-std@1.4.0/async/debounce.js";

/** A function that runs once its calls have paused. */
export interface DebouncedFunction<T extends Array<unknown>> {
  (...args: T): void;
  /** Drops the pending call. */
  clear(): void;
  /** Runs the pending call now. */
  flush(): void;
  /** Whether a call is pending. */
  readonly pending: boolean;
}

/** Options for {@linkcode debounce}. */
export interface DebounceOptions {
  /** Drops the pending call when aborted. */
  signal?: AbortSignal | undefined;
}

/** Delays a function until `wait` milliseconds have passed without a call. */
// deno-lint-ignore no-explicit-any -- as in the original, so that any function fits
export const debounce: <T extends Array<any>>(
  fn: (this: DebouncedFunction<T>, ...args: T) => void,
  wait: number,
  options?: DebounceOptions,
) => DebouncedFunction<T> = debounceImpl;
