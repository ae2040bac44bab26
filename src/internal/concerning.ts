/**
 * Which call an error is about.
 *
 * @module
 */

import { DaffiError, type FailedCall } from "../errors.ts";

/** Adds to an error what it does not tell of its call yet. */
export function concerning<E extends Error>(error: E, call: FailedCall): E {
  if (!(error instanceof DaffiError)) return error;
  for (const [key, value] of Object.entries(call)) {
    if (value === undefined || (error as unknown as Record<string, unknown>)[key] !== undefined) {
      continue;
    }
    Object.defineProperty(error, key, { value, enumerable: true, configurable: true });
  }
  return error;
}

/** The same error once more: each call gets one of its own, for each says which call it was. */
export function anotherOf<E extends Error>(error: E): E {
  if (!(error instanceof DaffiError)) return error;
  const Class = error.constructor as new (message: string, options: { cause: unknown }) => E;
  return new Class(error.message, { cause: error });
}

/**
 * Does what comes before a callback is called.
 *
 * @param call What is known of the call, for the error if that fails.
 */
export function beforeCall<T>(call: FailedCall, prepare: () => T): T {
  try {
    return prepare();
  } catch (error) {
    throw concerning(error as Error, { ...call, executed: "never" });
  }
}
