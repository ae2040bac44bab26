import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import {
  BroadcastError,
  CallCancelledError,
  CallTimeoutError,
  currentCall,
  EncodeError,
  InitializationError,
  PeerLostError,
  RemoteCallError,
} from "../mod.ts";
import { STREAM_WINDOW } from "../src/wire/limits.ts";
import { assertRejectsLater, soon, until } from "./helpers/soon.ts";
import { TestNetwork } from "./helpers/test_network.ts";

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const range = (length: number) => Array.from({ length }, (_, n) => n);

Deno.test("for await reads a generator callback, sync or async, to its end", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("sync", function* (count: number) {
      for (let n = 0; n < count; n++) yield n;
    });
    callback("async", async function* (count: number) {
      for (let n = 0; n < count; n++) yield await Promise.resolve(n);
    });
    callback("wrapped", async (count: number) => {
      await undefined;
      return range(count)[Symbol.iterator]();
    });
    callback("empty", function* () {});
  });
  for (const name of ["sync", "async", "wrapped"]) {
    const all = await soon(collect(net.hub.call[name](2000)));
    assertEquals(all, range(2000), name);
  }
  assertEquals(await soon(collect(net.hub.call.empty())), []);
});

Deno.test("awaiting a generator callback gives an iterator that starts when it is read", async () => {
  let started = false;
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("numbers", function* () {
      started = true;
      yield* [1, 2];
    });
    callback("started", () => started);
  });
  const numbers = await net.hub.call.numbers();
  assertEquals(await net.hub.call.started(), false);
  assertEquals(await collect(numbers), [1, 2]);
  assertEquals(await collect(await net.hub.call.numbers().bg().get()), [1, 2]);
  assertEquals(await collect(await net.hub.call.numbers().fg({ timeout: "5s" })), [1, 2]);
});

Deno.test("leaving the loop stops the producer and runs its finally block", async () => {
  const over = Promise.withResolvers<{ produced: number; aborted: boolean }>();
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("endless", async function* () {
      const { signal } = currentCall()!;
      let produced = 0;
      try {
        for (;;) yield produced++;
      } finally {
        over.resolve({ produced, aborted: signal.aborted });
      }
    });
  });
  for await (const n of net.hub.call.endless()) if (n === 10) break;
  const { produced, aborted } = await soon(over.promise);
  assert(produced >= 11 && produced <= 2 * STREAM_WINDOW, String(produced));
  assertEquals(aborted, true);
});

Deno.test("a producer is not asked for more than the window while nobody reads", async () => {
  let produced = 0;
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("endless", function* () {
      for (;;) yield produced++;
    });
    callback("ping", () => {});
  });
  const numbers = await net.hub.call.endless();
  assertEquals((await numbers.next()).value, 0);
  for (let i = 0; i < 20; i++) await net.hub.call.ping();
  assert(produced <= STREAM_WINDOW + 1, String(produced));
  for (let n = 1; n < 1000; n++) assertEquals((await numbers.next()).value, n);
  assert(produced <= 1000 + STREAM_WINDOW + 1, String(produced));
  await numbers.return();
});

Deno.test("an error of the producer comes after the items before it", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("broken", function* () {
      yield 1;
      yield 2;
      throw new RangeError("no more");
    });
    callback("unsendable", function* () {
      yield 1;
      yield () => {};
    });
  });
  const items: number[] = [];
  const read = async (name: string) => {
    for await (const n of net.hub.call[name]()) items.push(n);
  };
  const error = await assertRejects(() => soon(read("broken")), RemoteCallError, "no more");
  assertEquals([error.remoteName, error.processName, error.callbackName, error.executed], [
    "RangeError",
    "a",
    "broken",
    "yes",
  ]);
  await assertRejects(() => soon(read("unsendable")), EncodeError);
  assertEquals(items, [1, 2, 1]);
});

