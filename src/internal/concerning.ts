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
