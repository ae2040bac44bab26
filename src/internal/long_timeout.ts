/** The longest delay that `setTimeout` keeps; a longer one fires at once. */
export const MAX_DELAY_MS: number = 2 ** 31 - 1;

/**
 * Runs a function once after a delay of any length.
 *
 * A delay above 2^31-1 ms is split; what is left is taken from the clock at each part, so that the
 * parts do not add up their lateness.
 *
 * @param fn What to run. What it throws is as uncaught as in `setTimeout`.
 * @param ms Delay in milliseconds; 0 or less is as soon as possible, `Infinity` is never.
 * @returns Cancels; does nothing once `fn` has run or was cancelled.
 *
 * @example
 * ```ts
 * import { longTimeout } from "./long_timeout.ts";
 *
 * const cancel = longTimeout(() => console.log("30 days later"), 30 * 86_400_000);
 * cancel();
 * ```
 */
export function longTimeout(fn: () => void, ms: number): () => void {
  if (ms === Infinity) return () => {};
  const dueMs = Date.now() + ms;
  let timer: ReturnType<typeof setTimeout>;
  const arm = (leftMs: number): void => {
    timer = leftMs > MAX_DELAY_MS
      ? setTimeout(() => arm(dueMs - Date.now()), MAX_DELAY_MS)
      : setTimeout(fn, Math.max(leftMs, 0));
  };
  arm(ms);
  return () => clearTimeout(timer);
}
