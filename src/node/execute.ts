/**
 * Runs a callback for a call: validation before and after, once or for each item.
 *
 * @module
 */

import { type DaffiError, ProtocolError, ValidationError } from "../errors.ts";
import { keepScope, runInScope, runOnStack } from "../internal/call_scope.ts";
import { isA } from "../internal/is_a.ts";
import { nextTurn } from "../internal/next_turn.ts";
import { showError } from "../internal/show.ts";
import {
  type StandardSchema,
  validateArguments,
  validateResult,
} from "../registry/standard_schema.ts";
import { Flag } from "../wire/frame.ts";
import { releaseSources } from "../wire/sources.ts";
import { isStream, type Streamable } from "../wire/streamable.ts";
import { InStream } from "./in_stream.ts";
import type { RunningCall } from "./running_call.ts";

/** Of a generator whose items nobody wants. */
const ITEMS_PER_TURN = 256;

/** Thrown for a call that failed on this side of its callback. */
export class NotRun {
  /** @param error What its caller gets. */
  constructor(readonly error: DaffiError) {}
}

/**
 * Runs the callback.
 *
 * @returns Its result; a promise only if the callback, or a check, takes more than this turn.
 * @throws {NotRun} when this node, and not the callback, failed the call; anything else is what
 * the callback threw.
 */
export function execute(call: RunningCall): unknown {
  const { callback } = call;
  const problem = callback.problem();
  if (problem !== undefined) throw new NotRun(problem);
  if ((call.flags & Flag.Each) !== 0) return runInScope(call, () => each(call));
  if (isChecked(call)) return runInScope(call, () => checked(call, call.args));
  // Elsewhere than in the connection's read loop there is no spare context to keep.
  const inReadLoop = callback.concurrency === Infinity && !call.isTask;
  if (callback.timing === "at once" && inReadLoop) return runAtOnce(call);
  const result = runInScope(call, () => invoke(call, call.args));
  if (callback.timing === "unknown") {
    callback.timing = result instanceof Promise ? "later" : "at once";
  }
  return result;
}

/**
 * A callback that has always been done when it returned runs without an asynchronous context of its
 * own; one that returns a promise after all keeps the one that it was run in.
 */
function runAtOnce(call: RunningCall): unknown {
  const result = runOnStack(call, () => invoke(call, call.args));
  if (!(result instanceof Promise)) return result;
  call.callback.timing = "later";
  keepScope(call);
  return result;
}

function invoke(call: RunningCall, args: unknown[]): unknown {
  const result = call.callback.invoke(args);
  const isThenable = typeof result === "object" && result !== null && "then" in result &&
    typeof result.then === "function";
  // What it does when it is waited for, a `RemoteCall` for example, is part of the call too.
  return isThenable ? Promise.resolve(result) : result;
}

function isChecked({ callback: { input, output } }: RunningCall): boolean {
  return input !== undefined || output !== undefined;
}

async function checked(call: RunningCall, args: unknown[]): Promise<unknown> {
  const { input, output, name, takesOne } = call.callback;
  try {
    if (input !== undefined) args = await validateArguments(input, args, name, takesOne);
  } catch (error) {
    throw new NotRun(error instanceof ValidationError ? error : schemaThrew(error, name));
  }
  const result = await invoke(call, args);
  if (output === undefined) return result;
  if (isStream(result)) return checkedItems(result, output, name);
  return await checkedOutput(output, result, `the result of ${name}`);
}

/** Of a stream each item is a result. */
async function* checkedItems(
  items: Streamable,
  output: StandardSchema,
  name: string,
): AsyncGenerator<unknown> {
  for await (const item of items) yield await checkedOutput(output, item, `an item of ${name}`);
}

async function checkedOutput(
  output: StandardSchema,
  value: unknown,
  what: string,
): Promise<unknown> {
  try {
    return await validateResult(output, value, what);
  } catch (error) {
    throw asRefusal(error);
  }
}

async function each(call: RunningCall): Promise<void> {
  const [items] = call.args;
  if (!(items instanceof InStream) || call.args.length !== 1) {
    throw new NotRun(new ProtocolError("A streamed call must have one iterable as its argument"));
  }
  const run = isChecked(call) ? checked : invoke;
  let hasRun = false;
  try {
    for await (const item of items) {
      if (call.aborted) return;
      let result = run(call, [item]);
      if (result instanceof Promise) result = await result;
      if (isStream(result)) await useUp(call, result);
      hasRun = true;
    }
  } catch (error) {
    if (hasRun && isA(error, NotRun)) Object.assign(error.error, { executed: "yes" });
    throw error;
  }
}

/** Runs a generator to its end: its items go nowhere, what it does on the way is wanted. */
export async function useUp(call: RunningCall, source: Streamable): Promise<void> {
  if (call.aborted) return releaseSources([source]);
  let items = 0;
  for await (const _ of source) {
    if (++items % ITEMS_PER_TURN === 0) await nextTurn(); // one without end must not stop the process
    if (call.aborted) break;
  }
}

/** The schema of the arguments has failed itself, so the callback has not run. */
function schemaThrew(cause: unknown, name: string): ValidationError {
  const message = `Cannot call ${name}: its schema has thrown ${showError(cause)}`;
  return new ValidationError(message, [], { executed: "never", cause });
}

/** What a schema itself throws is the callback's failure, what it finds wrong is a refusal. */
function asRefusal(error: unknown): unknown {
  return error instanceof ValidationError ? new NotRun(error) : error;
}
