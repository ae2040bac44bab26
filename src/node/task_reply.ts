/**
 * The outcome of a run that nobody called for.
 *
 * @module
 */

import { causeOf } from "./checks.ts";
import type { Reply, RunningCall } from "./running_call.ts";

/** Tells the scheduler. */
export class TaskReply implements Reply {
  /** See {@linkcode Reply.ended}. */
  readonly ended: () => void;
  #fail: ((error: unknown) => void) | undefined;

  /**
   * @param ended Called when nothing of the run goes on any more.
   * @param fail Called with what the callback throws, or why it is given up; once at most.
   */
  constructor(ended: () => void, fail: (error: unknown) => void) {
    this.ended = ended;
    this.#fail = fail;
  }

  /** See {@linkcode Reply.value}. */
  value(): void {}

  /** See {@linkcode Reply.failure}. */
  failure(call: RunningCall, thrown: unknown): void {
    this.refuse(call, causeOf(thrown));
  }

  /** See {@linkcode Reply.refuse}. */
  refuse(_call: RunningCall, error: unknown): void {
    this.#fail?.(error);
    this.#fail = undefined;
  }
}
