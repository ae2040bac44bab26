import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { type DaffiError, OverloadedError, ProtocolError } from "../../mod.ts";
import { Assembler } from "../../src/node/assembler.ts";
import { Flag, type Frame, frame, Kind, ownFrame } from "../../src/wire/frame.ts";
import { HEADER_BYTES } from "../../src/wire/limits.ts";
import { largePayloads } from "../../src/wire/large_payloads.ts";
import { announcementOf, concat, payloadOf } from "../wire/frames.ts";

interface Delivered {
  frame: Frame;
  problem: DaffiError | undefined;
}

function made(
  maxFrameBytes = 1 << 26,
  maxBytes?: number,
): { assembler: Assembler; delivered: Delivered[] } {
  const delivered: Delivered[] = [];
  const assembler = new Assembler({
    maxFrameBytes,
    deliver: (got, problem) => void delivered.push({ frame: ownFrame(got), problem }),
  }, maxBytes);
  return { assembler, delivered };
}

function inParts(whole: Frame): Frame[] {
  const frames: Frame[] = [];
  largePayloads.divide(whole, (each) => frames.push(ownFrame(each)));
  return frames;
}

function head(peer: number, call: number, ...announced: number[]): Frame {
  const payload = announcementOf(...announced);
  return frame(Kind.Call, { peer, call, flags: Flag.InParts, payload });
}

const part = (peer: number, call: number, size: number, stream = 0) =>
  frame(Kind.Part, { peer, call, stream, payload: payloadOf(size) });

Deno.test("Assembler delivers frames that are whole at once, also between parts", () => {
  const { assembler, delivered } = made();
  const small = frame(Kind.Result, { peer: 1, call: 2, payload: payloadOf(3) });
  assembler.onFrame(head(1, 1, 10));
  assembler.onFrame(small);
  assembler.onFrame(part(1, 1, 10));
  assertEquals(delivered.map((each) => each.frame.call), [2, 1]);
  assertEquals(delivered[0], { frame: small, problem: undefined });
});

Deno.test("Assembler gives what divide() was given, in any interleaving of sources (property)", () => {
  const payload = fc.oneof(
    fc.nat({ max: 10 }),
    fc.integer({ min: 130_000, max: 300_000 }),
    fc.constant(3_000_000),
  );
  const sizes = fc.record({
    payload,
    attached: fc.array(fc.integer({ min: 1, max: 150_000 }), { maxLength: 3 }),
  });
  const sources = fc.array(fc.array(sizes, { maxLength: 3 }), { minLength: 1, maxLength: 3 });
  fc.assert(
    fc.property(sources, fc.infiniteStream(fc.nat({ max: 2 })), (all, turns) => {
      const wanted: Frame[][] = [];
      const queues = all.map((list, peer) => {
        const frames = list.map(({ payload, attached }, call) =>
          frame(Kind.Result, {
            peer,
            call: call + 1,
            payload: payloadOf(payload, call),
            attachments: attached.map((size, i) => ({
              at: Math.floor(payload * i / 3),
              bytes: payloadOf(size, i),
            })),
          })
        );
        wanted[peer] = frames.map((each) => ownFrame(each));
        return frames.flatMap(inParts);
      });
      const { assembler, delivered } = made();
      for (let left = queues.reduce((sum, queue) => sum + queue.length, 0); left > 0;) {
        const queue = queues[turns.next().value % queues.length]!;
        const next = queue.shift();
        if (next === undefined) continue;
        assembler.onFrame(next);
        left--;
      }
      for (const [peer, frames] of wanted.entries()) {
        const got = delivered.filter((each) => each.frame.peer === peer);
        assertEquals(got.length, frames.length);
        for (const [i, { frame, problem }] of got.entries()) {
          assertEquals(problem, undefined);
          assertEquals([frame.call, frame.flags], [frames[i]!.call, 0]);
          assertEquals(frame.payload, frames[i]!.payload);
          assertEquals(frame.attachments ?? [], frames[i]!.attachments);
        }
      }
    }),
    { numRuns: 30 },
  );
});

Deno.test("Assembler ignores parts of what was not announced, or is another's", () => {
  const { assembler, delivered } = made();
  assembler.onFrame(part(1, 1, 10));
  assembler.onFrame(head(1, 1, 4));
  assembler.onFrame(part(2, 1, 4));
  assembler.onFrame(part(1, 2, 4));
  assembler.onFrame(part(1, 1, 4, 1));
  assertEquals(delivered, []);
  assembler.onFrame(part(1, 1, 4));
  assertEquals(delivered[0]!.frame.payload, payloadOf(4));
});

