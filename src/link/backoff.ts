/**
 * Delays between attempts to reconnect.
 *
 * @module
 */

import { longTimeout } from "../internal/long_timeout.ts";

/** How a node comes back. */
export interface ReconnectPolicy {
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
  /** Failed attempts in a row after which it gives up. */
  readonly maxAttempts: number;
}

/**
 * Full-jitter exponential backoff: a random delay between nothing and a ceiling that doubles with
 * every attempt, so that many nodes that lost the same controller do not come back in one instant.
 * Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
 *
 * @param attempt How many attempts have failed, from 1.
 * @param minDelayMs Ceiling after the first failed attempt.
 * @param maxDelayMs Highest ceiling.
 * @param random A number from 0 up to, not including, 1.
 * @returns The delay before the next attempt, in milliseconds.
 */
export function backoffMs(
  attempt: number,
  minDelayMs: number,
  maxDelayMs: number,
  random: () => number = Math.random,
): number {
  const ceiling = Math.min(maxDelayMs, minDelayMs * 2 ** Math.min(attempt - 1, 32));
  return random() * ceiling;
}

/** A pause that can be ended before its time. */
export function pauseFor(ms: number): { readonly over: Promise<void>; readonly end: () => void } {
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const cancel = longTimeout(resolve, ms);
  const end = () => {
    cancel();
    resolve();
  };
  return { over, end };
}
