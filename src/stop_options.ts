/**
 * The options of `stop()` and `join()`, checked.
 *
 * @module
 */

import { badOption } from "./internal/bad_option.ts";
import { parseDuration } from "./internal/duration.ts";
import { checkOptionNames } from "./internal/known_options.ts";
import type { JoinOptions, StopOptions } from "./options.ts";

/** How long running callbacks may take, if nobody says how long. */
export const DRAIN_TIMEOUT_MS = 10_000;

/**
 * Reads those of `stop()`.
 *
 * @returns How long what runs may take, and whether all nodes are to stop.
 * @throws {InitializationError} when one is not valid.
 */
export function readStopOptions(options: StopOptions): [drainTimeoutMs: number, killAll: boolean] {
  checkOptionNames("stop", options, ["drainTimeout", "killAllConnectedNodes"]);
  const { killAllConnectedNodes = false } = options;
  // A text such as "no" would be taken for a yes.
  if (typeof killAllConnectedNodes !== "boolean") {
    badOption("killAllConnectedNodes", killAllConnectedNodes, "true or false", "stop");
  }
  return [readDrainTimeout(options), killAllConnectedNodes];
}

/**
 * Reads those of `join()`.
 *
 * @returns How long what runs may take when the process is asked to end.
 * @throws {InitializationError} when one is not valid.
 */
export function readJoinOptions(options: JoinOptions): number {
  checkOptionNames("join", options, ["drainTimeout"]);
  return readDrainTimeout(options);
}

function readDrainTimeout({ drainTimeout = DRAIN_TIMEOUT_MS }: JoinOptions): number {
  return parseDuration(drainTimeout, "drainTimeout");
}