Deno.test("Assembler gives a frame up whose source sends more than it announced, or something else", () => {
  for (const wrong of [part(1, 1, 5), head(1, 2, 4)]) {
    const { assembler, delivered } = made();
    assembler.onFrame(head(1, 1, 6));
    assembler.onFrame(part(1, 1, 2));
    assembler.onFrame(wrong);
    assertEquals(delivered.length, 1);
    const [{ frame: given, problem }] = delivered as [Delivered];
    assertEquals([given.kind, given.call, given.flags, given.payload.length], [Kind.Call, 1, 0, 0]);
    assert(problem instanceof ProtocolError);
    assertEquals(problem.message.includes("6 bytes were announced, others came after 2"), true);
    assembler.onFrame(part(1, 1, 4));
    assertEquals(delivered.length, 1);
    if (wrong.kind === Kind.Call) {
      assembler.onFrame(part(1, 2, 4));
      assertEquals(delivered[1], {
        frame: frame(Kind.Call, { peer: 1, call: 2, payload: payloadOf(4), attachments: [] }),
        problem: undefined,
      });
    }
  }
});

Deno.test("Assembler delivers attachments in memory of their own", () => {
  const { assembler, delivered } = made();
  assembler.onFrame(head(1, 1, 12, 2, 3, 5, 4));
  assembler.onFrame(part(1, 1, 3));
  assembler.onFrame(part(1, 1, 9));
  const { payload, attachments } = delivered[0]!.frame;
  const all = [...payloadOf(3), ...payloadOf(9)];
  assertEquals([...payload], [...all.slice(0, 2), ...all.slice(9)]);
  assertEquals(attachments?.map(({ at, bytes }) => [at, ...bytes]), [
    [2, ...all.slice(2, 5)],
    [2, ...all.slice(5, 9)],
  ]);
  assert(attachments?.every(({ bytes }) => bytes.buffer.byteLength === bytes.length));
});

Deno.test("Assembler gives a frame up whose attachments cannot be where it says", () => {
  const { assembler, delivered } = made();
  assembler.onFrame(head(1, 1, 10, 8, 3));
  assembler.onFrame(part(1, 1, 10));
  assertEquals(delivered.length, 1);
  assert(delivered[0]!.problem instanceof ProtocolError);
});

Deno.test("Assembler refuses what the controller must not pass on", () => {
  const { assembler, delivered } = made(1000);
  const wrong = [
    head(1, 1, 1000 - HEADER_BYTES + 1),
    head(1, 1, 0xffffffff),
    frame(Kind.Call, { peer: 1, call: 1, flags: Flag.InParts }),
    frame(Kind.Task, { peer: 1, call: 1, flags: Flag.InParts, payload: new Uint8Array(4) }),
  ];
  for (const each of wrong) assertThrows(() => assembler.onFrame(each), ProtocolError);
  assembler.onFrame(head(1, 1, 1000 - HEADER_BYTES));
  assertEquals(delivered, []);
});

Deno.test("Assembler takes memory as bytes come, not as they are announced", () => {
  const { assembler, delivered } = made(1 << 30);
  for (let peer = 1; peer <= 500; peer++) {
    assembler.onFrame(head(peer, 1, (1 << 30) - HEADER_BYTES));
  }
  assertEquals(delivered, []);
});

Deno.test("Assembler has room for what comes, whatever others have announced and not sent", () => {
  const { assembler, delivered } = made(1 << 30);
  const large = (1 << 30) - HEADER_BYTES;
  for (let peer = 1; peer <= 2000; peer++) {
    assembler.onFrame(head(peer, 1, large, 0, large));
    assembler.onFrame(part(peer, 1, 1)); // and then nothing
  }
  const whole = frame(Kind.Result, {
    ...{ peer: 5000, call: 1 },
    attachments: [{ at: 0, bytes: payloadOf(4_000_000) }],
  });
  for (const each of inParts(whole)) assembler.onFrame(each);
  assertEquals(delivered.map(({ frame, problem }) => [frame.peer, problem]), [[5000, undefined]]);
  assertEquals(delivered[0]!.frame.attachments, whole.attachments);
});

Deno.test("Assembler puts attachments together for which memory was taken as they came", () => {
  const { assembler, delivered } = made(1 << 20, 4_000); // a quarter may be taken at once
  assembler.onFrame(head(1, 1, 1000, 0, 1000));
  assembler.onFrame(part(1, 1, 1));
  const pieces = [1, 2, 300, 697].map((size) => payloadOf(size, size));
  assembler.onFrame(head(2, 1, 1000, 0, 1000));
  for (const payload of pieces) {
    assembler.onFrame(frame(Kind.Part, { peer: 2, call: 1, payload }));
  }
  const [attachment] = delivered[0]!.frame.attachments!;
  assertEquals(attachment!.bytes, concat(pieces));
  assertEquals(attachment!.bytes.buffer.byteLength, 1000);
});

