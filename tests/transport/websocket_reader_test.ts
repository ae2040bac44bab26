import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { OPCODE, WebSocketReader } from "../../src/transport/websocket_reader.ts";
import { MAX_MESSAGE_BYTES } from "../../src/wire/limits.ts";
import { concat } from "../../src/internal/concat.ts";
import { clientFrame, type FrameOptions, goodbye } from "./client_frames.ts";

/** What was heard; bytes that follow each other as one. */
type Heard = (string | number | number[])[];

/** Reads pieces, whose bytes change afterwards. */
function read(pieces: readonly Uint8Array[]): Heard[] {
  const heard: Heard[] = [];
  const reader = new WebSocketReader({
    onBytes(bytes) {
      const last = heard.at(-1);
      if (last?.[0] === "bytes") (last[1] as number[]).push(...bytes);
      else heard.push(["bytes", [...bytes]]);
    },
    onText: (text) => heard.push(["text", text]),
    onPing: (payload) => heard.push(["ping", [...payload]]),
    onClose: (status, reason) => heard.push(["close", status, reason]),
    onOffence: (status, reason) => heard.push(["offence", status, reason]),
  });
  for (const piece of pieces) {
    const given = piece.slice();
    reader.push(given);
    given.fill(255);
  }
  return heard;
}

/** Cuts bytes after so many each time. */
function cut(bytes: Uint8Array, sizes: readonly number[]): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    pieces.push(bytes.subarray(at, at += sizes[i % sizes.length]!));
  }
  return pieces;
}

const text = (words: string) => new TextEncoder().encode(words);
const mask = fc.tuple(...Array.from({ length: 4 }, () => fc.nat({ max: 255 })));
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

/** A message with what a client may send between its parts. */
const message = fc.oneof(
  fc.record({
    opcode: fc.constant(OPCODE.binary as number),
    parts: fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 4 }),
  }),
  fc.record({
    opcode: fc.constant(OPCODE.text as number),
    parts: fc.array(fc.nat({ max: 999 }).map((n) => text(String(n))), {
      minLength: 1,
      maxLength: 3,
    }),
  }),
);

Deno.test("WebSocketReader reads messages in parts, with pings between, however the bytes are cut", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(message, fc.option(fc.uint8Array({ maxLength: 125 })), mask)),
      sizes,
      (messages, sizes) => {
        const frames: Uint8Array[] = [];
        const expected: Heard[] = [];
        const expectBytes = (bytes: Uint8Array) => {
          const last = expected.at(-1);
          if (bytes.length === 0) return;
          if (last?.[0] === "bytes") (last[1] as number[]).push(...bytes);
          else expected.push(["bytes", [...bytes]]);
        };
        for (const [{ opcode, parts }, ping, mask] of messages) {
          parts.forEach((part, i) => {
            const last = i === parts.length - 1;
            frames.push(clientFrame(i === 0 ? opcode : OPCODE.more, part, { last, mask }));
            if (opcode === OPCODE.binary) expectBytes(part);
            if (last) return;
            if (ping !== null) {
              frames.push(clientFrame(OPCODE.ping, ping, { mask }));
              expected.push(["ping", [...ping]]);
            }
            frames.push(clientFrame(OPCODE.pong, part.subarray(0, 125), { mask }));
          });
          if (opcode === OPCODE.text) {
            expected.push(["text", new TextDecoder().decode(concat(parts))]);
          }
        }
        frames.push(goodbye(1000, "bye"), text("ignored"));
        expected.push(["close", 1000, "bye"]);
        const bytes = concat(frames);
        assertEquals(read([bytes]), expected);
        assertEquals(read(cut(bytes, sizes)), expected);
      },
    ),
    { numRuns: 300 },
  );
});

Deno.test("WebSocketReader unmasks messages of all sizes that say their length in another way", () => {
  for (const size of [0, 1, 3, 4, 125, 126, 65_535, 65_536, MAX_MESSAGE_BYTES]) {
    const bytes = Uint8Array.from({ length: size }, (_, i) => i * 7 + (i >> 8));
    const sent = clientFrame(OPCODE.binary, bytes, { mask: [9, 0, 255, 17] });
    for (const pieces of [[sent], cut(sent, [1021])]) {
      let at = 0;
      const reader = new WebSocketReader({
        onBytes(piece) {
          assertEquals(piece, bytes.subarray(at, at += piece.length));
        },
        onText() {},
        onPing() {},
        onClose() {},
        onOffence: (_, reason) => assertEquals(reason, "none"),
      });
      for (const piece of pieces) reader.push(piece);
      assertEquals(at, size);
    }
  }
});

