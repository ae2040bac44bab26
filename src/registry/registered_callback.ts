/**
 * One callback: how it is offered, and how it is run.
 *
 * @module
 */

import { InitializationError } from "../errors.ts";
import { badOption } from "../internal/bad_option.ts";
import { type Duration, parseDuration } from "../internal/duration.ts";
import { checkOptionNames } from "../internal/known_options.ts";
import { show } from "../internal/show.ts";
import { nameProblem } from "../wire/control.ts";
import { hasOneParameter, isStandardSchema, type StandardSchema } from "./standard_schema.ts";

/** Any function. */
// deno-lint-ignore no-explicit-any -- `unknown` parameters would refuse every typed function
export type AnyFunction = (...args: any[]) => unknown;

/** Any class. */
// deno-lint-ignore no-explicit-any -- see above
export type AnyClass = abstract new (...args: any[]) => object;

/** How a callback is offered. */
export interface CallbackOptions {
  /** The name by which others call it. @default {the function's own name} */
  name?: string | undefined;
  /**
   * How many calls of it, or of each method of a class, may run at a time in each `Global` that offers it; others wait for their turn.
   * When those that wait have more than 256 MiB together, the next one fails with an `OverloadedError`. A `STREAM` has one
   * turn for all of its items. @default {no limit}
   */
  concurrency?: number | undefined;
  /**
   * How long a call may take, waiting for its turn included, before it fails; a `STREAM` with all of its items.
   * @default {no limit}
   */
  timeout?: Duration | undefined;
  /**
   * Schema of the argument if the callback declares exactly one parameter, otherwise of the array of arguments (or of
   * the single one). A call that does not fit fails with a `ValidationError` before the callback runs.
   */
  input?: StandardSchema | undefined;
  /** Schema of the result, or of each item of a stream. What does not fit fails the call with a `ValidationError`. */
  output?: StandardSchema | undefined;
}

/** A callback ready to be run. */
export interface RegisteredCallback {
  /** The name by which others call it. */
  readonly name: string;
  /** What was registered; tells whether the same is registered again. */
  readonly fn: AnyFunction;
  /** The class of which it is a method, for a class may inherit what another one offers. */
  readonly type: AnyClass | undefined;
  /** Runs it. */
  readonly invoke: (args: unknown[]) => unknown;
  /** Why it cannot be run now, if it cannot: its class has no instance yet. */
  readonly problem: () => InitializationError | undefined;
  /** How many calls may run at a time. */
  readonly concurrency: number;
  /** How long a call may run, in milliseconds. */
  readonly timeoutMs: number | undefined;
  /** Schema of the arguments. */
  readonly input: StandardSchema | undefined;
  /** Whether that may be the schema of the one argument. */
  readonly takesOne: boolean;
  /** Schema of the result. */
  readonly output: StandardSchema | undefined;
  /** Whether its runs so far were done when they returned; kept by whoever runs it. */
  timing: "unknown" | "at once" | "later";
}

/**
 * Prepares a callback.
 *
 * @param name The name by which others call it.
 * @param fn What is registered.
 * @param options How it is offered.
 * @throws {InitializationError} when the name cannot be one, or an option is not valid.
 */
export function makeEntry(
  name: string,
  fn: AnyFunction,
  { concurrency = Infinity, timeout, input, output }: CallbackOptions,
): RegisteredCallback {
  const wrong = nameProblem(name) ??
    (name === "then"
      ? "must not be then, which JavaScript itself asks every object for"
      : undefined);
  if (wrong !== undefined) {
    throw new InitializationError(
      `Cannot register callback ${show(name)}: the name ${wrong}`,
    );
  }
  if (concurrency !== Infinity && !(Number.isInteger(concurrency) && concurrency > 0)) {
    badOption("concurrency", concurrency, "a whole number above zero", `register ${name}`);
  }
  for (const [option, schema] of Object.entries({ input, output })) {
    if (schema !== undefined && !isStandardSchema(schema)) {
      throw new InitializationError(
        `Cannot register ${name}: ${option} is not a Standard Schema; zod, valibot and arktype make them`,
      );
    }
  }
  const timeoutMs = timeout === undefined
    ? undefined
    : parseDuration(timeout, "timeout", { allowInfinity: true });
  const invoke = (args: unknown[]) => fn(...args);
  const problem = () => undefined;
  return {
    ...{ name, fn, type: undefined, invoke, problem, concurrency, timeoutMs, input, output },
    takesOne: input !== undefined && hasOneParameter(fn),
    timing: "unknown",
  };
}

/** Checks that these are options, by their names. @throws {InitializationError} when they are not. */
export function asOptions(value: unknown): CallbackOptions {
  if (value === undefined) return {};
  if (typeof value === "object" && value !== null) {
    const { kind } = value as { kind?: unknown };
    if (kind === undefined) {
      checkOptionNames("callback", value, ["name", "concurrency", "timeout", "input", "output"]);
      return value;
    }
    throw new InitializationError(
      `Cannot use @callback on a ${show(kind)}: decorate the class instead`,
    );
  }
  badOption("the options", value, "an object", "register a callback");
}
