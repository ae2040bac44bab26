/**
 * What the schemas of a callback say about a call.
 *
 * @module
 */

import { type DaffiError, ValidationError } from "../errors.ts";
import { isA } from "../internal/is_a.ts";
import type { Maybe } from "../internal/maybe.ts";
import { showError } from "../internal/show.ts";
import { validateArguments, validateResult } from "../registry/standard_schema.ts";
import type { RunningCall } from "./running_call.ts";

/** Thrown for a call that failed on this side of its callback. */
export class NotRun {
  /** @param error What its caller gets. */
  constructor(readonly error: DaffiError) {}
}

/** What was thrown, or, if it failed on this side of the callback, why. */
export function causeOf(thrown: unknown): unknown {
  return isA(thrown, NotRun) ? thrown.error : thrown;
}

/** Whether there are any. */
export function isChecked({ callback: { input, output } }: RunningCall): boolean {
  return input !== undefined || output !== undefined;
}

/** The arguments as their schema gives them; at once if it does, for calls start in their order. @throws {NotRun} when they do not fit. */
export function checkArguments(call: RunningCall, args: unknown[]): Maybe<unknown[]> {
  const { input, name, takesOne } = call.callback;
  const refuse = (error: unknown): never => {
    if (error instanceof ValidationError) throw new NotRun(error);
    const message = `Cannot call ${name}: its schema has thrown ${showError(error)}`;
    throw new NotRun(new ValidationError(message, [], { executed: "never", cause: error }));
  };
  try {
    const checked = input === undefined ? args : validateArguments(input, args, name, takesOne);
    return checked instanceof Promise ? checked.catch(refuse) : checked;
  } catch (error) {
    return refuse(error);
  }
}

/**
 * The result, or an item of it, as its schema gives it.
 *
 * @param what What it is, for the message.
 * @throws {NotRun} when it does not fit; what the schema itself throws is the callback's failure.
 */
export async function checkOutput(
  { callback: { output, name } }: RunningCall,
  value: unknown,
  what: "the result" | "an item",
): Promise<unknown> {
  try {
    return output === undefined ? value : await validateResult(output, value, `${what} of ${name}`);
  } catch (error) {
    throw error instanceof ValidationError ? new NotRun(error) : error;
  }
}

/** How each item of a stream is checked, if it is to be. */
export function itemCheck(call: RunningCall): ((item: unknown) => Promise<unknown>) | undefined {
  if (call.callback.output === undefined) return undefined;
  return (item) => checkOutput(call, item, "an item");
}