Deno.test("WebSocketReader limits each message by itself", () => {
  const whole = clientFrame(OPCODE.binary, new Uint8Array(MAX_MESSAGE_BYTES));
  const parts = [
    clientFrame(OPCODE.binary, new Uint8Array(MAX_MESSAGE_BYTES / 2), { last: false }),
    clientFrame(OPCODE.more, new Uint8Array(MAX_MESSAGE_BYTES / 2)),
  ];
  const number = clientFrame(OPCODE.text, text("1234567890"));
  let bytes = 0;
  const texts: string[] = [];
  const reader = new WebSocketReader({
    onBytes: ({ length }) => void (bytes += length),
    onText: (text) => texts.push(text),
    onPing() {},
    onClose() {},
    onOffence: (_, reason) => assertEquals(reason, "none"),
  });
  for (const each of [whole, number, ...parts, number, whole, number]) reader.push(each);
  assertEquals([bytes, texts], [3 * MAX_MESSAGE_BYTES, Array(3).fill("1234567890")]);
});

Deno.test("WebSocketReader tells a goodbye without status, and one with words that are cut", () => {
  const none = clientFrame(OPCODE.close, new Uint8Array(0));
  assertEquals(read([none]), [["close", 1005, ""]]);
  const torn = clientFrame(OPCODE.close, Uint8Array.of(3, 233, 0xe2, 0x82));
  assertEquals(read([torn]), [["close", 1001, "\ufffd"]]);
});

const more = (options: FrameOptions = {}) => clientFrame(OPCODE.more, text("x"), options);
const binary = (options: FrameOptions = {}) => clientFrame(OPCODE.binary, text("x"), options);

/** What breaks the rules, and how. */
const OFFENCES: Record<string, [status: number, ...frames: Uint8Array[]]> = {
  "a frame without a mask": [1002, Uint8Array.of(130, 1, 7)],
  "an extension": [1002, binary({ reserved: 64 })],
  "a reserved bit": [1002, binary({ reserved: 16 })],
  "an unknown kind of message": [1002, clientFrame(3, text("x"))],
  "an unknown control frame": [1002, clientFrame(11, text("x"))],
  "a control frame in parts": [1002, clientFrame(OPCODE.ping, text("x"), { last: false })],
  "a long control frame": [1002, clientFrame(OPCODE.ping, new Uint8Array(126))],
  "a part of no message": [1002, more()],
  "a part behind the end": [1002, binary({ last: false }), more(), more()],
  "a message within another": [1002, binary({ last: false }), binary()],
  "half a status": [1002, clientFrame(OPCODE.close, Uint8Array.of(3))],
  "long text": [1003, clientFrame(OPCODE.text, text("12345678901"))],
  "long text in parts": [
    1003,
    clientFrame(OPCODE.text, text("123456"), { last: false }),
    clientFrame(OPCODE.more, text("78901")),
  ],
  "a message over the limit": [1009, binary({ length: MAX_MESSAGE_BYTES + 1 })],
  "a message of 2^63 bytes": [1009, binary({ length: 2 ** 63 })],
  "a message in parts over the limit": [
    1009,
    clientFrame(OPCODE.binary, new Uint8Array(MAX_MESSAGE_BYTES), { last: false }),
    more(),
  ],
};

for (const [what, [status, ...frames]] of Object.entries(OFFENCES)) {
  Deno.test(`WebSocketReader refuses ${what}`, () => {
    const bytes = concat(frames);
    for (const pieces of [[bytes], cut(bytes, [977]), cut(bytes, [1])]) {
      const offences = read(pieces).filter(([what]) => what !== "bytes");
      assertEquals(offences.map(([what, status]) => [what, status]), [["offence", status]]);
    }
  });
}

Deno.test("WebSocketReader hears the goodbye behind a message that it refuses, and no message", () => {
  const large = new Uint8Array(MAX_MESSAGE_BYTES + 1);
  const heard = read([
    clientFrame(OPCODE.binary, large),
    binary(),
    clientFrame(OPCODE.text, text("12")),
    clientFrame(OPCODE.text, text("123456789012")),
    goodbye(1009),
    binary(),
  ]);
  assertEquals(heard.map(([what, status]) => [what, status]), [["offence", 1009], ["close", 1009]]);
});

Deno.test("WebSocketReader does nothing more once the frames cannot be told apart", () => {
  const heard = read([clientFrame(3, text("x")), binary(), goodbye(1000)]);
  assertEquals(heard.map(([what, status]) => [what, status]), [["offence", 1002]]);
});
