import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { WriteQueue } from "../../src/link/write_queue.ts";
import { frame, Kind } from "../../src/wire/frame.ts";
import { HEADER_BYTES, LARGE_PAYLOAD_BYTES } from "../../src/wire/limits.ts";
import { anyFrame, concat, payloadOf, toBytes } from "../wire/frames.ts";

Deno.test("WriteQueue gives all frames in order, however they are taken (property)", () => {
  const rounds = fc.array(fc.array(anyFrame, { maxLength: 12 }), { maxLength: 5 });
  fc.assert(
    fc.property(rounds, (rounds) => {
      const queue = new WriteQueue();
      for (const frames of rounds) {
        const wanted = concat(frames.map(toBytes));
        for (const each of frames) queue.add(each);
        assertEquals(queue.bytes, wanted.length);
        const pieces = queue.take();
        assertEquals(queue.bytes, wanted.length);
        assertEquals(concat(pieces.map(({ bytes }) => bytes)), wanted);
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
  const pieces = queue.take();
  assertEquals(pieces.length, 1);
  assertEquals(pieces[0]!.bytes, concat(frames.map(toBytes)));
});

Deno.test("WriteQueue begins a new piece before one grows without end", () => {
  const queue = new WriteQueue();
  const each = frame(Kind.Item, { call: 1, payload: payloadOf(30_000) });
  for (let i = 0; i < 100; i++) queue.add(each);
  const pieces = queue.take();
  assert(pieces.length > 1);
  for (const { bytes } of pieces) assert(bytes.buffer.byteLength <= 256 * 1024);
  assertEquals(concat(pieces.map(({ bytes }) => bytes)), concat(Array(100).fill(toBytes(each))));
});

Deno.test("WriteQueue copies a small payload at once and passes a large one on as it is", () => {
  const queue = new WriteQueue();
  const small = payloadOf(LARGE_PAYLOAD_BYTES - 1);
  const large = payloadOf(LARGE_PAYLOAD_BYTES);
  const wanted = concat([
    toBytes(frame(Kind.Call, { call: 1, payload: small })),
    toBytes(frame(Kind.Call, { call: 2, payload: large })),
  ]);
  queue.add(frame(Kind.Call, { call: 1, payload: small }));
  small.fill(0);
  queue.add(frame(Kind.Call, { call: 2, payload: large }));
  const pieces = queue.take();
  assertEquals(concat(pieces.map(({ bytes }) => bytes)), wanted);
  const last = pieces.at(-1)!;
  assertStrictEquals(last.bytes, large);
  assertEquals([pieces.length, last.reusable], [2, false]);
});

Deno.test("WriteQueue never reuses a buffer before it was written, nor one that is not its own", () => {
  const queue = new WriteQueue();
  const large = payloadOf(LARGE_PAYLOAD_BYTES, 9);
  const first = frame(Kind.Ping, { value: 1, payload: payloadOf(100, 1) });
  queue.add(first);
  queue.add(frame(Kind.Call, { call: 1, payload: large }));
  const taken = queue.take();
  const before = taken.map(({ bytes }) => bytes.slice());
  for (let i = 0; i < 50; i++) queue.add(frame(Kind.Pong, { value: i }));
  const second = queue.take();
  assertEquals(taken.map(({ bytes }) => bytes), before);
  for (const piece of [...taken, ...second]) queue.written(piece);
  for (let i = 0; i < 50; i++) queue.add(frame(Kind.Pong, { value: i }));
  assertEquals(large, payloadOf(LARGE_PAYLOAD_BYTES, 9));
});

Deno.test("WriteQueue uses a written buffer again, but keeps no large one", () => {
  const queue = new WriteQueue();
  const round = (count: number): ArrayBufferLike => {
    for (let i = 0; i < count; i++) queue.add(frame(Kind.Ping));
    const [piece] = queue.take();
    queue.written(piece!);
    return piece!.bytes.buffer;
  };
  const first = round(10);
  assertStrictEquals(round(10), first);
  const huge = round(10_000);
  assert(huge.byteLength > 64 * 1024);
  assert(round(10).byteLength <= 64 * 1024);
});

Deno.test("WriteQueue counts the bytes of a piece until it was written", () => {
  const queue = new WriteQueue();
  queue.addRaw(new Uint8Array(8));
  queue.add(frame(Kind.Call, { call: 1, payload: payloadOf(LARGE_PAYLOAD_BYTES) }));
  assertEquals(queue.bytes, 8 + HEADER_BYTES + LARGE_PAYLOAD_BYTES);
  const [head, body] = queue.take();
  queue.written(head!);
  assertEquals(queue.bytes, LARGE_PAYLOAD_BYTES);
  queue.add(frame(Kind.Ping));
  queue.written(body!);
  assertEquals(queue.bytes, HEADER_BYTES);
});

Deno.test("WriteQueue gives nothing when nothing was added", () => {
  const queue = new WriteQueue();
  assertEquals(queue.take(), []);
  queue.add(frame(Kind.Ping));
  assertEquals(queue.take().length, 1);
  assertEquals(queue.take(), []);
});
