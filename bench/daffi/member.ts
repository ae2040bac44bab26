/** A process with many idle nodes, of which one at a time calls a node of any process. */

import { CallbackRegistry, Global } from "@daffi/core";
import type { Contender } from "../contender.ts";
import { type Meeting, meeting, ready, serveContender, stay } from "../program.ts";
import type { Callee } from "./callbacks.ts";
import { place } from "./place.ts";

const { first, each, nodes } = meeting<Meeting & { first: number; each: number; nodes: number }>();
const globals: Global<Callee>[] = [];
for (let i = 0; i < each; i++) {
  const callbacks = new CallbackRegistry();
  callbacks.callback("add", (a: number, b: number) => a + b);
  const g = new Global<Callee>({ ...place(), processName: `node${first + i}`, callbacks });
  globals.push(g);
  await g.ready; // one after the other: a flood of handshakes is another work
}

const stopAll = () => Promise.all(globals.map((g) => g.stop()));

async function openContender(): Promise<Contender> {
  await Promise.all(globals.map((g) => g.waitProcess(`node${nodes - 1}`)));
  return {
    add(a, b) {
      const from = Math.floor(Math.random() * each);
      const other = (first + from + 1 + Math.floor(Math.random() * (nodes - 1))) % nodes;
      return globals[from]!.call.add(a, b).fg({ to: `node${other}` });
    },
    close: async () => void await stopAll(),
  };
}

if (first === 0) {
  await serveContender(openContender);
} else {
  ready();
  await stay(stopAll);
}
