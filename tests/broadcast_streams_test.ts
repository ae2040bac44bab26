import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  BroadcastError,
  CallCancelledError,
  CallTimeoutError,
  currentCall,
  type Global,
  PeerLostError,
} from "../mod.ts";
import { collectGarbage } from "./helpers/garbage.ts";
import { soon, until } from "./helpers/soon.ts";
import { TestNetwork } from "./helpers/test_network.ts";

interface Remote {
  count(last: number): AsyncIterable<string>;
  mixed(): AsyncIterable<string>;
  double(items: AsyncIterable<number>): AsyncIterable<number>;
}

/** Two processes with generators, of which that of the second gives its first item only, and how they end. */
async function start() {
  const net = await TestNetwork.start();
  const ends: string[] = [];
  const [a, b] = await Promise.all(["a", "b"].map((name) =>
    net.join(name, (callback) => {
      callback("count", async function* (last: number) {
        try {
          for (let n = 1; n <= last; n++) yield `${name}${n}`;
          ends.push(`${name} has counted`);
        } finally {
          ends.push(`${name} ${currentCall()?.signal.aborted ? "was stopped" : "is done"}`);
        }
      });
      callback("mixed", () => {
        if (name === "a") throw new Error("on purpose");
        return [name, name].values();
      });
      callback("double", async function* (items: AsyncIterable<number>) {
        for await (const n of items) yield 2 * n;
        ends.push(name);
      });
    })
  ));
  const g = await net.join<Remote>("main");
  return { net, a: a!, b: b!, g, call: g.call, ends };
}

async function assertNothingLeft(...all: Global[]): Promise<void> {
  await until(() => all.every(({ stats }) => stats.pendingCalls + stats.runningCalls === 0));
}

const all = <T>(items: AsyncIterable<T>): Promise<T[]> => soon(Array.fromAsync(items));

Deno.test("a broadcast to generators gives a stream for each process", async () => {
  const { net, a, b, g, call, ends } = await start();
  await using _ = net;
  const streams = await call.count(3).broadcast({ returnResult: true });
  assertEquals(Object.keys(streams).sort(), ["a", "b"]);
  assertEquals(ends, [], "nothing begins before it is read");
  assertEquals(await all(streams.b!), ["b1", "b2", "b3"]);
  assertEquals([g.stats.pendingCalls, a.stats.runningCalls, b.stats.runningCalls], [1, 1, 0]);
  assertEquals(await all(streams.a!), ["a1", "a2", "a3"]);
  await assertNothingLeft(g as Global, a, b);
  assertEquals(ends, ["b has counted", "b is done", "a has counted", "a is done"]);
});

Deno.test("the streams of a broadcast count as pending calls of their processes", async () => {
  const { net, a, b, g, call } = await start();
  await using _ = net;
  const streams = await call.count(3).broadcast({ returnResult: true });
  await streams.b!.return!();
  for (let times = 0; times < 20; times++) {
    const [first] = await all(await call.count(1).fg({ strategy: "least-pending" }));
    assertEquals(first, "b1");
  }
  await streams.a!.return!();
  await assertNothingLeft(g as Global, a, b);
});

Deno.test("leaving the stream of one process leaves those of others alone", async () => {
  const { net, a, b, g, call, ends } = await start();
  await using _ = net;
  const streams = await call.count(5_000).broadcast({ returnResult: true });
  for await (const item of streams.a!) if (item === "a2") break;
  await until(() => a.stats.runningCalls === 0);
  assertEquals(ends, ["a was stopped"]);
  assertEquals((await all(streams.b!)).length, 5_000);
  await assertNothingLeft(g as Global, a, b);
});

Deno.test("a process that stops ends its own stream of a broadcast, and no other", async () => {
  const { net, a, b, g, call } = await start();
  await using _ = net;
  const { a: ofA, b: ofB } = await call.count(5_000).broadcast({ returnResult: true });
  await ofA!.next();
  await a.stop({ drainTimeout: 10 });
  const error = await assertRejects(() => all(ofA!), CallCancelledError);
  assertEquals([error.processName, error.executed], ["a", "maybe"]);
  assertEquals((await all(ofB!)).length, 5_000);
  await assertNothingLeft(g as Global, b);
});

Deno.test("the streams of a broadcast end with the connection, the time and the signal", async () => {
  const { net, a, b, g, call, ends } = await start();
  await using _ = net;
  const open = async (options: { timeout?: number; signal?: AbortSignal }) => {
    const streams = await call.count(1e9).broadcast({ returnResult: true, ...options });
    await Promise.all([streams.a!.next(), streams.b!.next()]);
    return [streams.a!, streams.b!];
  };
  for (const stream of await open({ timeout: 500 })) {
    await assertRejects(() => all(stream), CallTimeoutError);
  }
  const controller = new AbortController();
  const cancelled = await open({ signal: controller.signal });
  controller.abort();
  for (const stream of cancelled) await assertRejects(() => all(stream), CallCancelledError);
  await assertNothingLeft(g as Global, a, b);
  assertEquals(ends.sort().filter((end) => end.includes("stopped")), [
    ...["a was stopped", "a was stopped", "b was stopped", "b was stopped"],
  ]);
  const lost = await open({});
  await net.hub.stop({ drainTimeout: 10 });
  for (const stream of lost) await assertRejects(() => all(stream), PeerLostError);
  await assertNothingLeft(g as Global);
});

Deno.test("a broadcast of which a process failed gives the streams of the others", async () => {
  const { net, a, b, g, call } = await start();
  await using _ = net;
  const error = await assertRejects(
    () => soon(call.mixed().broadcast({ returnResult: true })),
    BroadcastError,
  );
  assertEquals([Object.keys(error.results), Object.keys(error.errors)], [["b"], ["a"]]);
  assertEquals(await all(error.results.b as AsyncIterable<string>), ["b", "b"]);
  await assertNothingLeft(g as Global, a, b);
});

Deno.test("an iterable among the arguments of a broadcast goes on while results are read", async () => {
  const { net, a, b, g, call, ends } = await start();
  await using _ = net;
  const numbers = Array.from({ length: 3_000 }, (_, n) => n);
  const streams = await call.double(numbers.values()).broadcast({ returnResult: true });
  const [ofA, ofB] = await Promise.all([all(streams.a!), all(streams.b!)]);
  assertEquals([ofA.length, ofB.length, ofA.at(-1)], [3_000, 3_000, 5_998]);
  await call.double(numbers.values()).broadcast(); // they run to their ends, too
  await assertNothingLeft(g as Global, a, b);
  assertEquals([ends.sort(), g.stats.droppedCalls], [["a", "a", "b", "b"], 0]);
});

Deno.test("streams of a broadcast that nobody reads end when they are garbage", async () => {
  const { net, a, b, g, call, ends } = await start();
  await using _ = net;
  const forget = async () => {
    const { a: ofA } = await call.count(1e9).broadcast({ returnResult: true });
    await ofA!.next();
  };
  await forget();
  await until(() => {
    collectGarbage();
    return g.stats.pendingCalls === 0;
  });
  await assertNothingLeft(a, b);
  assert(ends.includes("a was stopped"));
});