Deno.test("a timeout and a signal end a stream that is being read", async () => {
  const aborted: unknown[] = [];
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("stuck", async function* () {
      const { signal } = currentCall()!;
      yield 1;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      aborted.push(signal.reason);
    });
  });
  const { stuck } = net.hub.call;
  const late = await stuck().fg({ timeout: 50 });
  assertEquals((await late.next()).value, 1);
  await assertRejects(() => soon(late.next()), CallTimeoutError);
  await until(() => aborted.length === 1);
  const controller = new AbortController();
  const unwanted = await stuck().fg({ signal: controller.signal });
  assertEquals((await unwanted.next()).value, 1);
  controller.abort("enough");
  const error = await assertRejects(() => soon(unwanted.next()), CallCancelledError);
  assertEquals(error.cause, "enough");
  await until(() => aborted.length === 2);
});

Deno.test("a stream fails with PeerLostError when its process leaves in the middle", async () => {
  await using net = await TestNetwork.start();
  const a = await net.join("a", (callback) => {
    callback("stuck", async function* () {
      yield 1;
      await new Promise(() => {});
    });
  });
  const items = await net.hub.call.stuck();
  assertEquals((await items.next()).value, 1);
  const next = assertRejectsLater(() => soon(items.next()));
  await a.stop({ drainTimeout: 10 });
  const error = await next;
  assert(error instanceof PeerLostError || error instanceof CallCancelledError, String(error));
});

Deno.test("iterating over a result that is no stream", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("list", () => [1, 2, 3]);
    callback("number", () => 5);
  });
  assertEquals(await collect(net.hub.call.list()), [1, 2, 3]);
  const error = await assertRejects(() => collect(net.hub.call.number()), EncodeError, "number");
  assertEquals([error.callbackName, error.executed], ["number", "yes"]);
});

Deno.test("iterables among the arguments reach the callback as such, nested ones too", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback(
      "sum",
      async (numbers: AsyncIterable<number>, more: { deep: AsyncIterable<number>[] }) => {
        let sum = 0;
        for await (const n of numbers) sum += n;
        for (const each of more.deep) for await (const n of each) sum += n;
        return sum;
      },
    );
  });
  async function* numbers(count: number) {
    for (let n = 1; n <= count; n++) yield await Promise.resolve(n);
  }
  function* syncNumbers() {
    yield* [10, 20];
  }
  const { sum } = net.hub.call;
  assertEquals(await soon(sum(numbers(1000), { deep: [numbers(2), syncNumbers()] }).fg()), 500_533);
  const stream = new ReadableStream({
    start(controller) {
      controller.enqueue(5);
      controller.close();
    },
  });
  assertEquals(await soon(sum(stream, { deep: [] }).fg()), 5);
});

Deno.test("an iterable argument is read only as far as the callback wants it", async () => {
  let produced = 0;
  const closed = Promise.withResolvers<void>();
  async function* endless() {
    try {
      for (;;) yield produced++;
    } finally {
      closed.resolve();
    }
  }
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("first", async (items: AsyncIterable<number>) => {
      for await (const item of items) return item;
      return "no item";
    });
    callback("ignore", (_items: AsyncIterable<number>) => "not read");
  });
  assertEquals(await soon(net.hub.call.first(endless()).fg()), 0);
  await soon(closed.promise);
  assert(produced <= STREAM_WINDOW + 1, String(produced));
  produced = 0;
  assertEquals(await soon(net.hub.call.ignore(endless()).fg()), "not read");
  assertEquals(produced, 0);
});

Deno.test("an iterable argument that throws breaks the callback's loop", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("read", async (items: AsyncIterable<number>) => {
      try {
        for await (const _ of items);
        return "no error";
      } catch (error) {
        return String((error as Error).message);
      }
    });
  });
  function* broken() {
    yield 1;
    throw new Error("from the source");
  }
  const message: string = await soon(net.hub.call.read(broken()).fg());
  assert(message.includes("from the source"), message);
});

