/**
 * Waits that fail instead of hanging the run.
 *
 * @module
 */

import { assertRejects } from "@std/assert";
import { waitFor } from "../../src/internal/abort.ts";

/**
 * Passes on what should settle on its own, and fails the test if it does not.
 *
 * @param promise What should settle.
 * @param timeoutMs When to give up; generous, for nothing is measured by it.
 */
export function soon<T>(promise: PromiseLike<T>, timeoutMs = 5000): Promise<T> {
  return waitFor(Promise.resolve(promise), {
    timeoutMs,
    onTimeout: () => new Error(`Nothing happened within ${timeoutMs} ms`),
    onAbort: () => new Error("There is no signal"),
  });
}

/** Waits until a condition that no event tells of holds, and fails the test if it does not. */
export async function until(met: () => boolean, timeoutMs = 5000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!met()) {
    if (performance.now() > end) throw new Error(`${met} did not hold within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** Lets everything happen that needs no input or output and no time. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 200; i++) await undefined;
}

/**
 * `assertRejects` for a promise that is awaited later: should the test fail before, this promise is
 * no unhandled rejection that hides why.
 */
export const assertRejectsLater = ((...args: Parameters<typeof assertRejects>) => {
  const assertion = assertRejects(...args);
  assertion.catch(() => {});
  return assertion;
}) as typeof assertRejects;
