/**
 * Reads the options of execution modifiers.
 *
 * @module
 */

import { badOption } from "./internal/bad_option.ts";
import type { CallRequest, Strategy } from "./internal/call_request.ts";
import { checkSignal } from "./internal/check_signal.ts";
import { beforeCall } from "./internal/concerning.ts";
import { parseDuration } from "./internal/duration.ts";
import { checkOptionNames } from "./internal/known_options.ts";
import type { ModifierKind, ModifierOptions } from "./modifiers.ts";

/** Options of any modifier, read. */
export type ReadOptions = Pick<
  CallRequest,
  "timeoutMs" | "etaMs" | "signal" | "to" | "strategy"
>;

const VALID: Readonly<Record<ModifierKind, readonly string[]>> = {
  fg: ["timeout", "signal", "to", "strategy"],
  bg: ["timeout", "signal", "to", "strategy", "eta"],
  noReturn: ["to", "strategy", "eta"],
  broadcast: ["returnResult", "timeout", "signal", "eta"],
  stream: ["timeout", "signal", "to"],
  period: [
    ...["interval", "atTime", "cron", "timezone", "overlap", "maxRuns", "uuid", "catchUp"],
    ...["pauseAfterFailures", "to", "strategy"],
  ],
};

const STRATEGIES: readonly Strategy[] = ["random", "round-robin", "least-pending"];

const NOTHING: ReadOptions = {
  timeoutMs: undefined,
  etaMs: undefined,
  signal: undefined,
  to: undefined,
  strategy: "random",
};

/**
 * Reads options.
 *
 * @param callbackName Whose call they are of, for errors.
 * @throws {InitializationError} when one is unknown or has a value that it cannot have.
 */
export function readOptions<K extends ModifierKind>(
  kind: K,
  options: ModifierOptions[K] | undefined,
  callbackName: string,
): ReadOptions {
  return options === undefined
    ? NOTHING
    : beforeCall({ callbackName }, () => checkedOptions(kind, options));
}

function checkedOptions<K extends ModifierKind>(kind: K, options: ModifierOptions[K]): ReadOptions {
  checkOptionNames(kind, options, VALID[kind]);
  if (Object.keys(options).length === 0) return NOTHING;
  const { timeout, eta, signal, to, strategy = "random" } = options as ModifierOptions["bg"];
  const { returnResult } = options as ModifierOptions["broadcast"];
  if (returnResult !== undefined && typeof returnResult !== "boolean") {
    badOption("returnResult", returnResult, "true or false", "call");
  }
  if (to !== undefined && (typeof to !== "string" || to === "")) {
    badOption("to", to, "a process name", "call");
  }
  if (!STRATEGIES.includes(strategy)) {
    badOption("strategy", strategy, `one of ${STRATEGIES.join(", ")}`, "call");
  }
  checkSignal(kind, signal);
  return {
    timeoutMs: timeout === undefined
      ? undefined
      : parseDuration(timeout, "timeout", { allowInfinity: true }),
    etaMs: eta === undefined ? undefined : parseDuration(eta, "eta"),
    signal,
    to,
    strategy,
  };
}
