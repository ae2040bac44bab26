// Types by hand for the plain JavaScript of the standard library on npm: see ../README.md.
import {
  retry as retryImpl,
  RetryError as RetryErrorImpl,
} from "npm:deno-std@1.4.0/async/retry.js";

/** Thrown when the attempts are used up; `cause` is the last failure. */
export type RetryError = Error;

/** Thrown when the attempts are used up; `cause` is the last failure. */
export const RetryError: new (cause: unknown, attempts: number) => RetryError = RetryErrorImpl;

/** Options for {@linkcode retry}; times are in milliseconds. */
export interface RetryOptions {
  /** How much longer each wait is than the one before. @default {2} */
  multiplier?: number;
  /** The longest wait. @default {60000} */
  maxTimeout?: number;
  /** How often to try. @default {5} */
  maxAttempts?: number;
  /** The first wait. @default {1000} */
  minTimeout?: number;
  /** How much of each wait is random, 0 to 1. @default {1} */
  jitter?: number;
  /** Whether to try again after this error. */
  isRetriable?: (err: unknown) => boolean;
  /** Signal used to stop trying. */
  signal?: AbortSignal;
}

/** Calls a function until it succeeds, with exponential backoff. */
export const retry: <T>(
  fn: (() => Promise<T>) | (() => T),
  options?: RetryOptions,
) => Promise<T> = retryImpl;
