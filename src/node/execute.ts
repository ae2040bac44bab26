/**
 * Runs a callback for a call: validation before and after, once or for each item.
 *
 * @module
 */

import { type DaffiError, ProtocolError, ValidationError } from "../errors.ts";
import { runInScope } from "../internal/call_scope.ts";
import { validateArguments, validateResult } from "../registry/standard_schema.ts";
import { Flag } from "../wire/frame.ts";
import { isStreamable } from "../wire/streamable.ts";
import { InStream } from "./in_stream.ts";
import type { RunningCall } from "./running_call.ts";

/** Thrown for a call that failed on this side of its callback. */
export class Refusal {
  /** @param error What its caller gets. */
  constructor(readonly error: DaffiError) {}
}

/**
 * Runs the callback.
 *
 * @returns Its result; a promise only if the callback, or a check, takes more than this turn.
 * @throws {Refusal} when this node, and not the callback, failed the call; anything else is what
 * the callback threw.
 */
export function execute(call: RunningCall): unknown {
  const problem = call.callback.problem();
  if (problem !== undefined) throw new Refusal(problem);
  if ((call.flags & Flag.Each) !== 0) return each(call);
  const { input, output } = call.callback;
  if (input !== undefined || output !== undefined) return checked(call, call.args);
  return invoke(call, call.args);
}

function invoke(call: RunningCall, args: unknown[]): unknown {
  return runInScope(call, () => call.callback.invoke(args));
}

async function checked(call: RunningCall, args: unknown[]): Promise<unknown> {
  const { input, output, name } = call.callback;
  try {
    if (input !== undefined) args = await validateArguments(input, args, name);
  } catch (error) {
    throw asRefusal(error);
  }
  const result = await invoke(call, args);
  if (output === undefined) return result;
  // A stream's items are checked by whoever reads them: the schema describes a whole result.
  if (typeof result === "object" && result !== null && isStreamable(result)) return result;
  try {
    return await validateResult(output, result, name);
  } catch (error) {
    throw asRefusal(error);
  }
}

async function each(call: RunningCall): Promise<void> {
  const [items] = call.args;
  if (!(items instanceof InStream) || call.args.length !== 1) {
    throw new Refusal(new ProtocolError("A streamed call must have one iterable as its argument"));
  }
  const { input, output } = call.callback;
  for await (const item of items) {
    if (call.aborted) return;
    const result = input !== undefined || output !== undefined
      ? checked(call, [item])
      : invoke(call, [item]);
    if (result instanceof Promise) await result;
  }
}

/** What a schema itself throws is the callback's failure, what it finds wrong is a refusal. */
function asRefusal(error: unknown): unknown {
  return error instanceof ValidationError ? new Refusal(error) : error;
}
