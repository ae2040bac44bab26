/**
 * Waiting for something that may not come.
 *
 * @module
 */

import { longTimeout } from "./long_timeout.ts";

/**
 * Waits for a promise, but not longer than `ms`.
 *
 * @returns Whether it resolved in time. Rejects as the promise does.
 */
export function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const cancel = longTimeout(() => resolve(false), ms);
    promise.then(() => resolve(true), reject).finally(cancel);
  });
}
