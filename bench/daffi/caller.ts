/** The process that calls, alone or with the Controller in it. Uses what `mod.ts` exports. */

import { CallbackRegistry, Global } from "@daffi/core";
import type { Contender } from "../contender.ts";
import { type Meeting, meeting, serveContender } from "../program.ts";
import type { Callee } from "./callbacks.ts";
import { place } from "./place.ts";

const { withController = false } = meeting<Meeting & { withController?: boolean }>();
const g = new Global<Callee>({
  ...place(),
  processName: "caller",
  initController: withController,
  callbacks: new CallbackRegistry(),
});
await g.ready;
let sent = 0;

const contender: Contender = {
  add: (a, b) => g.call.add(a, b),
  echo: (value) => g.call.echo(value),
  echoBytes: (bytes) => g.call.echoBytes(bytes),
  async oneWay(count) {
    for (let n = 1; n <= count; n++) {
      const handedOver = g.call.count(1).noReturn();
      if (n % 256 === 0) await handedOver;
    }
    sent += count;
    const counted = await g.call.counted(); // behind all of them
    if (counted !== sent) throw new Error(`${sent} calls were sent, ${counted} arrived`);
  },
  async download(count) {
    let expected = 0;
    for await (const n of g.call.items(count)) if (n === expected) expected++;
    if (expected !== count) throw new Error(`Of ${count} items ${expected} came`);
  },
  async upload(count) {
    const taken = await g.call.take(numbers(count));
    if (taken !== count) throw new Error(`Of ${count} items ${taken} arrived`);
  },
  async broadcast(targets) {
    const results = await g.call[`sum${targets}`](1, 2).broadcast({ returnResult: true });
    return Object.keys(results).length;
  },
  close: () => g.stop(),
};

function* numbers(count: number): Generator<number> {
  for (let n = 0; n < count; n++) yield n;
}

await serveContender(async () => {
  await g.waitFunction("add");
  return contender;
}, { port: g.port });
