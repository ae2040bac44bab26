/**
 * Validation by any schema library that implements Standard Schema (https://standardschema.dev).
 *
 * @module
 */

import { ValidationError, type ValidationIssue } from "../errors.ts";

/** A schema of zod, valibot, arktype or any other library that implements Standard Schema v1. */
export interface StandardSchema<Output = unknown> {
  /** The standard's one property. */
  readonly "~standard": {
    /** Version of the standard. */
    readonly version: 1;
    /** Name of the library. */
    readonly vendor: string;
    /** Checks a value and gives what it becomes, or what is wrong with it. */
    readonly validate: (
      value: unknown,
    ) => StandardResult<Output> | Promise<StandardResult<Output>>;
  };
}

/** What a schema says of a value. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One thing that a schema finds wrong. */
export interface StandardIssue {
  /** What is wrong. */
  readonly message: string;
  /** Where. */
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Tells whether something is a schema. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  return value !== null && (typeof value === "object" || typeof value === "function") &&
    typeof (value as Partial<StandardSchema>)["~standard"]?.validate === "function";
}

/**
 * Checks the arguments of a call. The schema describes the list of arguments; that of a callback
 * with one argument may describe the argument itself instead.
 *
 * @returns The arguments as the schema gives them, with defaults and conversions.
 * @throws {ValidationError} when they do not fit.
 */
export async function validateArguments(
  schema: StandardSchema,
  args: unknown[],
  callbackName: string,
): Promise<unknown[]> {
  const whole = await schema["~standard"].validate(args);
  if (whole.issues === undefined && Array.isArray(whole.value)) return whole.value;
  let issues = whole.issues ?? [];
  if (args.length <= 1) {
    const single = await schema["~standard"].validate(args[0]);
    if (single.issues === undefined) return [single.value];
    // A schema that takes no list at all was meant for the one argument.
    if (issues.some((issue) => (issue.path ?? []).length === 0)) issues = single.issues;
  }
  throw failure(`the arguments of ${callbackName} do not fit its schema`, issues, "never");
}

/**
 * Checks the result of a callback.
 *
 * @returns The result as the schema gives it.
 * @throws {ValidationError} when it does not fit.
 */
export async function validateResult(
  schema: StandardSchema,
  result: unknown,
  callbackName: string,
): Promise<unknown> {
  const outcome = await schema["~standard"].validate(result);
  if (outcome.issues === undefined) return outcome.value;
  throw failure(`the result of ${callbackName} does not fit its schema`, outcome.issues, "yes");
}

function failure(
  what: string,
  found: readonly StandardIssue[],
  executed: "never" | "yes",
): ValidationError {
  const issues = found.map(({ message, path = [] }): ValidationIssue => ({
    message,
    path: path.map((part) => {
      const key = typeof part === "object" ? part.key : part;
      return typeof key === "number" ? key : String(key);
    }),
  }));
  const told = issues.slice(0, 5).map(({ message, path }) =>
    path.length === 0 ? message : `${path.join(".")}: ${message}`
  );
  return new ValidationError(`Cannot call: ${what}: ${told.join("; ")}`, issues, { executed });
}
