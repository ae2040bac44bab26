import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  CallbackNotFoundError,
  DaffiError,
  EncodeError,
  type Global,
  type RemoteCall,
} from "../mod.ts";
import { soon, until } from "./helpers/soon.ts";
import { TestNetwork } from "./helpers/test_network.ts";

/** An endless source that counts how often it is ended. */
class Source implements AsyncIterableIterator<number> {
  returned = 0;
  #next = 0;

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<number>> {
    return Promise.resolve({ done: false, value: this.#next++ });
  }

  return(): Promise<IteratorResult<number>> {
    this.returned++;
    return Promise.reject(new Error("nobody hears of this"));
  }
}

type Call = (call: Global["call"], source: Source) => PromiseLike<unknown>;

const aborted = AbortSignal.abort();
const fail = (call: RemoteCall<unknown>) => call.fg();

/** Ways in which a source is not used up. */
const CALLS: Readonly<Record<string, Call>> = {
  "the callback does not read": (call, source) => call.ignore(source),
  "the callback does not read, deep among the arguments": (call, source) =>
    call.ignore({ deep: [source] }),
  "the callback reads in part": (call, source) => call.first(source),
  "the callback throws": (call, source) => fail(call.refuse(source)),
  "nobody offers the callback": (call, source) => call.nobody(source),
  "nobody offers the callback of a broadcast": (call, source) => call.nobody(source).broadcast(),
  "nobody offers the callback of a call without answer": (call, source) =>
    call.nobody(source).noReturn(),
  "nobody offers the callback of STREAM": (call, source) => call.nobody(source).stream(),
  "its process is not there": (call, source) => call.ignore(source).fg({ to: "x" }),
  "an argument before it cannot travel": (call, source) => call.ignore(() => {}, source),
  "an argument after it cannot travel": (call, source) => call.ignore(source, () => {}),
  "an argument of a call without answer cannot travel": (call, source) =>
    call.ignore(() => {}, source).noReturn(),
  "an argument of a broadcast cannot travel": (call, source) =>
    call.ignore(() => {}, source).broadcast(),
  "the call is cancelled already": (call, source) => call.ignore(source).fg({ signal: aborted }),
  "a broadcast is cancelled already": (call, source) =>
    call.ignore(source).broadcast({ signal: aborted }),
  "the call is cancelled before its time": (call, source) => {
    const future = call.ignore(source).bg({ eta: "1h" });
    future.cancel();
    return future.get();
  },
  "a call among the arguments fails": (call, source) => call.ignore(call.nobody(), source),
};

for (const [name, make] of Object.entries(CALLS)) {
  Deno.test(`a source is ended, once, when ${name}`, async () => {
    await using net = await TestNetwork.start();
    await net.join("a", (callback) => {
      callback("ignore", () => {});
      callback("first", async (items: AsyncIterable<number>) => {
        for await (const _ of items) break;
      });
      callback("refuse", (_items: AsyncIterable<number>) => {
        throw new RangeError("refused");
      });
    });
    const source = new Source();
    await soon(make(net.hub.call, source)).catch((error) => {
      if (!(error instanceof DaffiError)) throw error;
    });
    await until(() => source.returned > 0);
    await net.hub.call.ignore();
    assertEquals(source.returned, 1);
  });
}

Deno.test("a source is ended, once, when the Global is stopped, or has given up", async () => {
  await using net = await TestNetwork.start();
  const stopped = await net.join("stopped");
  await stopped.stop();
  const lost = await net.join("lost", () => {}, { reconnect: false });
  const waiting = lost.waitFunction("ignore").catch(() => {});
  await net.hub.stop();
  await soon(waiting); // it has given up
  for (const { call } of [stopped, lost]) {
    for (const how of ["fg", "noReturn", "broadcast", "stream"] as const) {
      const source = new Source();
      await soon(call.ignore(source)[how]()).catch(() => {});
      await until(() => source.returned > 0);
      assertEquals(source.returned, 1, how);
    }
  }
});

Deno.test("a ReadableStream and a generator that nobody reads are released", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => callback("ignore", () => {}));
  let cancelled = 0;
  const stream = () => new ReadableStream({ cancel: () => void cancelled++ });
  async function* generator() {
    yield 1;
  }
  const items = generator();
  await soon(net.hub.call.ignore(stream(), items).fg());
  await soon(net.hub.call.nobody(stream()).fg()).catch(() => {});
  await until(() => cancelled === 2);
  assertEquals(await items.next(), { done: true, value: undefined });
});

Deno.test("a ReadableStream whose next item is awaited is cancelled when the call is over", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("first", async (items: AsyncIterable<number>) => {
      for await (const item of items) return item;
      return undefined;
    });
    callback("quiet", () => quiet("result"));
  });
  const cancelled: string[] = [];
  const quiet = (name: string) =>
    new ReadableStream<number>({
      start: (controller) => controller.enqueue(1),
      cancel: () => void cancelled.push(name),
    });
  assertEquals(await soon(net.hub.call.first(quiet("answered")).fg()), 1);
  await until(() => cancelled.length === 1);
  for await (const item of net.hub.call.quiet()) if (item === 1) break;
  await until(() => cancelled.length === 2);
  assertEquals(cancelled, ["answered", "result"]);
});

Deno.test("an iterator that a call has taken is refused by the next one, and not sent as empty", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("collect", async (items: AsyncIterable<number>) => await Array.fromAsync(items));
  });
  const { call } = net.hub;
  function* numbers() {
    yield* [1, 2, 3];
  }
  const sources = [
    numbers(),
    (async function* () {
      yield* numbers();
    })(),
    ReadableStream.from(numbers()),
  ];
  for (const [i, source] of sources.entries()) {
    const first = i === 0 ? call.nobody(source) : call.collect(source);
    await soon(first.fg()).catch((error) => assertEquals(error.executed, "never"));
    const error = await assertRejects(() => soon(call.collect(source).fg()), EncodeError);
    assertEquals([error.executed, error.callbackName], ["never", "collect"]);
    assertMatch(error.message, /whose items a call has taken/);
  }
  const again = { [Symbol.asyncIterator]: () => numbers() as unknown as AsyncIterator<number> };
  for (let i = 0; i < 2; i++) assertEquals(await soon(call.collect(again)), [1, 2, 3]);
});

Deno.test("a stream that comes for a call whose other arguments failed is ended", async () => {
  const go = Promise.withResolvers<void>();
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("late", async () => {
      await go.promise;
      return (async function* () {
        for (let n = 0;; n++) yield n;
      })();
    });
    callback("join", () => {});
  });
  const { call } = net.hub;
  const failed = call.join(call.nobody(), call.late());
  await assertRejects(() => soon(failed.fg()), CallbackNotFoundError);
  go.resolve();
  await until(() => net.hub.stats.pendingCalls === 0);
  assertEquals(net.logger.lines, []); // not just because it is garbage by now
});
