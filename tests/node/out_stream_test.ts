import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { CallTimeoutError } from "../../mod.ts";
import { type ConsumerLink, OutStream } from "../../src/node/out_stream.ts";
import { MAX_STREAM_WINDOW } from "../../src/wire/limits.ts";
import type { Streamable } from "../../src/wire/streamable.ts";
import { settled } from "../helpers/soon.ts";

class Consumers {
  readonly told: string[] = [];
  readonly closed = new Map<number, PromiseWithResolvers<void>>();
  runs = 0;

  readonly link: ConsumerLink = {
    encode: (item) => {
      if (typeof item === "symbol") throw new TypeError("cannot travel");
      return typeof item === "number" ? new Uint8Array(item) : new Uint8Array(1);
    },
    item: (peer, payload) => this.told.push(`item ${peer} ${payload.length}`),
    end: (peer) => this.told.push(`end ${peer}`),
    fail: (peer, error) => this.told.push(`fail ${peer} ${(error as Error).message}`),
    abandon: (peer, reason) => this.told.push(`abandon ${peer} ${reason.message}`),
    ready: (peer) => this.closed.get(peer)?.promise,
    run: (fn) => {
      this.runs++;
      return fn();
    },
  };

  start(source: Streamable, ...peers: number[]): OutStream {
    const stream = new OutStream(source, this.link);
    stream.start(peers);
    return stream;
  }
}

/** A source that tells how far it was read and whether it was closed. */
class Source {
  read = 0;
  closed = 0;
  opened = 0;

  constructor(readonly length = Infinity) {}

  *[Symbol.iterator](): Generator<string> {
    this.opened++;
    try {
      while (this.read < this.length) {
        this.read++;
        yield "item";
      }
    } finally {
      this.closed++;
    }
  }
}

/** The same, asynchronous. */
class AsyncSource {
  readonly inner: Source;

