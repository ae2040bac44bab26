import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ProtocolError } from "../../mod.ts";
import { itemCost } from "../../src/node/credit.ts";
import { InStream } from "../../src/node/in_stream.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { type Frame, frame, Kind } from "../../src/wire/frame.ts";
import { concerning } from "../../src/internal/concerning.ts";
import { MAX_STREAM_WINDOW, STREAM_WINDOW } from "../../src/wire/limits.ts";

class Producer {
  credits: number[] = [];
  stops = 0;
  overs = 0;
  readonly stream = new InStream({
    credit: (credits) => this.credits.push(credits),
    stop: () => this.stops++,
    over: () => this.overs++,
    locate: (error) => concerning(error, { processName: "p" }),
  });

  get granted(): number {
    return this.credits.reduce((sum, credits) => sum + credits, 0);
  }
}

const item = (value: unknown) => ({ done: false, value }) as const;
const DONE = { done: true, value: undefined } as const;

/** A codec that counts what it decodes. */
class CountingCodec extends MessagePackCodec {
  decoded = 0;

  override decodePayload(incoming: Frame): unknown {
    this.decoded++;
    return super.decodePayload(incoming);
  }
}

Deno.test("InStream asks for nothing before it is read", () => {
  const producer = new Producer();
  assertEquals(producer.credits, []);
  producer.stream.next();
  producer.stream.next();
  assertEquals(producer.credits, [STREAM_WINDOW]);
});

Deno.test("InStream grants what was taken whenever half of the window is used up", async () => {
  const producer = new Producer();
  producer.stream.start();
  const half = STREAM_WINDOW / 2;
  for (let i = 0; i < STREAM_WINDOW; i++) producer.stream.push(i, 1);
  for (let i = 0; i < STREAM_WINDOW - 1; i++) {
    assertEquals(await producer.stream.next(), item(i));
    assertEquals(producer.credits.length, i + 1 < half ? 1 : 2);
  }
  producer.stream.push("more", 1);
  await producer.stream.next();
  assertEquals(producer.credits, [STREAM_WINDOW, half, half]);
});

for (
  const [reader, left, window] of [
    ["takes all there is", 0, MAX_STREAM_WINDOW],
    ["always leaves something", 1, STREAM_WINDOW],
  ] as const
) {
  Deno.test(`InStream has ${window} items under way for a reader that ${reader}`, async () => {
    const producer = new Producer();
    producer.stream.start();
    let sent = 0;
    let taken = 0;
    let underWay = 0;
    while (taken < 20 * MAX_STREAM_WINDOW) {
      underWay = Math.max(underWay, producer.granted - taken);
      while (sent < producer.granted) producer.stream.push(sent++, 1);
      for (; taken < sent - left; taken++) await producer.stream.next();
    }
    assertEquals(underWay, window);
  });
}

Deno.test("InStream gives items to readers who wait, in order", async () => {
  const { stream } = new Producer();
  const reads = [stream.next(), stream.next(), stream.next()];
  stream.push("a", 1);
  stream.push("b", 1);
  stream.finish();
  assertEquals(await Promise.all(reads), [item("a"), item("b"), DONE]);
});

Deno.test("InStream gives what came before the end, then the end, for ever", async () => {
  const producer = new Producer();
  const { stream } = producer;
  stream.start();
  stream.push("a", 1);
  stream.finish();
  assertEquals(producer.overs, 1);
  assertEquals([await stream.next(), await stream.next(), await stream.next()], [
    item("a"),
    DONE,
    DONE,
  ]);
  assertEquals(producer.stops, 0);
});

Deno.test("InStream gives what came before a failure, throws it once, and is finished", async () => {
  const { stream } = new Producer();
  stream.start();
  const error = new Error("broke");
  stream.push("a", 1);
  stream.fail(error);
  stream.fail(new Error("again"));
  assertEquals(await stream.next(), item("a"));
  assertStrictEquals(await assertRejects(() => stream.next()), error);
  assertEquals(await stream.next(), DONE);
});

Deno.test("InStream tells the first of several readers of a failure, and the others the end", async () => {
  const { stream } = new Producer();
  const [first, second] = [stream.next(), stream.next()];
  stream.fail(new Error("broke"));
  await assertRejects(() => first, Error, "broke");
  assertEquals(await second, DONE);
});

Deno.test("return() drops what came, tells the producer once and ends waiting reads", async () => {
  const producer = new Producer();
  const { stream } = producer;
  const read = stream.next();
  stream.push("a", 1);
  const waiting = stream.next();
  assertEquals(await stream.return(), DONE);
  assertEquals(await stream.return(), DONE);
  assertEquals([await read, await waiting, await stream.next()], [item("a"), DONE, DONE]);
  assertEquals([producer.stops, producer.overs], [1, 1]);
  stream.push("late", 1);
  assertEquals(await stream.next(), DONE);
});

