import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { SpareBuffers } from "../../src/link/spare_buffers.ts";
import { MIN_SHARED_BYTES, WriteQueue } from "../../src/link/write_queue.ts";
import { frame, Kind } from "../../src/wire/frame.ts";
import { HEADER_BYTES } from "../../src/wire/limits.ts";
import { anyFrame, concat, payloadOf, toBytes } from "../wire/frames.ts";

function takeAll(queue: WriteQueue): Uint8Array[] {
  return Array.from((function* () {
    for (let piece = queue.next(); piece !== undefined; piece = queue.next()) yield piece;
  })());
}

Deno.test("WriteQueue gives all frames in order, however they are taken (property)", () => {
  const rounds = fc.array(fc.array(anyFrame, { maxLength: 12 }), { maxLength: 5 });
  fc.assert(
    fc.property(rounds, (rounds) => {
      const queue = new WriteQueue();
      for (const frames of rounds) {
        const wanted = concat(frames.map(toBytes));
        for (const each of frames) queue.add(each);
        assertEquals(queue.bytes, wanted.length);
        const pieces = takeAll(queue);
        assertEquals(queue.bytes, wanted.length);
        assertEquals(concat(pieces), wanted);
        for (const piece of pieces) queue.written(piece);
        assertEquals(queue.bytes, 0);
      }
    }),
    { numRuns: 60 },
  );
});

Deno.test("WriteQueue packs small frames into one piece", () => {
  const queue = new WriteQueue();
  const frames = Array.from(
    { length: 1000 },
    (_, i) => frame(Kind.Item, { call: i + 1, payload: payloadOf(50, i) }),
  );
  for (const each of frames) queue.add(each);
  const pieces = takeAll(queue);
  assertEquals(pieces.length, 1);
  assertEquals(pieces[0]!, concat(frames.map(toBytes)));
});

Deno.test("WriteQueue begins a new piece before one grows without end", () => {
  const queue = new WriteQueue();
  const each = frame(Kind.Item, { call: 1, payload: payloadOf(30_000) });
  for (let i = 0; i < 100; i++) queue.add(each);
  const pieces = takeAll(queue);
  assert(pieces.length > 1);
  for (const { buffer } of pieces) assert(buffer.byteLength <= 256 * 1024);
  assertEquals(concat(pieces), concat(Array(100).fill(toBytes(each))));
});

for (const size of [0, 1, 4096, 250_000, 262_120, 262_121, 262_144, 1_000_000]) {
  Deno.test(`WriteQueue copies a payload of ${size} bytes at once`, () => {
    const queue = new WriteQueue();
    const payload = payloadOf(size);
    const frames = [1, 2, 3].map((call) => frame(Kind.Call, { call, payload }));
    const wanted = concat(frames.map(toBytes));
    for (const each of frames) queue.add(each);
    payload.fill(0);
    const pieces = takeAll(queue);
    assertEquals(concat(pieces), wanted);
    for (const { buffer } of pieces) assert(buffer.byteLength <= 256 * 1024);
  });
}

Deno.test("WriteQueue never reuses a buffer before it was written", () => {
  const queue = new WriteQueue();
  queue.add(frame(Kind.Ping, { value: 1, payload: payloadOf(100, 1) }));
  queue.add(frame(Kind.Call, { call: 1, payload: payloadOf(700_000) }));
  const taken = takeAll(queue);
  const before = taken.map((piece) => piece.slice());
  queue.written(taken[0]!);
  queue.add(frame(Kind.Call, { call: 1, payload: payloadOf(700_000, 3) }));
  takeAll(queue);
  assertEquals(taken.slice(1), before.slice(1));
});

Deno.test("WriteQueue uses a written buffer again, and a burst's buffers only for a while", () => {
  let now = 0;
  const queue = new WriteQueue(new SpareBuffers(() => now));
  const round = (count: number): ArrayBufferLike => {
    for (let i = 0; i < count; i++) queue.add(frame(Kind.Ping));
    const [piece] = takeAll(queue);
    queue.written(piece!);
    return piece!.buffer;
  };
  const first = round(10);
  assertStrictEquals(round(10), first);
  const large = round(10_000);
  assert(large.byteLength > 64 * 1024);
  assertStrictEquals(round(10), large);
  now += 1_001;
  round(1);
  assert(round(10).byteLength <= 4 * 1024);
});

Deno.test("WriteQueue counts the bytes of a piece until it was written", () => {
  const queue = new WriteQueue();
  queue.add(frame(Kind.Ping));
  queue.add(frame(Kind.Call, { call: 1, payload: payloadOf(300_000) }));
  assertEquals(queue.bytes, 2 * HEADER_BYTES + 300_000);
  const [head, body] = takeAll(queue);
  queue.written(head!);
  assertEquals(queue.bytes, body!.length);
  queue.add(frame(Kind.Ping));
  queue.written(body!);
  assertEquals(queue.bytes, HEADER_BYTES);
});