Deno.test("Assembler gives up what has stood still longest when there is no memory left", () => {
  const { assembler, delivered } = made(1 << 20, 4_000);
  const outcome = () => delivered.map(({ frame, problem }) => [frame.peer, problem?.code]);
  for (let peer = 1; peer <= 4; peer++) assembler.onFrame(head(peer, 1, 1000));
  for (const peer of [2, 1, 3, 4]) assembler.onFrame(part(peer, 1, 999));
  assembler.onFrame(head(5, 1, 600));
  assembler.onFrame(part(2, 1, 0)); // which is no step, but shows that it is there
  assertEquals(outcome(), []);
  assembler.onFrame(part(5, 1, 600));
  assertEquals(outcome(), [[1, "OVERLOADED"], [5, undefined]]);
  assembler.onFrame(part(1, 1, 1)); // is nobody's
  assembler.forget(3);
  assembler.onFrame(head(6, 1, 2001));
  assembler.onFrame(part(6, 1, 2000)); // there is just room for it
  for (const peer of [2, 4, 6]) assembler.onFrame(part(peer, 1, 1));
  assertEquals(outcome().slice(2), [[4, "OVERLOADED"], [2, undefined], [6, undefined]]);
});

Deno.test("forget() drops what a source has begun", () => {
  const { assembler, delivered } = made();
  assembler.onFrame(head(1, 1, 10));
  assembler.forget(1);
  assembler.forget(2);
  assembler.onFrame(part(1, 1, 10));
  assertEquals(delivered, []);
});

Deno.test("Assembler counts what it takes to keep a part, however short it is", () => {
  const { assembler, delivered } = made(1 << 20, 512 * 100);
  assembler.onFrame(head(1, 1, 1000));
  for (let i = 0; i < 100; i++) assembler.onFrame(part(1, 1, 1));
  assertEquals(delivered, []);
  assembler.onFrame(part(1, 1, 1));
  assert(delivered[0]?.problem instanceof OverloadedError);
});

Deno.test("Assembler drops a call, or a sent function, that is cancelled between its parts", () => {
  const { assembler, delivered } = made();
  for (const kind of [Kind.Transfer, Kind.Call] as Kind[]) {
    delivered.length = 0;
    assembler.onFrame({ ...head(1, 7, 20), kind });
    assembler.onFrame(part(1, 7, 10));
    assembler.onFrame(frame(Kind.Cancel, { peer: 1, call: 7 }));
    assembler.onFrame(part(1, 7, 10));
    assertEquals(delivered.map(({ frame }) => frame.kind), [Kind.Cancel]);
  }
  for (const call of [8, 9]) { // what comes next has its place
    assembler.onFrame(head(1, call, 10));
    assembler.onFrame(part(1, call, 10));
  }
  assertEquals(delivered.slice(1).map(({ frame, problem }) => [frame.call, problem]), [
    [8, undefined],
    [9, undefined],
  ]);
});

Deno.test("Assembler keeps what a CANCEL is not about", () => {
  const { assembler, delivered } = made();
  const result = { ...head(1, 7, 10), kind: Kind.Result };
  for (
    const [began, peer, call] of [[result, 1, 7], [head(1, 7, 10), 2, 7], [
      head(1, 7, 10),
      1,
      8,
    ]] as const
  ) {
    assembler.onFrame(began);
    assembler.onFrame(frame(Kind.Cancel, { peer, call }));
    assembler.onFrame(part(1, 7, 10));
  }
  const whole = delivered.filter(({ frame }) => frame.kind !== Kind.Cancel);
  assertEquals(whole.map(({ frame, problem }) => [frame.call, problem]), [
    [7, undefined],
    [7, undefined],
    [7, undefined],
  ]);
});

Deno.test("Assembler keeps no part in the memory that it came in", () => {
  const { assembler, delivered } = made();
  assembler.onFrame(head(1, 1, 6, 3, 3));
  const reused = part(1, 1, 2);
  for (const byte of [1, 2, 3]) {
    reused.payload.fill(byte);
    assembler.onFrame(reused);
  }
  const { payload, attachments } = delivered[0]!.frame;
  assertEquals([[...payload], [...attachments![0]!.bytes]], [[1, 1, 2], [2, 3, 3]]);
});