Deno.test("return() before the first read stops the producer without a credit", async () => {
  const producer = new Producer();
  await producer.stream.return();
  assertEquals([producer.stops, producer.credits], [1, []]);
  assertEquals(await producer.stream.next(), DONE);
  assertEquals(producer.credits, []);
});

Deno.test("return() drops what came before the end, and why it was one", async () => {
  for (const end of ["finish", "fail"] as const) {
    const { stream } = new Producer();
    const first = stream.next();
    for (const value of [1, 2, 3]) stream.push(value, 0);
    stream[end](new Error("late"));
    assertEquals([await first, await stream.next()], [item(1), item(2)]);
    assertEquals(await stream.return(), DONE);
    assertEquals(await stream.next(), DONE);
  }
});

Deno.test("return() after the end tells the producer nothing", async () => {
  const producer = new Producer();
  producer.stream.finish();
  await producer.stream.return();
  assertEquals([producer.stops, producer.overs], [0, 1]);
});

Deno.test("push() refuses an item of a producer that sends more than it may", () => {
  const producer = new Producer();
  const { stream } = producer;
  assertThrows(() => stream.push("unasked", 1), ProtocolError);
  assertEquals(producer.stops, 1);
});

Deno.test("push() takes one item larger than what is left, and none after it", async () => {
  const { stream } = new Producer();
  stream.start();
  stream.push("large", STREAM_WINDOW * 4096 * 2);
  assertThrows(() => stream.push("one too many", 1), ProtocolError);
  assertEquals(await stream.next(), item("large"));
});

Deno.test("InStream never has more under way than the window and one item", async () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 40_000 }), { minLength: 1, maxLength: 600 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.infiniteStream(fc.boolean()), async (sizes, reads) => {
      const producer = new Producer();
      const { stream } = producer;
      stream.start();
      let spent = 0;
      let next = 0;
      let taken = 0;
      let takenCost = 0;
      while (taken < sizes.length) {
        const maySend = producer.granted - spent > 0 && next < sizes.length;
        if (maySend && (taken === next || reads.next().value)) {
          spent += itemCost(sizes[next]!);
          stream.push(next, sizes[next]!);
          next++;
        } else {
          assertEquals(await stream.next(), item(taken));
          takenCost += itemCost(sizes[taken]!);
          taken++;
        }
        assertEquals(producer.granted - takenCost <= STREAM_WINDOW, true);
      }
    }),
    { numRuns: 30 },
  );
});

Deno.test("InStream grants more to a producer that is always waited for", async () => {
  const producer = new Producer();
  const { stream } = producer;
  for (let i = 0; i < 3 * STREAM_WINDOW; i++) {
    const next = stream.next();
    stream.push(i, 1);
    assertEquals(await next, item(i));
  }
  assert(producer.granted > 3 * STREAM_WINDOW);
});

Deno.test("cancel() drops what came", async () => {
  const { stream } = new Producer();
  stream.start();
  stream.push(1, 1);
  stream.cancel(() => new RangeError("answered"));
  await assertRejects(() => stream.next(), RangeError);
});

Deno.test("InStream grants nothing for what is taken after the end", async () => {
  const producer = new Producer();
  producer.stream.start();
  for (let i = 0; i < STREAM_WINDOW; i++) producer.stream.push(i, 1);
  producer.stream.finish();
  for (let i = 0; i < STREAM_WINDOW; i++) await producer.stream.next();
  assertEquals(producer.credits, [STREAM_WINDOW]);
});

Deno.test("accept() decodes what is awaited or small at once, and what is large when it is taken", async () => {
  const codec = new CountingCodec();
  const { stream } = new Producer();
  const [small, large] = [["x"], ["x".repeat(1000)]];
  const receive = (value: unknown) => {
    const payload = codec.encode(value, "item").slice();
    stream.accept(codec, frame(Kind.Item, { payload }));
    payload.fill(0xc1); // what a connection reads into is used again
  };
  const awaited = stream.next();
  receive(large);
  assertEquals([codec.decoded, await awaited], [1, item(large)]);
  receive(small);
  assertEquals(codec.decoded, 2);
  for (let i = 0; i < 10; i++) receive(large);
  assertEquals([codec.decoded, await stream.next(), codec.decoded], [2, item(small), 2]);
  assertEquals([await stream.next(), codec.decoded], [item(large), 3]);
});

for (const ended of [false, true]) {
  const when = ended ? "when it has ended" : "before its end";
  Deno.test(`InStream breaks off ${when} at a large item that cannot be decoded`, async () => {
    const codec = new CountingCodec();
    const producer = new Producer();
    const { stream } = producer;
    stream.start();
    stream.push("before", 1);
    stream.accept(codec, frame(Kind.Item, { payload: new Uint8Array(1000).fill(0xc1) }));
    stream.push("behind", 1);
    if (ended) stream.finish();
    assertEquals(await stream.next(), item("before"));
    const error = await assertRejects(() => stream.next(), ProtocolError);
    assertEquals([error.processName, producer.stops, producer.overs], ["p", ended ? 0 : 1, 1]);
    assertEquals(await stream.next(), DONE);
  });
}
