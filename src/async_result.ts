/**
 * The future that a background call gives.
 *
 * @module
 */

import { CallCancelledError, CallTimeoutError } from "./errors.ts";
import { waitFor } from "./internal/abort.ts";
import { readWaitOptions, type WaitOptions } from "./wait_options.ts";
import { makeUuid } from "./internal/uuid.ts";

/**
 * The outcome of a call that runs in the background.
 *
 * @example
 * ```ts
 * import { BG, Global } from "@daffi/core";
 *
 * await using g = new Global({ host: "localhost", port: 8888 });
 * const future = g.call.report("2026").exec(BG);
 * // … do something else …
 * console.log(await future.get({ timeout: "1 minute" }));
 * ```
 */
export class AsyncResult<T> {
  #outcome: Promise<T>;
  #cancel: () => void;
  #callbackName: string;
  #done = false;
  #uuid: string | undefined;

  /**
   * Made by `RemoteCall.bg()`.
   *
   * @param callbackName The callback that was called.
   * @param outcome The result to come.
   * @param cancel Cancels the call.
   */
  constructor(callbackName: string, outcome: Promise<T>, cancel: () => void) {
    this.#callbackName = callbackName;
    this.#outcome = outcome;
    this.#cancel = cancel;
    const done = () => {
      this.#done = true;
    };
    outcome.then(done, done); // so an error waits for get() and is never an unhandled rejection
  }

  /** Whether the call has its outcome, so that `get()` would not wait. */
  get done(): boolean {
    return this.#done;
  }

  /** What tells this call from all others. */
  get uuid(): string {
    return this.#uuid ??= makeUuid();
  }

  /**
   * Waits for the result. Gives the same value, or throws the same error, each time. Giving the wait
   * up leaves the call running.
   *
   * @param options How long to wait.
   * @throws {CallTimeoutError} when the result is not there in time.
   * @throws {CallCancelledError} when `signal` aborts, or the call was cancelled.
   * @throws {DaffiError} as the call itself.
   */
  async get(options: WaitOptions = {}): Promise<T> {
    const { timeoutMs, signal } = readWaitOptions("get()", options);
    if (timeoutMs === Infinity && signal === undefined) return await this.#outcome;
    const callbackName = this.#callbackName;
    return await waitFor(this.#outcome, {
      timeoutMs,
      signal,
      onTimeout: () =>
        new CallTimeoutError(`The result of ${callbackName} is not there after ${timeoutMs} ms`, {
          callbackName,
          executed: "maybe",
        }),
      onAbort: (cause) =>
        new CallCancelledError(`The wait for ${callbackName} was given up`, {
          callbackName,
          executed: "maybe",
          cause,
        }),
    });
  }

  /** Cancels the call: `get()` throws a `CallCancelledError`. Does nothing once it is done. */
  cancel(): void {
    this.#cancel();
  }
}
