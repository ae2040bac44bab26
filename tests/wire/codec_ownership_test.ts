import { assertEquals, assertNotEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { EncodeError, ProtocolError } from "../../src/errors.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { frame, Kind } from "../../src/wire/frame.ts";
import { assertSame } from "./helpers.ts";

for (const size of [10, 5_000, 100_000, 3_000_000]) {
  Deno.test(`encode() gives a view of ${size} bytes that the next call may overwrite`, () => {
    const codec = new MessagePackCodec();
    const first = codec.encode(new Uint8Array(size).fill(1), "args");
    const before = first.slice();
    const second = codec.encode(new Uint8Array(size).fill(2), "args");
    assertStrictEquals(first.buffer, second.buffer);
    assertNotEquals(first, before);
  });
}

Deno.test("encode() gives what it should after larger and smaller values", () => {
  const codec = new MessagePackCodec();
  for (const size of [10, 200_000, 3, 70_000, 2_000_000, 1_000, 200_000]) {
    const value = new Uint8Array(size).fill(size & 0xff);
    assertEquals(codec.decode(codec.encode([value, "text"], "args")), [value, "text"]);
  }
});

Deno.test("encode() leaves the source alone and does not alias it", () => {
  const codec = new MessagePackCodec();
  const source = new Uint8Array(100_000).fill(1);
  const payload = codec.encode(source, "args");
  source.fill(2);
  assertEquals(codec.decode(payload), new Uint8Array(100_000).fill(1));
});

Deno.test("decode() gives a value that does not alias the payload", () => {
  const codec = new MessagePackCodec();
  const value = [
    Uint8Array.of(1, 2, 3),
    new Uint8Array(100_000).fill(4),
    Float64Array.of(5, 6),
    Uint8Array.of(7).buffer,
    new DataView(Uint8Array.of(8, 9).buffer),
    { text: "ten".repeat(50) },
  ];
  const payload = codec.encode(value, "args").slice();
  const back = codec.decode(payload);
  payload.fill(0xff);
  assertSame(back, value);
});

Deno.test("decode() reads a payload that is a part of a larger buffer", () => {
  const codec = new MessagePackCodec();
  const payload = codec.encode([1.5, "two", Int32Array.of(3), 4n], "args");
  for (const offset of [0, 1, 2, 3, 7]) {
    const larger = new Uint8Array(payload.length + 20).fill(0xc1);
    larger.set(payload, offset);
    const part = larger.subarray(offset, offset + payload.length);
    assertSame(codec.decode(part), [1.5, "two", Int32Array.of(3), 4n]);
  }
});

Deno.test("encode() may be called from a getter of the value that it encodes", () => {
  const codec = new MessagePackCodec();
  const inner: Uint8Array[] = [];
  const value = {
    before: "b".repeat(30),
    get middle() {
      inner.push(codec.encode({ inner: ["i"] }, "args").slice());
      assertThrows(() => codec.encode(() => {}, "args"), EncodeError);
      return "m";
    },
    after: [1, 2],
  };
  const outer = codec.encode(value, "args");
  assertEquals(codec.decode(outer), { before: "b".repeat(30), middle: "m", after: [1, 2] });
  assertEquals(codec.decode(inner[0]!), { inner: ["i"] });
});

Deno.test("encode() keeps the path of the outer value when a getter encodes another", () => {
  const codec = new MessagePackCodec();
  const value = {
    a: [{
      get b() {
        codec.encode([[["x"]]], "other");
        return () => {};
      },
    }],
  };
  assertThrows(() => codec.encode(value, "args"), EncodeError, "Cannot send args.a[0].b: ");
});

async function* source() {}

Deno.test("encode() numbers the streams in a value and decodePayload() asks for them by number", () => {
  const codec = new MessagePackCodec();
  const [first, second] = [source(), source()];
  const seen: unknown[] = [];
  const addStream = (stream: unknown) => seen.push(stream) === 1 ? 1 : 0xfffe;
  const payload = codec.encode([first, { deep: second }], "args", { addStream }).slice();
  assertEquals(seen.length, 2);
  assertStrictEquals(seen[0], first);
  assertStrictEquals(seen[1], second);
  const streams = new Map([[1, source()], [0xfffe, source()]]);
  const call = frame(Kind.Call, { payload });
  const decoded = codec.decodePayload(call, (number) => streams.get(number)!);
  const [one, { deep }] = decoded as [unknown, { deep: unknown }];
  assertStrictEquals(one, streams.get(1));
  assertStrictEquals(deep, streams.get(0xfffe));
  assertThrows(() => codec.decode(payload), ProtocolError, "stream");
});
