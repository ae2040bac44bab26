import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  CallCancelledError,
  CallTimeoutError,
  currentCall,
  EncodeError,
  PeerLostError,
  RemoteCallError,
} from "../mod.ts";
import { MAX_STREAM_WINDOW, STREAM_WINDOW } from "../src/wire/limits.ts";
import { silentSource } from "./helpers/silent_source.ts";
import { assertRejectsLater, soon, until } from "./helpers/soon.ts";
import { TestNetwork } from "./helpers/test_network.ts";

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
    const all = await soon(Array.fromAsync(net.hub.call[name](2000)));
    assertEquals(all, range(2000), name);
  }
  assertEquals(await soon(Array.fromAsync(net.hub.call.empty())), []);
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
  assertEquals(await Array.fromAsync(numbers), [1, 2]);
  assertEquals(await Array.fromAsync(await net.hub.call.numbers().bg().get()), [1, 2]);
  assertEquals(await Array.fromAsync(await net.hub.call.numbers().fg({ timeout: "5s" })), [1, 2]);
});

Deno.test("a generator that is stopped while it awaits knows of its call when it cleans up", async () => {
  const goOn = Promise.withResolvers<void>();
  const cleaned = Promise.withResolvers<(string | undefined)[]>();
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("numbers", async function* () {
      const { signal } = currentCall()!;
      signal.addEventListener("abort", () => setTimeout(goOn.resolve));
      const callers = [];
      try {
        yield 1;
        await goOn.promise;
        yield 2;
      } finally {
        callers.push(currentCall()?.caller);
        await undefined;
        callers.push(currentCall()?.caller);
        cleaned.resolve(callers);
      }
    });
  });
  for await (const n of net.hub.call.numbers()) if (n === 1) break;
  assertEquals(await soon(cleaned.promise), ["hub", "hub"]);
});

Deno.test("a source whose next item never comes is ended all the same", async () => {
  const ended = Promise.withResolvers<void>();
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("numbers", () => silentSource(ended.resolve));
  });
  for await (const n of net.hub.call.numbers()) if (n === 1) break;
  await soon(ended.promise);
});

Deno.test("what came before the loop was left is not there for the next one", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("numbers", function* () {
      yield* [1, 2, 3];
    });
    callback("first", async (items: AsyncIterable<number>) => {
      for await (const item of items) if (item === 2) break;
      return await Array.fromAsync(items);
    });
  });
  const numbers = net.hub.call.numbers()[Symbol.asyncIterator]();
  assertEquals(await numbers.next(), { done: false, value: 1 });
  await net.hub.call.numbers(); // its answer comes behind all of the first
  await numbers.return!();
  assertEquals(await numbers.next(), { done: true, value: undefined });
  assertEquals(await soon(net.hub.call.first([1, 2, 3].values())), []);
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
  assert(produced <= 1000 + MAX_STREAM_WINDOW + 1, String(produced));
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

Deno.test("what a generator throws is its own, though it be an EncodeError", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("calls on", async function* () {
      yield 1;
      yield await currentCall()!.g.call["calls on"](Symbol());
    });
  });
  const error = await assertRejects(
    () => Array.fromAsync(net.hub.call["calls on"]()),
    RemoteCallError,
  );
  assertEquals(error.remoteName, "EncodeError");
});

Deno.test("an iterator that gives what is no result breaks its stream off", async () => {
  const wrong = () => ({
    [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve(5) }),
  });
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("wrong", wrong);
    callback("read", async (items: AsyncIterable<unknown>) => {
      for await (const _ of items);
    });
  });
  for (
    const use of [
      () => Array.fromAsync(net.hub.call.wrong()),
      () => net.hub.call.read(wrong()).fg(),
    ]
  ) {
    await assertRejects(() => soon(use()), RemoteCallError, "Iterator result 5 is not an object");
  }
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
  const late = await stuck().fg({ timeout: 500 });
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

Deno.test("a stream that its caller has given up ends at once, whatever came and was not read", async () => {
  let given = 0;
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("endless", function* () {
      for (;;) yield given++;
    });
  });
  const controller = new AbortController();
  const items = await net.hub.call.endless().fg({ signal: controller.signal });
  assertEquals((await items.next()).value, 0);
  await until(() => given >= STREAM_WINDOW);
  assertEquals((await items.next()).value, 1);
  controller.abort();
  await assertRejects(() => soon(items.next()), CallCancelledError);
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
  assertEquals(await Array.fromAsync(net.hub.call.list()), [1, 2, 3]);
  const error = await assertRejects(
    () => Array.fromAsync(net.hub.call.number()),
    EncodeError,
    "number",
  );
  assertEquals([error.callbackName, error.executed], ["number", "yes"]);
});
