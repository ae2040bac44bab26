/**
 * A process with several nodes, of those that a broadcast goes to: all offer `sum50`, the first ten
 * of all processes `sum10` as well.
 */

import { CallbackRegistry, Global } from "@daffi/core";
import { type Meeting, meeting, ready, stay } from "../program.ts";
import { place } from "./place.ts";

const { first, nodes } = meeting<Meeting & { first: number; nodes: number }>();
const sum = (a: number, b: number) => a + b;
const globals = Array.from({ length: nodes }, (_, i) => {
  const callbacks = new CallbackRegistry();
  callbacks.callback("add", sum);
  callbacks.callback("sum50", sum);
  if (first + i < 10) callbacks.callback("sum10", sum);
  return new Global({ ...place(), processName: `crowd${first + i}`, callbacks });
});
await Promise.all(globals.map((g) => g.ready));
ready();
await stay(() => Promise.all(globals.map((g) => g.stop())));
