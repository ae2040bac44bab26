import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ProtocolError } from "../../src/errors.ts";
import { EMPTY, type Frame, frame, isKind, Kind } from "../../src/wire/frame.ts";
import { readHeader, readPayloadSize, writeHeader } from "../../src/wire/frame_codec.ts";
import { HEADER_BYTES } from "../../src/wire/limits.ts";
import { fromHex, toHex } from "./helpers.ts";

const KINDS = Object.values(Kind);

function header(written: Frame, at = 0): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + at);
  writeHeader(bytes, at, written);
  return bytes;
}

Deno.test("writeHeader() writes the bytes of the document", () => {
  const call = frame(Kind.Call, {
    flags: 3,
    stream: 0x0102,
    call: 0x7f030405,
    peer: 0xf0060708,
    name: 0xf1090a0b,
    value: 0xf20c0d0e,
    payload: new Uint8Array(0x0201),
  });
  assertEquals(toHex(header(call)), "00000215100301027f030405f0060708f1090a0bf20c0d0e");
  assertEquals(toHex(header(frame(Kind.Leave))), "0000001409" + "00".repeat(19));
});

Deno.test("readHeader() and readPayloadSize() read what writeHeader() wrote (property)", () => {
  const u32 = fc.integer({ min: 0, max: 0xffffffff });
  const fields = fc.record({
    kind: fc.constantFrom(...KINDS),
    flags: fc.integer({ min: 0, max: 7 }),
    stream: fc.integer({ min: 0, max: 0xffff }),
    call: fc.integer({ min: 0, max: 0x7fffffff }),
    peer: u32,
    name: u32,
    value: u32,
    payload: fc.nat({ max: 5000 }).map((size) => new Uint8Array(size)),
    attachments: fc.constant(undefined),
  });
  fc.assert(fc.property(fields, fc.nat({ max: 9 }), (written, at) => {
    const bytes = header(written, at);
    const read = frame(Kind.Ping);
    readHeader(bytes, at, read);
    assertEquals({ ...read, payload: EMPTY }, { ...written, payload: EMPTY });
    assertEquals(readPayloadSize(bytes, at, 1 << 20), written.payload.length);
  }));
});

Deno.test("readPayloadSize() refuses every length below a header's", () => {
  for (const length of ["00000000", "00000001", "00000013"]) {
    assertThrows(() => readPayloadSize(fromHex(length), 0, 1000), ProtocolError, "at least 20");
  }
  assertEquals(readPayloadSize(fromHex("00000014"), 0, 1000), 0);
});

Deno.test("readPayloadSize() takes frames of maxFrameBytes and refuses larger ones", () => {
  assertEquals(readPayloadSize(fromHex("000003e4"), 0, 1000), 976);
  for (const length of ["000003e5", "7fffffff", "80000000", "ffffffff"]) {
    assertThrows(() => readPayloadSize(fromHex(length), 0, 1000), ProtocolError, "at most 1000");
  }
});

Deno.test("readHeader() refuses every kind that is not in the document", () => {
  const known = new Set<number>(KINDS);
  for (let kind = 0; kind < 256; kind++) {
    const bytes = header(frame(Kind.Call));
    bytes[4] = kind;
    if (known.has(kind)) readHeader(bytes, 0, frame(Kind.Ping));
    else assertThrows(() => readHeader(bytes, 0, frame(Kind.Ping)), ProtocolError, "unknown kind");
  }
});

Deno.test("readHeader() refuses every flag but 1, 2 and 4", () => {
  for (let flags = 0; flags < 256; flags++) {
    const bytes = header(frame(Kind.Call, { flags }));
    if (flags <= 7) readHeader(bytes, 0, frame(Kind.Ping));
    else assertThrows(() => readHeader(bytes, 0, frame(Kind.Ping)), ProtocolError, "flags");
  }
});

Deno.test("readHeader() refuses a call id above 2^31 - 1 and leaves the frame alone", () => {
  for (const call of [0x80000000, 0xffffffff]) {
    const into = frame(Kind.Ping, { value: 5 });
    const bytes = header(frame(Kind.Call, { call, value: 6 }));
    assertThrows(() => readHeader(bytes, 0, into), ProtocolError, `call id ${call}`);
    assertEquals(into, frame(Kind.Ping, { value: 5 }));
  }
});

Deno.test("isKind() knows all kinds and no other", () => {
  const known = Object.values(Kind) as number[];
  const all = Array.from({ length: 256 }, (_, byte) => byte);
  assertEquals(all.filter(isKind).sort(), known.sort());
});
