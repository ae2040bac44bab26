import { assertEquals, assertRejects } from "@std/assert";
import { z } from "zod";
import { CallTimeoutError, currentCall, RemoteCallError } from "../mod.ts";
import { soon, until } from "./helpers/soon.ts";
import { TestNetwork } from "./helpers/test_network.ts";

/** Which call code is part of, and which is not; and in which order calls begin. */

Deno.test("a generator among the arguments is part of the call that made it, in every way to call", async () => {
  const callers = new Map<string, unknown>();
  await using net = await TestNetwork.start();
  await net.join("inner", (callback) => {
    callback("take", async (items: AsyncIterable<number>) => {
      for await (const _ of items);
    });
    callback("put", (_: number) => {});
  });
  await net.join("outer", (callback) => {
    callback("outer", async () => {
      const { g } = currentCall()!;
      const items = async function* (way: string): AsyncGenerator<number> {
        yield 1;
        callers.set(way, currentCall()?.caller);
      };
      await g.call.take(items("fg"));
      await g.call.take(items("broadcast")).broadcast({ returnResult: true });
      await g.call.put(items("stream")).stream();
    });
  });
  await soon(net.hub.call.outer());
  assertEquals([...callers], [["fg", "hub"], ["broadcast", "hub"], ["stream", "hub"]]);
});

Deno.test("callbacks with a schema that answers at once start in the order of the calls", async () => {
  const started: string[] = [];
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("checked", (n: number) => void started.push(`checked ${n}`), {
      input: z.number(),
      output: z.void(),
    });
    callback("plain", (n: number) => void started.push(`plain ${n}`));
  });
  const { call } = net.hub;
  for (let n = 0; n < 5; n++) {
    call.checked(n).noReturn();
    call.plain(n).noReturn();
  }
  await until(() => started.length === 10);
  assertEquals(started, [0, 1, 2, 3, 4].flatMap((n) => [`checked ${n}`, `plain ${n}`]));
});

Deno.test("a stream among the arguments that has come whole is read to its end after its call was given up", async () => {
  const ended = Promise.withResolvers<number[]>();
  const begun = Promise.withResolvers<void>();
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("take", async (items: AsyncIterable<number>) => {
      const { signal } = currentCall()!;
      const taken: number[] = [];
      for await (const item of items) {
        if (taken.push(item) === 1) {
          begun.resolve();
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
        }
      }
      ended.resolve(taken);
    });
  });
  const sent = Promise.withResolvers<void>();
  const items = (function* () {
    try {
      yield* [1, 2, 3, 4, 5];
    } finally {
      sent.resolve();
    }
  })();
  const call = assertRejects(() => net.hub.call.take(items).fg({ timeout: 200 }), CallTimeoutError);
  await soon(Promise.all([begun.promise, sent.promise]));
  await call;
  assertEquals(await soon(ended.promise), [1, 2, 3, 4, 5]);
});

Deno.test("a stream that fails is told to its caller alone, whatever kind it is", async () => {
  await using net = await TestNetwork.start();
  const a = await net.join("a", (callback) => {
    callback("broken", () =>
      new ReadableStream({
        start: (controller) => controller.enqueue(1),
        pull: (controller) => controller.error(new RangeError("the disk broke")),
      }));
    callback("unreadable", () => ({
      [Symbol.asyncIterator]() {
        throw new RangeError("not now");
      },
    }));
  });
  for (const name of ["broken", "unreadable"]) {
    await assertRejects(async () => {
      for await (const _ of net.hub.call[name]());
    }, RemoteCallError);
  }
  await until(() => a.stats.runningCalls === 0);
  assertEquals([a.stats.failedCalls, net.logger.has("nobody waits for")], [0, false]);
});

Deno.test("what a generator throws whose caller has left is counted and logged, though it wanted no answer", async () => {
  const left = Promise.withResolvers<void>();
  await using net = await TestNetwork.start();
  const a = await net.join("a", (callback) => {
    callback("items", async function* () {
      yield 1;
      await left.promise;
      throw new RangeError("cannot clean up");
    });
  });
  const b = await net.join("b");
  await b.call.items().noReturn();
  await until(() => a.stats.runningCalls === 1);
  await b.stop();
  left.resolve();
  await until(() => a.stats.failedCalls === 1 && a.stats.runningCalls === 0);
  assertEquals(net.logger.has("cannot clean up"), true);
});

Deno.test("a broadcast without results lets generators run to their end, though one process fails", async () => {
  let taken = 0;
  await using net = await TestNetwork.start();
  const a = await net.join("a", (callback) => {
    callback("f", async function* (items: AsyncIterable<number>) {
      for await (const item of items) {
        taken++;
        yield item;
      }
    });
  });
  await net.join("b", (callback) => {
    callback("f", () => {
      throw new Error("not here");
    });
  });
  await net.hub.call.f((function* () {
    yield* Array(10).keys();
  })()).broadcast();
  await until(() => taken === 10 && a.stats.runningCalls === 0);
  await until(() => net.hub.stats.pendingCalls === 0);
});

Deno.test("whoever changes registeredCallbacks harms nobody but himself", async () => {
  await using net = await TestNetwork.start();
  const b = await net.join("b");
  await net.join("a", (callback) => callback("f", () => new Promise(() => {})));
  const call = b.call.f().bg();
  Object.assign(b.registeredCallbacks, { x: 5, a: undefined });
  await net.hub.stop({ drainTimeout: 10 });
  await assertRejects(() => soon(call.get()), Error, "lost");
});
