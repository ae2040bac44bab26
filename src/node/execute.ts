/**
 * Runs a callback for a call: validation before and after, once or for each item.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import { keepScope, runInScope, runOnStack } from "../internal/call_scope.ts";
import { isA } from "../internal/is_a.ts";
import { Flag } from "../wire/frame.ts";
import { isStream } from "../wire/streamable.ts";
import { checkArguments, checkOutput, isChecked, NotRun } from "./checks.ts";
import { InStream } from "./in_stream.ts";
import type { RunningCall } from "./running_call.ts";
import { useUp } from "./unread_stream.ts";

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
  if ((call.flags & Flag.Each) !== 0) return runApart(call, each);
  if (isChecked(call)) return runApart(call, checkedCall);
  // Elsewhere than in the connection's read loop there is no spare context to keep.
  const inReadLoop = callback.concurrency === Infinity && !call.isTask;
  if (callback.timing === "at once" && inReadLoop) return runAtOnce(call);
  const result = runApart(call, plainCall);
  if (callback.timing === "unknown") {
    callback.timing = result instanceof Promise ? "later" : "at once";
  }
  return result;
}

/** In an asynchronous context of its own. */
function runApart(call: RunningCall, run: (call: RunningCall) => unknown): unknown {
  return runInScope(call, () => run(call));
}

/**
 * A callback that has always been done when it returned runs without an asynchronous context of its
 * own; one that returns a promise after all keeps the one that it was run in.
 */
function runAtOnce(call: RunningCall): unknown {
  const result = runOnStack(call, plainCall);
  if (!(result instanceof Promise)) return result;
  call.callback.timing = "later";
  keepScope(call);
  return result;
}

function plainCall(call: RunningCall): unknown {
  return invoke(call, call.takeArgs());
}

function checkedCall(call: RunningCall): unknown {
  return checked(call, call.takeArgs());
}

function invoke(call: RunningCall, args: unknown[]): unknown {
  const result = call.callback.invoke(args);
  const isThenable = typeof result === "object" && result !== null && "then" in result &&
    typeof result.then === "function";
  // What it does when it is waited for, a `RemoteCall` for example, is part of the call too.
  return isThenable ? Promise.resolve(result) : result;
}

async function checked(call: RunningCall, args: unknown[]): Promise<unknown> {
  const given = checkArguments(call, args);
  const result = await invoke(call, given instanceof Promise ? await given : given);
  // Of a stream it is the items that are checked, by whoever reads them.
  return isStream(result) ? result : await checkOutput(call, result, "the result");
}

async function each(call: RunningCall): Promise<void> {
  const [items, ...others] = call.takeArgs();
  if (!(items instanceof InStream) || others.length > 0) {
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
