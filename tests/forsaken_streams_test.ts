import { assertEquals } from "@std/assert";
import { collectGarbage } from "./helpers/garbage.ts";
import { soon, until } from "./helpers/soon.ts";
import { TestNetwork } from "./helpers/test_network.ts";

/** A process `a` that offers streams. */
async function start() {
  const net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("numbers", function* () {
      for (let n = 0;; n++) yield n;
    }, { concurrency: 1 });
    const { promise, resolve } = Promise.withResolvers<void>();
    callback("later", async function* () {
      await promise;
      yield "late";
    });
    callback("release", resolve);
    callback("ping", () => {});
  });
  const calls = () => net.hub.stats.pendingCalls;
  return { net, call: net.hub.call, calls };
}

// deno-lint-ignore no-explicit-any -- as `g.call` gives it
type Call = any;

/** In functions of their own, so that no variable of the test holds what they get. */
const FORGETTING: Readonly<Record<string, (call: Call) => Promise<unknown>>> = {
  "that nobody iterates": (call) => call.numbers(),
  "whose future nobody looks at": (call) => {
    call.numbers().bg();
    return call.ping();
  },
  "whose iterator was read and dropped": async (call) => {
    const items = await call.numbers();
    await items.next();
  },
  "whose call was iterated by hand and dropped": async (call) => {
    await call.numbers()[Symbol.asyncIterator]().next();
  },
};

for (const [name, forget] of Object.entries(FORGETTING)) {
  Deno.test(`a stream ${name} ends on both sides, and is told of once`, async () => {
    const { net, call, calls } = await start();
    await using _ = net;
    await soon(forget(call).then(() => {}));
    await until(() => {
      collectGarbage();
      return calls() === 0;
    });
    // The turn of the one that was forgotten is free.
    for await (const n of call.numbers()) if (n === 3) break;
    const told = net.logger.lines.filter((line) => line.includes("numbers"));
    assertEquals(told, [
      "warn daffi: items were dropped that nobody can read any more: those of numbers on a",
    ]);
  });
}

Deno.test("a stream goes on as long as somebody waits for an item, or will", async () => {
  const { net, call, calls } = await start();
  await using _ = net;
  const waiting: Promise<unknown> = (await call.later()).next();
  const held = await call.numbers();
  const future = call.later().bg();
  for (let i = 0; i < 10; i++) {
    collectGarbage();
    await call.ping();
  }
  assertEquals(calls(), 3);
  await call.release();
  assertEquals(await soon(waiting), { done: false, value: "late" });
  assertEquals(await held.next(), { done: false, value: 0 });
  assertEquals(await (await future.get()).next(), { done: false, value: "late" });
  await held.return();
  assertEquals(net.logger.has("numbers"), false);
});

Deno.test("a stream that was read to its end, or left, is told of to nobody", async () => {
  const { net, call, calls } = await start();
  await using _ = net;
  await call.release();
  for await (const _ of call.later());
  for await (const n of await call.numbers()) if (n === 3) break;
  for (let i = 0; i < 10; i++) {
    collectGarbage();
    await call.ping();
  }
  assertEquals([calls(), net.logger.lines], [0, []]);
});
