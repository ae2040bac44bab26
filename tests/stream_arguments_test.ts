import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import {
  BroadcastError,
  CallCancelledError,
  CallTimeoutError,
  currentCall,
  EncodeError,
  InitializationError,
  RemoteCallError,
  ValidationError,
} from "../mod.ts";
import { STREAM_WINDOW } from "../src/wire/limits.ts";
import { assertRejectsLater, soon, until } from "./helpers/soon.ts";
import { TestNetwork } from "./helpers/test_network.ts";

const range = (length: number) => Array.from({ length }, (_, n) => n);

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

Deno.test("a callback whose call was cancelled gets no more of its arguments, whatever came", async () => {
  const heard: unknown[] = [];
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("consume", async (items: AsyncIterableIterator<number>) => {
      const { signal } = currentCall()!;
      heard.push((await items.next()).value, (await items.next()).value);
      begin();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      heard.push(await items.next().catch((error) => error === signal.reason));
    });
  });
  let given = 0;
  function* numbers() {
    for (;;) yield given++;
  }
  const controller = new AbortController();
  const call = net.hub.call.consume(numbers()).fg({ signal: controller.signal });
  const refused = assertRejects(() => call, CallCancelledError);
  await soon(begun);
  await until(() => given >= STREAM_WINDOW);
  controller.abort();
  await refused;
  await until(() => heard.length === 3);
  assertEquals(heard, [0, 1, true]);
});

Deno.test("a call among the arguments is made first, of a call without answer too", async () => {
  const ran: number[] = [];
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("square", (n: number) => {
      ran.push(n);
      return n * n;
    });
  });
  const { call } = net.hub;
  await call.square(call.square(2)).noReturn();
  await until(() => ran.length === 2);
  await call.square(call.square(3)).noReturn({ eta: 1 });
  await until(() => ran.length === 4);
  assertEquals(ran, [2, 4, 3, 9]);
  await call.square(call.nothing()).noReturn();
  assertEquals([ran.length, net.hub.stats.droppedCalls], [4, 1]);
});

Deno.test("a call among the arguments is made first, be its result a value or a stream", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("add", (a: number, b: number) => a + b);
    callback("fail", () => {
      throw new RangeError("inner");
    });
    callback("count", function* (to: number) {
      for (let n = 1; n <= to; n++) yield n;
    });
    callback("sum", async (numbers: AsyncIterable<number>) => {
      let sum = 0;
      for await (const n of numbers) sum += n;
      return sum;
    });
  });
  const { add, fail, count, sum } = net.hub.call;
  assertEquals(await soon(add(add(1, 2), add(add(1, 1), 2)).fg()), 7);
  assertEquals(await soon(add(1, add(1, 1)).bg({ eta: 1 }).get()), 3);
  assertEquals(await soon(add(1, add(1, 1)).broadcast({ returnResult: true })), { a: 3 });
  assertEquals(await soon(sum(count(4)).fg()), 10);
  assertEquals(await soon(Array.fromAsync(count(add(1, 1)))), [1, 2]);
  await assertRejects(() => add(fail(), 1).fg(), RemoteCallError, "inner");
  for (const call of [add({ deep: add(1, 2) }, 1), sum([count(1)])]) {
    await assertRejects(
      () => call.fg(),
      EncodeError,
      "is a call that was not made; await it first",
    );
  }
  const controller = new AbortController();
  const given = add(add(1, 2), 3).fg({ signal: controller.signal });
  controller.abort(new Error("enough"));
  await assertRejects(() => given, CallCancelledError);
});

Deno.test("a plain object that gives items is an iterable too, as an argument and as a result", async () => {
  const ones = (count: number): Iterable<number> => ({
    [Symbol.iterator]() {
      let left = count;
      return { next: () => left-- > 0 ? { value: 1 } : { value: undefined, done: true } };
    },
  });
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("collect", (items: AsyncIterable<unknown>) => Array.fromAsync(items));
    callback("ones", ones);
  });
  assertEquals(await soon(net.hub.call.collect(ones(3))), [1, 1, 1]);
  assertEquals(await soon(Array.fromAsync(net.hub.call.ones(2))), [1, 1]);
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
  assertEquals(message, "hub threw Error: from the source");
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
  const call = net.hub.call.stuck(endless()).fg({ timeout: 500 });
  await assertRejects(() => soon(call), CallTimeoutError);
  await soon(closed.promise);
});

