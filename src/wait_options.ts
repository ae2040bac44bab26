/**
 * How long to wait.
 *
 * @module
 */

import { checkSignal } from "./internal/check_signal.ts";
import { type Duration, parseDuration } from "./internal/duration.ts";
import { checkOptionNames } from "./internal/known_options.ts";
import { nameProblem } from "./wire/control.ts";
import { badOption } from "./internal/bad_option.ts";

/** How long to wait, for functions that wait for something. */
export interface WaitOptions {
  /** Longest wait. @default {no limit} */
  timeout?: Duration | undefined;
  /** Gives the wait up. @default {none} */
  signal?: AbortSignal | undefined;
}

/** The options, checked; `Infinity` for no limit. */
export interface ResolvedWait {
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Checks the options of a wait.
 *
 * @param what Whose options they are, for the message.
 * @throws {InitializationError} when they are not valid.
 */
export function readWaitOptions(what: string, options: WaitOptions): ResolvedWait {
  checkOptionNames(what, options, ["timeout", "signal"]);
  const { timeout = Infinity, signal } = options;
  checkSignal(what, signal);
  return { timeoutMs: parseDuration(timeout, "timeout", { allowInfinity: true }), signal };
}

/** @throws {InitializationError} when it is nothing that a process or a callback can be called. */
export function checkAwaitedName(name: unknown): void {
  if (nameProblem(name) === undefined) return;
  badOption("the name", name, "a non-empty string of at most 256 bytes", "wait");
}
