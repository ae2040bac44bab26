/**
 * The outcome of a run that nobody called for.
 *
 * @module
 */

import type { DaffiError } from "../errors.ts";
import { isA } from "../internal/is_a.ts";
import { NotRun } from "./checks.ts";
import type { Reply, RunningCall } from "./running_call.ts";

/** Settles a promise with the outcome. */
export class TaskReply implements Reply {
  #resolve: () => void;
  #reject: (error: unknown) => void;

  /**
   * @param resolve Called when the callback has finished.
   * @param reject Called with what it throws.
   */
  constructor(resolve: () => void, reject: (error: unknown) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** See {@linkcode Reply.value}. */
  value(): void {
    this.#resolve();
  }

  /** See {@linkcode Reply.failure}. */
  failure(_call: RunningCall, thrown: unknown): void {
    this.#reject(isA(thrown, NotRun) ? thrown.error : thrown);
  }

  /** See {@linkcode Reply.refuse}. */
  refuse(_call: RunningCall, error: DaffiError): void {
    this.#reject(error);
  }
}
