/**
 * Streams that nobody reads: generators that are called without answer, or run by themselves.
 *
 * @module
 */

import { runInScope } from "../internal/call_scope.ts";
import { nextTurn } from "../internal/next_turn.ts";
import type { Streamable } from "../wire/streamable.ts";
import { itemCheck } from "./checks.ts";
import { type ConsumerLink, OutStream } from "./out_stream.ts";
import type { RunningCall } from "./running_call.ts";

/** What they all take together in a turn of the event loop: one without end must not stop the process. */
const ITEMS_PER_TURN = 64;

const NOBODY = 0;
const NOTHING = new Uint8Array();

/** Those that have had their turn, in the order in which they have the next. */
const waiting: (() => void)[] = [];

function nextShare(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) share();
  });
}

async function share(): Promise<void> {
  while (waiting.length > 0) {
    await nextTurn();
    waiting.shift()!();
  }
}

/**
 * Reads a stream for what its source does on the way.
 *
 * @returns Settles when it is over, or the call is; rejects with what the source throws.
 */
export function useUp(call: RunningCall, source: Streamable): Promise<void> {
  const ignore = () => {};
  let items = 0;
  const link: ConsumerLink = {
    ...{ end: ignore, fail: ignore, abandon: ignore, check: itemCheck(call) },
    item: () => stream.credit(NOBODY, 1),
    encode: () => NOTHING,
    ready: () => ++items % ITEMS_PER_TURN === 0 ? nextShare() : undefined,
    run: (fn) => runInScope(call, fn),
    unheard: (error) => call.reply.failure(call, error),
  };
  const stream = call.resultStream = new OutStream(source, link);
  if (call.aborted) stream.cancel();
  else stream.start([NOBODY]);
  stream.credit(NOBODY, 1);
  return stream.finished;
}
