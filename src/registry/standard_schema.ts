/**
 * Validation by any schema library that implements Standard Schema (https://standardschema.dev).
 *
 * @module
 */

import { ValidationError, type ValidationIssue } from "../errors.ts";
import { andThen, type Maybe } from "../internal/maybe.ts";
import type { AnyFunction } from "./registered_callback.ts";

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
 * Checks the arguments of a call. The schema describes the list of arguments, or the one argument:
 * [ADR 7](../../docs/adr/0007-arguments-schema.md).
 *
 * @param takesOne Whether the callback has one parameter, and no more; see {@linkcode hasOneParameter}.
 * @returns The arguments as the schema gives them, with defaults and conversions; at once if it answers at once.
 * @throws {ValidationError} when they do not fit.
 */
export function validateArguments(
  schema: StandardSchema,
  args: unknown[],
  callbackName: string,
  takesOne: boolean,
): Maybe<unknown[]> {
  const validate = (value: unknown): Maybe<StandardResult<unknown>> => {
    const outcome = schema["~standard"].validate(value);
    return "then" in outcome ? Promise.resolve(outcome) : outcome;
  };
  const [first] = args;
  const refuse = (issues: readonly StandardIssue[] = []) =>
    failure(`Cannot call: the arguments of ${callbackName} do not fit its schema`, issues, "never");
  if (takesOne && args.length > 1) {
    throw refuse([{ message: "one argument is needed, and no more" }]);
  }
  // A schema that takes lists of any length describes the argument, not the list that it has been put into.
  const takesPairs = (): Maybe<boolean> =>
    takesOne &&
    andThen(validate([first, first]), (same) =>
      isPair(same) || andThen(validate([first, undefined]), isPair));
  return andThen(validate(args), (list) => {
    const fits = list.issues === undefined && Array.isArray(list.value);
    return andThen(fits && takesPairs(), (isLonger): Maybe<unknown[]> => {
      if (fits && !isLonger) return list.value as unknown[];
      if (args.length > 1) throw refuse(list.issues);
      return andThen(validate(first), (one) => {
        if (one.issues === undefined) return [one.value];
        const isOfOne = isAboutWhole(list) ? takesOne || !isAboutWhole(one) : fits || takesPairs();
        return andThen(isOfOne, (isOfOne) => {
          throw refuse(isOfOne ? one.issues : list.issues);
        });
      });
    });
  });
}

/** Whether a list of two was taken for one, be it that something in it does not fit. */
function isPair(outcome: StandardResult<unknown>): boolean {
  if (outcome.issues !== undefined) return !isAboutWhole(outcome);
  return !Array.isArray(outcome.value) || outcome.value.length !== 1;
}

/**
 * Whether a function has one parameter, and no more: `length` does not count those with a default, nor the
 * rest. As far as its source tells; where it cannot, it has several.
 */
export function hasOneParameter(fn: AnyFunction): boolean {
  if (fn.length !== 1) return false;
  let source = Function.prototype.toString.call(fn).replace(
    /\/\*.*?\*\/|\/\/[^\n]*|(["'`])(\\.|[^\\])*?\1/gs, // comments and strings
    "",
  );
  if (/\barguments\b/.test(source)) return false;
  for (let before = ""; source !== before;) {
    before = source;
    source = source.replace(/\{[^{}]*\}|\[[^[\]]*\]/g, "");
  }
  // Those of an arrow may be without parentheses: the first ones are not theirs if there is a `=` before.
  return !/^[^(=]*\([^)]*(=|\.\.\.)/.test(source);
}

/** Whether it does not fit as a whole, rather than something in it. */
function isAboutWhole({ issues = [] }: StandardResult<unknown>): boolean {
  return issues.some(({ path }) => (path ?? []).length === 0);
}

/**
 * Checks what a callback gives.
 *
 * @returns The result as the schema gives it.
 * @throws {ValidationError} when it does not fit.
 */
export async function validateResult(
  schema: StandardSchema,
  result: unknown,
  what: string,
): Promise<unknown> {
  const outcome = await schema["~standard"].validate(result);
  if (outcome.issues === undefined) return outcome.value;
  throw failure(`Cannot answer: ${what} does not fit its schema`, outcome.issues, "yes");
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
  return new ValidationError(`${what}: ${told.join("; ")}`, issues, { executed });
}