Deno.test("WriteQueue gives nothing when nothing was added", () => {
  const queue = new WriteQueue();
  assertEquals(takeAll(queue), []);
  queue.add(frame(Kind.Ping));
  assertEquals(takeAll(queue).length, 1);
  assertEquals(takeAll(queue), []);
});

Deno.test("WriteQueue fills what another one has written, and holds nothing when it is empty", () => {
  const spares = new SpareBuffers();
  const [one, other] = [new WriteQueue(spares), new WriteQueue(spares)];
  one.add(frame(Kind.Item, { call: 1, payload: payloadOf(50_000) }));
  const [piece] = takeAll(one);
  other.add(frame(Kind.Ping, { value: 1 }));
  const [small] = takeAll(other);
  assert(small!.buffer !== piece!.buffer);
  one.written(piece!);
  other.add(frame(Kind.Ping, { value: 2 }));
  const [next] = takeAll(other);
  assertStrictEquals(next!.buffer, piece!.buffer);
  assertEquals(next, toBytes(frame(Kind.Ping, { value: 2 })));
});

Deno.test("WriteQueue gives shared bytes as they are if nothing leaves before, and never fills them (property)", () => {
  const step = fc.oneof(
    anyFrame.map((each) => ({ add: each })),
    anyFrame.map((each) => ({ share: toBytes(each) })),
    fc.constant("take" as const),
    fc.constant("written" as const),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const spares = new SpareBuffers();
      const queue = new WriteQueue(spares);
      const wanted: Uint8Array[] = [];
      const shared: { bytes: Uint8Array; copy: Uint8Array }[] = [];
      const got: Uint8Array[] = [];
      let piece: Uint8Array | undefined;
      const written = () => {
        if (piece === undefined) return;
        got.push(piece.slice());
        queue.written(piece);
        piece = undefined;
      };
      for (const each of steps) {
        if (each === "take") piece ??= queue.next();
        else if (each === "written") written();
        else if ("add" in each) {
          queue.add(each.add);
          wanted.push(toBytes(each.add));
        } else {
          const isNext = queue.bytes === 0;
          queue.addShared(each.share);
          wanted.push(each.share);
          shared.push({ bytes: each.share, copy: each.share.slice() });
          if (isNext) assertStrictEquals(piece = queue.next(), each.share);
        }
      }
      for (piece ??= queue.next(); piece !== undefined; piece = queue.next()) written();
      assertEquals(concat(got), concat(wanted));
      assertEquals(queue.bytes, 0);
      for (const { bytes, copy } of shared) assertEquals(bytes, copy);
    }),
    { numRuns: 200 },
  );
});

Deno.test("WriteQueue gives shared bytes before what was added behind them, however much that is", () => {
  const queue = new WriteQueue();
  const shared = toBytes(frame(Kind.Ping, { value: 1 }));
  const behind = [300_000, 5].map((size) =>
    frame(Kind.Item, { call: 1, payload: payloadOf(size) })
  );
  queue.addShared(shared);
  for (const each of behind) queue.add(each);
  let piece = queue.next();
  assertStrictEquals(piece, shared);
  const got: Uint8Array[] = [];
  for (; piece !== undefined; piece = queue.next()) {
    got.push(piece.slice());
    queue.written(piece);
  }
  assertEquals(concat(got), concat([shared, ...behind.map(toBytes)]));
});

Deno.test("WriteQueue copies nothing large of what others have as well, whatever waits before it", () => {
  const queue = new WriteQueue();
  const ping = frame(Kind.Ping, { value: 1 });
  const few = payloadOf(MIN_SHARED_BYTES - 1);
  const many = payloadOf(MIN_SHARED_BYTES, 1);
  let released = "";
  queue.add(ping);
  queue.addShared(few, () => released += "few");
  assertEquals(released, "few", "which were copied");
  queue.addShared(many, () => released += " many");
  queue.addShared(many);
  queue.add(ping);
  const pieces = takeAll(queue);
  assertEquals(pieces.map((piece) => piece === many), [false, true, true, false]);
  assertEquals(pieces.map(({ length }) => length), [
    HEADER_BYTES + few.length,
    many.length,
    many.length,
    HEADER_BYTES,
  ]);
  const told = pieces.map((piece) => (queue.written(piece), released));
  assertEquals(told, ["few", "few many", "few many", "few many"]);
  assertEquals(queue.bytes, 0);
  queue.add(frame(Kind.Item, { call: 1, payload: payloadOf(60_000, 2) }));
  assertEquals(many, payloadOf(MIN_SHARED_BYTES, 1), "what was shared is filled again");
});

Deno.test("drop() tells that what others have as well lies here no longer, once", () => {
  const queue = new WriteQueue();
  const released: number[] = [];
  queue.add(frame(Kind.Ping));
  for (const i of [1, 2, 3]) {
    queue.addShared(payloadOf(MIN_SHARED_BYTES, i), () => released.push(i));
  }
  queue.written(queue.next()!);
  queue.written(queue.next()!);
  assertEquals(released, [1]);
  queue.next();
  queue.drop();
  assertEquals(released, [1, 2, 3]);
});