Deno.test("an iterable argument is closed when its call is over before", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("stuck", async (items: AsyncIterableIterator<number>) => {
      await items.next();
      await new Promise((resolve) => currentCall()!.signal.addEventListener("abort", resolve));
    });
  });
  const closed = Promise.withResolvers<void>();
  async function* endless() {
    try {
      for (let n = 0;; n++) yield n;
    } finally {
      closed.resolve();
    }
  }
  const call = net.hub.call.stuck(endless()).fg({ timeout: 50 });
  await assertRejects(() => soon(call), CallTimeoutError);
  await soon(closed.promise);
});

Deno.test("an iterable argument reaches every process of a broadcast", async () => {
  await using net = await TestNetwork.start();
  for (const name of ["a", "b"]) {
    await net.join(
      name,
      (callback) => callback("all", (items: AsyncIterable<number>) => collect(items)),
    );
  }
  const items = range(700);
  const results = await soon(
    net.hub.call.all(items[Symbol.iterator]()).broadcast({ returnResult: true }),
  );
  assertEquals(results, { a: items, b: items });
});

Deno.test("STREAM goes at the pace of the slowest, and on without one that fails", async () => {
  let produced = 0;
  const heard: Record<string, number[]> = { fast: [], slow: [], failing: [] };
  const waiting = Promise.withResolvers<void>();
  await using net = await TestNetwork.start();
  await net.join("fast", (c) => c("take", (n: number) => void heard.fast!.push(n)));
  await net.join("slow", (callback) => {
    callback("take", async (n: number) => {
      heard.slow!.push(n);
      if (n === 3) await waiting.promise;
    });
  });
  await net.join("failing", (callback) => {
    callback("take", (n: number) => {
      heard.failing!.push(n);
      if (n === 2) throw new Error("enough");
    });
  });
  const total = 3 * STREAM_WINDOW;
  function* items() {
    while (produced < total) yield produced++;
  }
  const streamed = net.hub.call.take(items()).stream();
  const failed = assertRejectsLater(() => soon(streamed), BroadcastError);
  await until(() => heard.fast!.length > 4 && heard.slow!.length === 4);
  assert(produced <= 2 * STREAM_WINDOW, String(produced));
  waiting.resolve();
  const error = await failed;
  assertEquals(Object.keys(error.errors), ["failing"]);
  assertEquals(Object.keys(error.results).toSorted(), ["fast", "slow"]);
  assertEquals(heard, { fast: range(total), slow: range(total), failing: [0, 1, 2] });
});

Deno.test("STREAM closes its source when everybody has failed", async () => {
  const closed = Promise.withResolvers<void>();
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("take", () => {
      throw new Error("enough");
    });
  });
  async function* endless() {
    try {
      for (let n = 0;; n++) yield n;
    } finally {
      closed.resolve();
    }
  }
  await assertRejects(() => soon(net.hub.call.take(endless()).stream()), BroadcastError, "enough");
  await soon(closed.promise);
});

Deno.test("STREAM rejects with what its source throws", async () => {
  const reason = new Error("from the source");
  await using net = await TestNetwork.start();
  const heard: number[] = [];
  await net.join("a", (c) => c("take", (n: number) => void heard.push(n)));
  function* broken() {
    yield 1;
    throw reason;
  }
  const error = await assertRejects(() => soon(net.hub.call.take(broken()).stream()));
  assertStrictEquals(error, reason);
  await until(() => heard.length === 1);
});

Deno.test("STREAM wants exactly one iterable, and somebody who takes it", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (c) => c("take", () => {}));
  const { take, nobody } = net.hub.call;
  for (const call of [take(), take(5), take("text"), take(null), take([1], [2]), take({})]) {
    await assertRejects(() => call.stream(), InitializationError, "iterable");
  }
  await assertRejects(() => soon(nobody([1]).stream()), Error, "nobody");
});
