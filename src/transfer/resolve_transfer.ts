/**
 * Reads the option `transfer`.
 *
 * @module
 */

import { InitializationError } from "../errors.ts";
import { badOption } from "../internal/bad_option.ts";
import { parseDuration } from "../internal/duration.ts";
import { checkOptionNames } from "../internal/known_options.ts";
import {
  PERMISSION_NAMES,
  type ResolvedTransferOptions,
  type TransferMode,
  type TransferOptions,
  type TransferPermissions,
} from "./transfer_options.ts";

const MODES: readonly TransferMode[] = ["sandbox", "inline", "deny"];

/** Less than this and the sandbox itself has no room. */
const MIN_MEMORY_MB = 16;

/**
 * Checks the option and fills in the defaults.
 *
 * @throws {InitializationError} when it is not valid.
 */
export function resolveTransfer(
  transfer: TransferMode | TransferOptions = {},
): ResolvedTransferOptions {
  const options = typeof transfer === "string" ? { mode: transfer } : transfer;
  const names = ["mode", "permissions", "timeout", "memoryLimitMb", "maxConcurrent"];
  checkOptionNames("transfer", options, names);
  const { permissions = {}, memoryLimitMb = 256, maxConcurrent = 32 } = options;
  const { mode = defaultMode() } = options;
  const { timeout = mode === "inline" ? Infinity : "30s" } = options;
  if (!MODES.includes(mode)) fail("mode", mode, `one of ${MODES.join(", ")}`);
  checkPermissions(permissions);
  checkMeaning(options);
  for (
    const [name, value, least] of [
      ["memoryLimitMb", memoryLimitMb, MIN_MEMORY_MB],
      ["maxConcurrent", maxConcurrent, 1],
    ] as const
  ) {
    if (!Number.isSafeInteger(value) || value < least) {
      fail(name, value, `a whole number from ${least} on`);
    }
  }
  const timeoutMs = parseDuration(timeout, "transfer.timeout", { allowInfinity: true });
  return { mode, permissions, timeoutMs, memoryLimitMb, maxConcurrent };
}

function defaultMode(): TransferMode {
  const canRun = typeof Deno !== "undefined" && Deno.Command !== undefined;
  return canRun && !Deno.build.standalone ? "sandbox" : "deny";
}

/** What would have no effect is refused: nobody should rely on it. */
function checkMeaning({ mode, ...limits }: TransferOptions): void {
  if (mode !== "inline" && mode !== "deny") return;
  for (const [name, value] of Object.entries(limits)) {
    if (value === undefined || (mode === "inline" && name === "timeout")) continue;
    if (name === "permissions" && Object.keys(value).length === 0) continue;
    const why = mode === "deny" ? "deny runs nothing" : "inline limits nothing but the time";
    throw new InitializationError(
      `Cannot start: transfer.${name} is given, but ${why}; leave it out, or take mode "sandbox"`,
    );
  }
}

function checkPermissions(permissions: TransferPermissions): void {
  checkOptionNames("transfer.permissions", permissions, PERMISSION_NAMES);
  for (const [name, value] of Object.entries(permissions)) {
    const isList = Array.isArray(value) && value.every(isText);
    if (typeof value !== "boolean" && !isList) {
      fail(`permissions.${name}`, value, "true, false or a list of texts without commas");
    }
  }
}

/** Deno takes a comma for the end of a value, and has no way to write one. */
function isText(value: unknown): boolean {
  return typeof value === "string" && value !== "" && !value.includes(",");
}

function fail(name: string, value: unknown, wanted: string): never {
  badOption(`transfer.${name}`, value, wanted);
}
