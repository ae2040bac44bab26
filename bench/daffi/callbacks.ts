/**
 * What the callee offers.
 *
 * @module
 */

import { CallbackRegistry } from "@daffi/core";

/** What callers know of it; the last two belong to the crowd. */
export interface Callee {
  add(a: number, b: number): number;
  echo(value: unknown): unknown;
  echoBytes(bytes: Uint8Array): Uint8Array;
  count(n: number): void;
  counted(): number;
  items(count: number): Generator<number>;
  take(items: AsyncIterable<number>): Promise<number>;
  sum10(a: number, b: number): number;
  sum50(a: number, b: number): number;
}

/** A registry with all of it. */
export function calleeCallbacks(): CallbackRegistry {
  const callbacks = new CallbackRegistry();
  let sum = 0;
  callbacks.callback("add", (a: number, b: number) => a + b);
  callbacks.callback("echo", (value: unknown) => value);
  callbacks.callback("echoBytes", (bytes: Uint8Array) => bytes);
  callbacks.callback("count", (n: number) => void (sum += n));
  callbacks.callback("counted", () => sum);
  callbacks.callback("items", function* (count: number) {
    for (let n = 0; n < count; n++) yield n;
  });
  callbacks.callback("take", async (items: AsyncIterable<number>) => {
    let taken = 0;
    for await (const n of items) if (n === taken) taken++;
    return taken;
  });
  return callbacks;
}