  constructor(length = Infinity) {
    this.inner = new Source(length);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<string> {
    yield* this.inner;
  }
}

Deno.test("OutStream does not touch its source before the first credit", async () => {
  const consumers = new Consumers();
  const source = new Source();
  const stream = consumers.start(source, 1);
  await settled();
  assertEquals([source.opened, consumers.told], [0, []]);
  stream.cancel();
  await stream.finished;
  await settled();
  assertEquals([source.opened, source.closed], [0, 0]);
});

for (const [kind, make] of [["sync", Source], ["async", AsyncSource]] as const) {
  Deno.test(`OutStream reads a ${kind} source no further than the credits allow`, async () => {
    const consumers = new Consumers();
    const source = new make();
    const facts = source instanceof AsyncSource ? source.inner : source;
    const stream = consumers.start(source, 1);
    for (const credits of [3, 1, 10]) {
      const before = facts.read;
      stream.credit(1, credits);
      await settled();
      await settled();
      assertEquals(facts.read, before + credits);
      assertEquals(consumers.told.length, facts.read);
    }
    stream.cancel();
    await settled();
    assertEquals(facts.closed, 1);
  });

  Deno.test(`OutStream tells the end of a ${kind} source`, async () => {
    const consumers = new Consumers();
    const stream = consumers.start(new make(2), 1);
    stream.credit(1, 10);
    await stream.finished;
    assertEquals(consumers.told, ["item 1 1", "item 1 1", "end 1"]);
  });
}

Deno.test("OutStream takes no more credits than a consumer may have under way", async () => {
  const consumers = new Consumers();
  const source = new Source(10 * MAX_STREAM_WINDOW);
  const stream = consumers.start(source, 1);
  stream.credit(1, 0xffffffff);
  stream.credit(1, 0xffffffff);
  await settled();
  assertEquals(source.read, MAX_STREAM_WINDOW);
  stream.credit(1, 0xffffffff);
  await settled();
  assertEquals(source.read, 2 * MAX_STREAM_WINDOW);
  stream.cancel();
});

Deno.test("OutStream charges large items and lets the last one overdraw", async () => {
  const consumers = new Consumers();
  const stream = consumers.start([100_000, 1, 1], 1);
  stream.credit(1, 1);
  await settled();
  assertEquals(consumers.told, ["item 1 100000"]);
  stream.credit(1, 24);
  await settled();
  assertEquals(consumers.told.length, 1);
  stream.credit(1, 1);
  await settled();
  assertEquals(consumers.told.length, 2);
  stream.cancel();
});

Deno.test("OutStream sends an item to all consumers once all of them have credit", async () => {
  const consumers = new Consumers();
  const source = new Source();
  const stream = consumers.start(source, 1, 2, 3);
  stream.credit(1, 10);
  stream.credit(2, 2);
  await settled();
  assertEquals(source.read, 0);
  stream.credit(3, 1);
  await settled();
  assertEquals(consumers.told, ["item 1 1", "item 2 1", "item 3 1"]);
  stream.drop(3);
  await settled();
  assertEquals(consumers.told.slice(3), ["item 1 1", "item 2 1"]);
  assertEquals(source.closed, 0);
  stream.drop(2);
  await settled();
  assertEquals(consumers.told.length, 3 + 2 + 8);
  stream.drop(1);
  await stream.finished;
  await settled();
  assertEquals([source.closed, consumers.told.includes("end 1")], [1, false]);
});

Deno.test("OutStream waits until every consumer takes frames", async () => {
  const consumers = new Consumers();
  const source = new Source();
  const closed = Promise.withResolvers<void>();
  consumers.closed.set(2, closed);
  const stream = consumers.start(source, 1, 2);
  stream.credit(1, 5);
  stream.credit(2, 5);
  await settled();
  assertEquals(source.read, 0);
  consumers.closed.delete(2);
  closed.resolve();
  await settled();
  assertEquals(source.read, 5);
  stream.cancel();
});

Deno.test("OutStream goes on when a consumer that takes no frames wants no more", async () => {
  const consumers = new Consumers();
  const source = new Source();
  consumers.closed.set(2, Promise.withResolvers());
  const stream = consumers.start(source, 1, 2);
  stream.credit(1, 5);
  stream.credit(2, 5);
  await settled();
  assertEquals(source.read, 0);
  stream.drop(2);
  await settled();
  assertEquals(source.read, 5);
  stream.cancel();
});

Deno.test("OutStream ignores credit of somebody who is no consumer", async () => {
  const consumers = new Consumers();
  const source = new Source();
  const stream = consumers.start(source, 1);
  stream.credit(7, 100);
  stream.drop(7);
  await settled();
  assertEquals(source.read, 0);
  stream.drop(1);
  stream.credit(1, 100);
  await settled();
  assertEquals(consumers.told, []);
});

Deno.test("OutStream is over at once when there are no consumers", async () => {
  const source = new Source();
  await new Consumers().start(source).finished;
  assertEquals(source.opened, 0);
});

Deno.test("OutStream tells all consumers when its source throws, and rejects", async () => {
  const consumers = new Consumers();
  const error = new Error("broke");
  const stream = consumers.start(
    (function* () {
      yield "item";
      throw error;
    })(),
    1,
    2,
  );
  stream.credit(1, 5);
  stream.credit(2, 5);
  assertStrictEquals(await assertRejects(() => stream.finished), error);
  assertEquals(consumers.told, ["item 1 1", "item 2 1", "fail 1 broke", "fail 2 broke"]);
});

Deno.test("OutStream closes its source when an item cannot travel", async () => {
  const consumers = new Consumers();
  let closed = false;
  const stream = consumers.start(
    (async function* () {
      try {
        yield Symbol("s");
        yield "never";
      } finally {
        closed = true;
      }
    })(),
    1,
  );
  stream.credit(1, 5);
  await assertRejects(() => stream.finished, TypeError);
  await settled();
  assertEquals([closed, consumers.told], [true, ["fail 1 cannot travel"]]);
});

Deno.test("cancel() sends nothing more, also of an item that was being made", async () => {
  const consumers = new Consumers();
  const item = Promise.withResolvers<string>();
  let closed = false;
  const stream = consumers.start(
    (async function* () {
      try {
        yield await item.promise;
      } finally {
        closed = true;
      }
    })(),
    1,
  );
  stream.credit(1, 5);
  await settled();
  stream.cancel();
  let finished = false;
  stream.finished.then(() => finished = true);
  await settled();
  assertEquals([finished, closed], [false, false]);
  item.resolve("late");
  await stream.finished;
  assertEquals([consumers.told, closed], [[], true]);
});

Deno.test("abandon() tells all consumers why, and closes the source", async () => {
  const consumers = new Consumers();
  const source = new Source();
  const stream = consumers.start(source, 1, 2);
  stream.credit(1, 1);
  stream.credit(2, 1);
  await settled();
  stream.abandon(new CallTimeoutError("too long"));
  stream.abandon(new CallTimeoutError("again"));
  await stream.finished;
  await settled();
  assertEquals(consumers.told.slice(2), ["abandon 1 too long", "abandon 2 too long"]);
  assertEquals(source.closed, 1);
});

Deno.test("cancel() swallows what the source's clean-up throws", async () => {
  const consumers = new Consumers();
  const stream = consumers.start(
    (function* () {
      try {
        yield "item";
      } finally {
        // deno-lint-ignore no-unsafe-finally -- this is what is tested
        throw new Error("clean-up");
      }
    })(),
    1,
  );
  stream.credit(1, 1);
  await settled();
  stream.cancel();
  await stream.finished;
  await settled();
  assertEquals(consumers.told, ["item 1 1"]);
});

Deno.test("OutStream waits for promises among the items of a sync source", async () => {
  const consumers = new Consumers();
  const stream = consumers.start([Promise.resolve(7), 2], 1);
  stream.credit(1, 5);
  await stream.finished;
  assertEquals(consumers.told, ["item 1 7", "item 1 2", "end 1"]);
});

Deno.test("OutStream reads and closes the source in its scope", async () => {
  const consumers = new Consumers();
  const stream = consumers.start(new Source(), 1);
  stream.credit(1, 2);
  await settled();
  assertEquals(consumers.runs, 1);
  stream.cancel();
  await settled();
  assertEquals(consumers.runs, 2);
});

Deno.test("start() after cancel() does nothing", async () => {
  const consumers = new Consumers();
  const source = new Source();
  const stream = new OutStream(source, consumers.link);
  stream.cancel();
  stream.start([1]);
  stream.credit(1, 5);
  await settled();
  assertEquals([source.opened, consumers.told], [0, []]);
});

Deno.test("OutStream waits once for a consumer that takes no frames, however often it grants more", async () => {
  const consumers = new Consumers();
  const { link } = consumers;
  let asked = 0;
  const taken = Promise.withResolvers<void>();
  const ready = (): Promise<void> | undefined => ++asked > 0 ? taken.promise : undefined;
  const stream = new OutStream([1], { ...link, ready });
  stream.start([1]);
  for (let i = 0; i < 10; i++) {
    stream.credit(1, 1);
    await settled();
  }
  assertEquals(asked, 1);
  stream.cancel();
  await stream.finished;
});

function* fails(): Generator {
  yield "item";
  throw new RangeError("no more");
}

for (
  const [kind, source] of [["a", fails], ["an async", async function* () {
    yield* fails();
  }]] as const
) {
  Deno.test(`OutStream tells what ${kind} generator throws to its consumers alone`, async () => {
    const consumers = new Consumers();
    const unheard: unknown[] = [];
    const stream = new OutStream(source(), {
      ...consumers.link,
      unheard: (error) => unheard.push(error),
    });
    stream.start([1]);
    stream.credit(1, 10);
    await assertRejects(() => stream.finished, RangeError);
    await settled();
    assertEquals([consumers.told, unheard], [["item 1 1", "fail 1 no more"], []]);
  });
}

Deno.test("OutStream tells nothing of what its source does after cancel()", async () => {
  for (const end of ["resolve", "reject"] as const) {
    const consumers = new Consumers();
    const gone = Promise.withResolvers<void>();
    const source = async function* () {
      await gone.promise;
      yield* [];
    };
    const stream = consumers.start(source(), 1);
    stream.credit(1, 5);
    await settled();
    stream.cancel();
    gone[end]();
    await stream.finished;
    await settled();
    assertEquals(consumers.told, [], end);
  }
});
