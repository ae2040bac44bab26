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
  return within("What is awaited", Promise.resolve(promise), timeoutMs);
}

/** The same for what takes longer, such as other processes; it tells what did not happen. */
export function within<T>(what: string, promise: Promise<T>, timeoutMs = 30_000): Promise<T> {
  return waitFor(promise, {
    timeoutMs,
    onTimeout: () => new Error(`${what} did not happen within ${timeoutMs} ms`),
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
 * For a promise that is awaited later: should the test fail before, its rejection is no unhandled one, which would end
 * the other tests of the file and hide why.
 */
export function later<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** `assertRejects` for a promise that is awaited later. */
export const assertRejectsLater =
  ((...args: Parameters<typeof assertRejects>) =>
    later(assertRejects(...args))) as typeof assertRejects;
