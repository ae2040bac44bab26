/**
 * The options of `stop()` and `join()`, checked.
 *
 * @module
 */

import { badOption } from "./internal/bad_option.ts";
import { parseDuration } from "./internal/duration.ts";
import { checkOptionNames } from "./internal/known_options.ts";
import type { JoinOptions, StopOptions } from "./options.ts";

/**
 * Reads those of `stop()`.
 *
 * @returns How long what runs may take, and whether all nodes are to stop.
 * @throws {InitializationError} when one is not valid.
 */
export function readStopOptions(options: StopOptions): [drainTimeoutMs: number, killAll: boolean] {
  checkOptionNames("stop", options, ["drainTimeout", "killAllConnectedNodes"]);
  const { drainTimeout = "10s", killAllConnectedNodes = false } = options;
  // A text such as "no" would be taken for a yes.
  if (typeof killAllConnectedNodes !== "boolean") {
    badOption("killAllConnectedNodes", killAllConnectedNodes, "true or false", "stop");
  }
  return [parseDuration(drainTimeout, "drainTimeout"), killAllConnectedNodes];
}

/**
 * Reads those of `join()`: how to stop when the process is asked to end.
 *
 * @throws {InitializationError} when one is not valid.
 */
export function readJoinOptions(options: JoinOptions): StopOptions {
  checkOptionNames("join", options, ["drainTimeout"]);
  readStopOptions(options);
  return { ...options };
}
