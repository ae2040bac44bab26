/**
 * Looking at what has come in while there is much else to do.
 *
 * @module
 */

import { monotonicMs } from "./monotonic.ts";

/** So long may pass without a look. */
const WITHIN_MS = 50;
/** Deno looks in each 61st turn alone while they follow each other, however long they take: so many that take no time. */
const TURNS = 64;

type SetImmediate = (callback: () => void) => unknown;

/** As it is when this is loaded: these turns are no other's. A page has none, and looks in every turn. */
const { setImmediate } = globalThis as { setImmediate?: SetImmediate };

let lookedAt = 0;

/** Resolves when what has come in was looked at; nothing if that is not long ago. */
export function lookAtInput(): Promise<void> | undefined {
  if (setImmediate === undefined || monotonicMs() - lookedAt < WITHIN_MS) return undefined;
  return look(setImmediate);
}

async function look(setImmediate: SetImmediate): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  lookedAt = monotonicMs();
}
