import { longTimeout } from "./long_timeout.ts";
import { whenAborted } from "./when_aborted.ts";

/** How long {@linkcode waitFor} waits, and with what it gives up. */
export interface WaitForOptions {
  /** Longest wait in milliseconds. @default {Infinity} */
  timeoutMs?: number | undefined;
  /** Gives the wait up when aborted. @default {undefined} */
  signal?: AbortSignal | undefined;
  /** Makes the error for a wait that took too long. */
  onTimeout: () => Error;
  /** Makes the error for an aborted wait, from the reason of the signal. */
  onAbort: (reason: unknown) => Error;
}

/**
 * Waits for a promise, but not for longer than the options allow.
 *
 * Timer and listener are gone once the wait is over, whichever way it ended. Only the wait is given
 * up: who made the promise stops the work behind it. A rejection that comes after that is nobody's
 * unhandled rejection. A signal that is aborted already wins over a promise that is settled already.
 *
 * @param promise What to wait for.
 * @param options The limits, and the errors they end in.
 * @returns What the promise resolves to.
 * @throws {Error} The promise's own reason, or what `onTimeout` or `onAbort` made.
 *
 * @example
 * ```ts
 * import { waitFor } from "./abort.ts";
 *
 * const five = await waitFor(Promise.resolve(5), {
 *   timeoutMs: 1000,
 *   onTimeout: () => new Error("too slow"),
 *   onAbort: (reason) => new Error("given up", { cause: reason }),
 * });
 * console.log(five);
 * ```
 */
export function waitFor<T>(promise: Promise<T>, options: WaitForOptions): Promise<T> {
  const { timeoutMs = Infinity, signal, onTimeout, onAbort } = options;
  return new Promise<T>((resolve, reject) => {
    let stopListening: (() => void) | undefined;
    const abort = () => end(() => reject(onAbort(signal?.reason)));
    const cancelTimer = longTimeout(() => end(() => reject(onTimeout())), timeoutMs);
    const end = (settle: () => void): void => {
      cancelTimer();
      stopListening?.();
      settle();
    };
    if (signal?.aborted) abort();
    else if (signal !== undefined) stopListening = whenAborted(signal, abort);
    promise.then((value) => end(() => resolve(value)), (reason) => end(() => reject(reason)));
  });
}
