import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ProtocolError } from "../../mod.ts";
import { type Attachment, Flag, type Frame, frame, Kind, ownFrame } from "../../src/wire/frame.ts";
import { MAX_ATTACHMENTS, MAX_PART_BYTES, MIN_DIVIDED_BYTES } from "../../src/wire/limits.ts";
import { largePayloads, largePayloadsOverUnix } from "../../src/wire/large_payloads.ts";
import { announcedBytes, announcedPlaces } from "../../src/wire/parts.ts";
import { concat, payloadOf } from "./frames.ts";

const DIVISIBLE: readonly Kind[] = [
  ...[Kind.Call, Kind.Transfer, Kind.Result, Kind.Error, Kind.Item, Kind.Fail],
];

function sent(whole: Frame, way = largePayloads): Frame[] {
  const frames: Frame[] = [];
  way.divide(whole, (each) => frames.push(ownFrame(each)));
  return frames;
}

const WAYS = [
  ["anywhere", largePayloads, 65_512],
  ["over UNIX sockets", largePayloadsOverUnix, 105_448],
] as const;

function announcement(...numbers: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(numbers.length * 4));
  numbers.forEach((number, i) => view.setUint32(i * 4, number));
  return new Uint8Array(view.buffer);
}

Deno.test("divide() sends what is small, or looked into by the controller, as it is", () => {
  for (const kind of Object.values(Kind)) {
    const small = frame(kind, { call: 1, payload: payloadOf(MIN_DIVIDED_BYTES - 1) });
    assertEquals(sent(small), [small]);
    const large = frame(kind, { call: 1, payload: payloadOf(MIN_DIVIDED_BYTES) });
    assertEquals(sent(large).length > 1, DIVISIBLE.includes(kind));
  }
});

for (const [over, way, partBytes] of WAYS) {
  Deno.test(`divide() announces a large payload and sends it in parts behind each other, ${over}`, () => {
    const fields = { call: 7, stream: 3, peer: 5, name: 6, value: 8, flags: Flag.NoReply };
    const payload = payloadOf(3 * partBytes + 17);
    const [head, ...parts] = sent(frame(Kind.Call, { ...fields, payload }), way);
    assertEquals(
      head,
      frame(Kind.Call, {
        ...fields,
        flags: Flag.NoReply | Flag.InParts,
        payload: announcement(payload.length),
      }),
    );
    assertEquals(parts.map((part) => part.payload.length), [partBytes, partBytes, partBytes, 17]);
    for (const part of parts) {
      assertEquals(part, frame(Kind.Part, { call: 7, stream: 3, peer: 5, payload: part.payload }));
    }
    assertEquals(concat(parts.map((part) => part.payload)), payload);
    assert(partBytes <= MAX_PART_BYTES);
  });
}

for (const [over, way, partBytes] of WAYS) {
  Deno.test(`divide() puts attachments where they belong, and tells where that is, ${over} (property)`, () => {
    const sizes = fc.array(fc.tuple(fc.nat({ max: 9 }), fc.integer({ min: 1, max: 150_000 })), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(sizes, fc.nat({ max: 9 }), (pairs, rest) => {
        const attachments: Attachment[] = [];
        const whole: Uint8Array[] = [];
        let at = 0;
        for (const [before, size] of pairs) {
          whole.push(payloadOf(before, at));
          at += before;
          const bytes = payloadOf(size, size);
          attachments.push({ at, bytes });
          whole.push(bytes);
        }
        whole.push(payloadOf(rest, 99));
        const payload = concat(whole.filter((_, i) => i % 2 === 0));
        const [head, ...parts] = sent(frame(Kind.Result, { call: 1, payload, attachments }), way);
        const joined = concat(parts.map((part) => part.payload));
        assertEquals(joined, concat(whole));
        assertEquals(announcedBytes(head!), joined.length);
        const places = announcedPlaces(head!.payload);
        assertEquals(
          places.map(({ offset, size }) => joined.subarray(offset, offset + size)),
          attachments.map(({ bytes }) => bytes),
        );
        assert(parts.every(({ payload }) => payload.length > 0 && payload.length <= partBytes));
      }),
      { numRuns: 50 },
    );
  });
}

Deno.test("announcedBytes() gives what a frame carries, or announces", () => {
  assertEquals(announcedBytes(frame(Kind.Ping)), 0);
  assertEquals(announcedBytes(frame(Kind.Broadcast, { payload: payloadOf(9) })), 9);
  const flags = Flag.InParts;
  for (const kind of DIVISIBLE) {
    assertEquals(
      announcedBytes(frame(kind, { flags, payload: announcement(0xfffffffe) })),
      2 ** 32 - 2,
    );
  }
});

Deno.test("announcedBytes() refuses announcements of another form, and of other kinds", () => {
  const flags = Flag.InParts;
  for (const kind of Object.values(Kind)) {
    if (DIVISIBLE.includes(kind)) continue;
    const wrong = frame(kind, { flags, payload: announcement(5) });
    assertThrows(() => announcedBytes(wrong), ProtocolError, "cannot come in parts");
  }
  const most = 1 + 2 * MAX_ATTACHMENTS;
  for (const length of [0, 1, 3, 5, 8, 11, 13, most * 4 + 8]) {
    const wrong = frame(Kind.Call, { flags, payload: payloadOf(length) });
    assertThrows(() => announcedBytes(wrong), ProtocolError, "how large");
  }
  announcedBytes(frame(Kind.Call, { flags, payload: payloadOf(most * 4) }));
});

Deno.test("announcedPlaces() refuses places that overlap, are empty, or lie outside", () => {
  assertEquals(announcedPlaces(announcement(10, 0, 4, 4, 6)), [
    { offset: 0, size: 4 },
    { offset: 4, size: 6 },
  ]);
  for (
    const places of [[0, 11], [10, 1], [11, 1], [3, 0], [0, 4, 3, 2], [4, 4, 0, 2], [5, 0xffffffff]]
  ) {
    assertThrows(() => announcedPlaces(announcement(10, ...places)), ProtocolError, "Attachments");
  }
});
