import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { EncodeError, ProtocolError } from "../../mod.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { type Attachment, frame, Kind } from "../../src/wire/frame.ts";
import { largePayloads } from "../../src/wire/large_payloads.ts";
import { MAX_ATTACHMENTS, MIN_ATTACHMENT_BYTES } from "../../src/wire/limits.ts";
import { concat, payloadOf } from "./frames.ts";
import { assertSame } from "./helpers.ts";

const LARGE = MIN_ATTACHMENT_BYTES;

function encoded(value: unknown): { payload: Uint8Array; attachments: Attachment[] | undefined } {
  const apart: { attachments: Attachment[] | undefined } = { attachments: undefined };
  const payload = new MessagePackCodec(largePayloads).encode(value, "args", undefined, apart)
    .slice();
  return { payload, attachments: apart.attachments };
}

const result = (payload: Uint8Array, attachments: Attachment[] | undefined) =>
  frame(Kind.Result, { payload, attachments });

/** The payload as it travels, with its attachments in their places. */
function whole(payload: Uint8Array, attachments: readonly Attachment[] = []): Uint8Array {
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const { at, bytes } of attachments) {
    parts.push(payload.subarray(from, at), bytes);
    from = at;
  }
  return concat([...parts, payload.subarray(from)]);
}

const values: Record<string, [value: unknown, attachments: number]> = {
  "an array of bytes": [payloadOf(LARGE), 1],
  "one that is too small": [payloadOf(LARGE - 1), 0],
  "some in lists and objects": [
    [1, { a: payloadOf(LARGE, 1), b: "b" }, payloadOf(LARGE + 9, 2)],
    2,
  ],
  "a part of a larger array": [payloadOf(LARGE * 2).subarray(7, LARGE + 8), 1],
  "other arrays": [[new Float64Array(LARGE / 8).fill(1.5), new Int16Array(LARGE).fill(-3)], 2],
  "a buffer and a view": [[payloadOf(LARGE).buffer, new DataView(payloadOf(LARGE, 3).buffer)], 2],
  "one within a Map, which stays there": [new Map([["a", payloadOf(LARGE)]]), 0],
  "one behind a Map": [[new Map([[1, new Set([payloadOf(LARGE)])]]), payloadOf(LARGE, 4)], 1],
  "one within an error's fields": [
    Object.assign(new Error("e"), { stack: "", a: payloadOf(LARGE) }),
    0,
  ],
};

for (const [what, [value, count]] of Object.entries(values)) {
  Deno.test(`encode() keeps large arrays apart, and decode() puts them back: ${what}`, () => {
    const { payload, attachments } = encoded(value);
    assertEquals(attachments?.length ?? 0, count);
    const codec = new MessagePackCodec();
    const own = attachments?.map(({ at, bytes }) => ({ at, bytes: bytes.slice() }));
    assertSame(codec.decodePayload(result(payload, own)), value);
    // Whoever does not know attachments sees plain MessagePack.
    assertSame(codec.decode(whole(payload, attachments)), value);
    assertEquals(whole(payload, attachments), codec.encode(value, "args").slice());
  });
}

Deno.test("encode() keeps nothing apart unless it is asked to", () => {
  const codec = new MessagePackCodec();
  assertEquals(codec.encode(payloadOf(LARGE), "args").length, LARGE + 5);
});

Deno.test("encode() keeps no more apart than can be announced", () => {
  const one = payloadOf(LARGE);
  const value = Array.from({ length: MAX_ATTACHMENTS + 2 }, () => one);
  const { payload, attachments } = encoded(value);
  assertEquals(attachments?.length, MAX_ATTACHMENTS);
  assert(payload.length > 2 * LARGE);
});

Deno.test("encode() refuses an array that the rest of the value takes away", () => {
  for (
    const take of [
      (bytes: Uint8Array<ArrayBuffer>) => void bytes.buffer.transfer(),
      (bytes: Uint8Array<ArrayBuffer>) => bytes.buffer.resize(1),
    ]
  ) {
    const bytes = new Uint8Array(new ArrayBuffer(LARGE, { maxByteLength: 2 * LARGE }));
    const value = {
      bytes,
      get later() {
        take(bytes);
        return 1;
      },
    };
    assertThrows(() => encoded(value), EncodeError, "changed meanwhile");
  }
});

Deno.test("encode() after one that failed keeps nothing of it", () => {
  const apart: { attachments: Attachment[] | undefined } = { attachments: undefined };
  const codec = new MessagePackCodec(largePayloads);
  const bad = new Map([["a", () => {}]]);
  assertThrows(() => codec.encode(bad, "args", undefined, apart), EncodeError);
  assertEquals(codec.encode(payloadOf(LARGE), "args", undefined, apart).length, 5);
  assertEquals(apart.attachments?.length, 1);
});

Deno.test("decode() hands an attachment out without copying it", () => {
  const { payload, attachments } = encoded([payloadOf(LARGE)]);
  const [{ at, bytes }] = attachments as [Attachment];
  const own = bytes.slice();
  const [back] = new MessagePackCodec().decodePayload(result(payload, [{ at, bytes: own }])) as [
    unknown,
  ];
  assertStrictEquals(back, own);
});

Deno.test("decode() refuses attachments that are not where they belong", () => {
  const codec = new MessagePackCodec();
  const { payload, attachments } = encoded([payloadOf(LARGE), 5]);
  const [{ at, bytes }] = attachments as [Attachment];
  const wrong: Attachment[][] = [
    [],
    [{ at: at + 1, bytes }],
    [{ at, bytes: bytes.subarray(1) }],
    [{ at, bytes }, { at: at + 1, bytes }],
    [{ at: 0, bytes }, { at, bytes }],
  ];
  for (const attachments of wrong) {
    assertThrows(() => codec.decodePayload(result(payload, attachments)), ProtocolError);
  }
  assertThrows(
    () => codec.decodePayload(result(Uint8Array.of(5), [{ at: 1, bytes }])),
    ProtocolError,
    "not where it belongs",
  );
  // An Int16Array of an odd number of bytes.
  const odd = Uint8Array.of(0xc7, bytes.length, 8, 3);
  const short = bytes.subarray(0, odd[1]! - 1);
  assertThrows(
    () => codec.decodePayload(result(odd, [{ at: 4, bytes: short.slice(1) }])),
    ProtocolError,
  );
});
