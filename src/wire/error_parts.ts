/**
 * Errors and their parts.
 *
 * @module
 */

import { malformed } from "./extension_values.ts";
import { ERROR_CLASSES } from "./extensions.ts";

/** What every error has, besides fields of its own. */
export const OWN_PARTS: ReadonlySet<string> = new Set(["name", "message", "stack", "cause"]);

/** What a `SuppressedError` has, and no enumeration shows; `await using` throws such. */
const SUPPRESSED_PARTS = ["error", "suppressed"];

/** The parts of an error, as they travel. */
export function errorParts(error: Error): Record<string, unknown> {
  const parts: Record<string, unknown> = {
    name: String(error.name),
    message: String(error.message),
  };
  if (typeof error.stack === "string") parts.stack = error.stack;
  if ("cause" in error) parts.cause = error.cause;
  const isAggregate = error instanceof AggregateError;
  if (isAggregate) parts.errors = error.errors;
  const fields = Object.entries(error).filter(([key]) =>
    !OWN_PARTS.has(key) && !(isAggregate && key === "errors")
  );
  for (const key of SUPPRESSED_PARTS) {
    const part = Object.getOwnPropertyDescriptor(error, key);
    if (part?.enumerable === false) fields.push([key, part.value]);
  }
  if (fields.length > 0) parts.fields = Object.fromEntries(fields);
  return parts;
}

/**
 * Makes an error from its parts as they travel.
 *
 * @throws {ProtocolError} when name or message are no strings.
 */
export function rebuildError(parts: Record<string, unknown>): Error {
  const { stack, fields, errors } = parts;
  const name = asString(parts.name);
  const message = asString(parts.message);
  const error = Array.isArray(errors)
    ? new AggregateError(errors, message)
    : new (ERROR_CLASSES.get(name) ?? Error)(message);
  if (error.name !== name) defineField(error, "name", name, false);
  const text = typeof stack === "string" ? stack : `${name}: ${message}`;
  defineField(error, "stack", text, false);
  if (Object.hasOwn(parts, "cause")) defineField(error, "cause", parts.cause, false);
  if (typeof fields === "object" && fields !== null) {
    for (const [key, value] of Object.entries(fields)) defineField(error, key, value);
  }
  return error;
}

/** @throws {ProtocolError} when a value is not a string. */
export function asString(value: unknown): string {
  if (typeof value === "string") return value;
  throw malformed("a string was expected");
}

/** Plain assignment would run a setter of the prototype for names such as `__proto__`. */
export function defineField(target: object, key: string, value: unknown, enumerable = true): void {
  Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true });
}