Deno.test("an iterable argument reaches every process of a broadcast", async () => {
  await using net = await TestNetwork.start();
  for (const name of ["a", "b"]) {
    await net.join(
      name,
      (callback) => callback("all", (items: AsyncIterable<number>) => Array.fromAsync(items)),
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

Deno.test("STREAM goes on without a process that leaves, one item at a time", async () => {
  const heard: number[] = [];
  let running = 0;
  let most = 0;
  await using net = await TestNetwork.start();
  const leaving = Promise.withResolvers<void>();
  await net.join("stays", (callback) => {
    callback("take", async (n: number) => {
      most = Math.max(most, ++running);
      await Promise.resolve();
      heard.push(n);
      running--;
    });
  });
  const a = await net.join("leaves", (callback) => {
    callback("take", async (n: number) => {
      if (n !== 1) return;
      leaving.resolve();
      await new Promise(() => {});
    });
  });
  const items = range(2 * STREAM_WINDOW);
  const streamed = net.hub.call.take(items).stream();
  const failed = assertRejectsLater(() => soon(streamed), BroadcastError);
  await leaving.promise;
  await a.stop({ drainTimeout: 5 });
  const error = await failed;
  assertEquals([Object.keys(error.errors), Object.keys(error.results)], [["leaves"], ["stays"]]);
  assertEquals([heard, most], [items, 1]);
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

Deno.test("a loop over an argument that is left running behind the answer gets an error", async () => {
  const outcomes: Promise<number>[] = [];
  const read = (items: AsyncIterable<number>) => {
    const all = Array.fromAsync(items).then((all) => all.length);
    all.catch(() => {});
    outcomes.push(all);
  };
  const output = {
    "~standard": { version: 1, vendor: "test", validate: () => ({ issues: [{ message: "no" }] }) },
  } as const;
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("accept", (items: AsyncIterable<number>) => {
      read(items);
      return "accepted";
    });
    callback("refuse", (items: AsyncIterable<number>) => {
      read(items);
      throw new RangeError("refused");
    });
    callback("misfit", (items: AsyncIterable<number>) => {
      read(items);
      return "misfit";
    }, { output });
  });
  const { accept, refuse, misfit } = net.hub.call;
  assertEquals(await soon(accept(range(1000).values()).fg()), "accepted");
  await assertRejects(() => soon(refuse(range(1000).values()).fg()), RemoteCallError, "refused");
  await assertRejects(() => soon(misfit(range(1000).values()).fg()), ValidationError);
  for (const [i, name] of ["accept", "refuse", "misfit"].entries()) {
    const error = await assertRejects(
      () => soon(outcomes[i]!),
      CallCancelledError,
      `The call of ${name} was answered: streams of its arguments end with it`,
    );
    assertEquals([error.callbackName, error.callId! > 0, error.executed], [name, true, "yes"]);
  }
});

Deno.test("an argument that has come to its end, or was left, ends quietly behind the answer", async () => {
  const kept: AsyncIterableIterator<number>[] = [];
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("begin", async (items: AsyncIterableIterator<number>, more: AsyncIterable<number>) => {
      assertEquals((await items.next()).value, 0);
      for await (const n of more) if (n === 3) break; // what the other gives is there by now
      kept.push(items, more as AsyncIterableIterator<number>);
    });
  });
  const { begin } = net.hub.call;
  await soon(begin(range(3).values(), range(1000).values()).fg());
  assertEquals(await soon(Array.fromAsync(kept[0]!)), [1, 2]);
  assertEquals(await soon(Array.fromAsync(kept[1]!)), []);
});
