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
 * Checks the arguments of a call. The schema describes the list of arguments, or the argument itself:
 * [ADR 7](../../docs/adr/0007-arguments-schema.md).
 *
 * @param parameters How many the callback declares, as its `length` has it.
 * @returns The arguments as the schema gives them, with defaults and conversions.
 * @throws {ValidationError} when they do not fit.
 */
export async function validateArguments(
  schema: StandardSchema,
  args: unknown[],
  callbackName: string,
  parameters: number,
): Promise<unknown[]> {
  const checked = await (parameters === 1 ? asOne(schema, args) : asList(schema, args));
  if (checked.issues === undefined) return checked.value;
  const what = `the arguments of ${callbackName} do not fit its schema`;
  throw failure(what, checked.issues, "never");
}

type Outcome<Value> =
  | { readonly value: Value; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/**
 * Of a callback with one parameter. A list of values would do for many schemas of that parameter, and what
 * is no list must not slip through by being put into one: only a schema that takes exactly one value
 * describes the list.
 */
async function asOne(schema: StandardSchema, args: unknown[]): Promise<Outcome<unknown[]>> {
  if (args.length > 1) {
    return { issues: [{ message: `one argument is needed, and ${args.length} were given` }] };
  }
  const validate = (value: unknown) => schema["~standard"].validate(value);
  const one = await validate(args[0]);
  if (one.issues === undefined) return { value: [one.value] };
  const list = await validate(args);
  if (args.length === 0 || isAboutWhole(list)) return one;
  const twice = await validate([args[0], args[0]]);
  const takesOne = isAboutWhole(twice) ||
    (twice.issues === undefined && Array.isArray(twice.value) && twice.value.length === 1);
  return takesOne ? list as Outcome<unknown[]> : one;
}

/** Of a callback with several parameters, or whose parameters cannot be counted. */
async function asList(schema: StandardSchema, args: unknown[]): Promise<Outcome<unknown[]>> {
  const validate = (value: unknown) => schema["~standard"].validate(value);
  const list = await validate(args);
  if (list.issues === undefined && Array.isArray(list.value)) return { value: list.value };
  const issues = list.issues ?? [];
  if (args.length > 1) return { issues };
  const one = await validate(args[0]);
  if (one.issues === undefined) return { value: [one.value] };
  return isAboutWhole(list) && !isAboutWhole(one) ? one : { issues };
}

/** Whether it does not fit as a whole, rather than something in it. */
function isAboutWhole({ issues = [] }: Outcome<unknown>): boolean {
  return issues.some(({ path }) => (path ?? []).length === 0);
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
