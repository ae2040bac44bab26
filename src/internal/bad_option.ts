/**
 * Options that have a value which they cannot have.
 *
 * @module
 */

import { InitializationError } from "../errors.ts";
import { show } from "./show.ts";

/** @throws {InitializationError} always: names what cannot be done, the option, what it must be and its value. */
export function badOption(name: string, value: unknown, wanted: string, verb = "start"): never {
  throw new InitializationError(`Cannot ${verb}: ${name} must be ${wanted}, but is ${show(value)}`);
}

/** @throws {InitializationError} when `value` is not a whole number from `least` to `most`. */
export function checkInteger(name: string, value: unknown, least: number, most: number): void {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return;
  badOption(name, value, `a whole number from ${least} to ${most}`);
}
