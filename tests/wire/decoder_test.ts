import { assert, assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../src/errors.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { frame, Kind } from "../../src/wire/frame.ts";
import {
  MAX_BIGINT_BYTES,
  MAX_COMPOUND_VALUES,
  MAX_DEPTH,
  MAX_REGEXP_LENGTH,
} from "../../src/wire/limits.ts";
import { assertSame, fromHex, withProtoSetter } from "./helpers.ts";

/** Fails unless the bytes are refused, and the codec works as before afterwards. */
function assertRefused(
  bytes: Uint8Array | string,
  codec = new MessagePackCodec(),
  why = "Cannot decode the payload",
): void {
  assertThrows(
    () => codec.decode(typeof bytes === "string" ? fromHex(bytes) : bytes),
    ProtocolError,
    why,
  );
  assertEquals(codec.decode(fromHex("92 01 a161")), [1, "a"]);
}

/** `value`, wrapped `levels` times in `head`, which is followed by the length of what it holds. */
function nestInExtension(type: number, inner: string, levels: number, core: string): Uint8Array {
  const prefix = fromHex(inner);
  const size = 6 + prefix.length;
  const end = fromHex(core);
  const bytes = new Uint8Array(size * levels + end.length);
  const view = new DataView(bytes.buffer);
  for (let i = 0; i < levels; i++) {
    bytes[i * size] = 0xc9;
    view.setUint32(i * size + 1, bytes.length - i * size - 6);
    bytes[i * size + 5] = type;
    bytes.set(prefix, i * size + 6);
  }
  bytes.set(end, size * levels);
  return bytes;
}

const sample: unknown = [
  { name: "a", long: "é".repeat(40), n: [1, -1, 300, -70_000, 2 ** 40, 0.5, -0, NaN] },
  new Map<unknown, unknown>([["k", new Set([1, undefined])], [1n, new Date(5)]]),
  Object.assign(new TypeError("wrong", { cause: [1] }), { code: "E" }),
  new AggregateError([1, new Error("inner")], "all"),
  [/a+/gi, new URL("http://a/b"), -(10n ** 40n), null, true, false],
  [Uint8Array.of(1, 2), Float64Array.of(1.5), Uint8Array.of(3).buffer],
];

Deno.test("decode() refuses a payload that ends anywhere before its end", () => {
  const codec = new MessagePackCodec();
  const bytes = codec.encode(sample, "args").slice();
  for (let length = 0; length < bytes.length; length++) {
    assertThrows(() => codec.decode(bytes.subarray(0, length)), ProtocolError);
  }
  assertSame(codec.decode(bytes), sample);
});

Deno.test("decode() refuses bytes after the value", () => {
  for (const rest of ["00", "c1", "ff".repeat(1000)]) assertRefused(`9101${rest}`);
});

const lies: [what: string, hex: string][] = [
  ["array32", "dd ffffffff"],
  ["array16", "dc ffff"],
  ["fixarray", "9f 00"],
  ["map32", "df ffffffff"],
  ["map32 of half of what fits", "df 00000003 a0 00 a0 00"],
  ["map16", "de ffff"],
  ["fixmap", "8f a0 00"],
  ["bin32", "c6 ffffffff"],
  ["bin16", "c5 ffff"],
  ["bin8", "c4 ff"],
  ["str32", "db ffffffff"],
  ["str16", "da ffff"],
  ["str8", "d9 ff"],
  ["fixstr", "bf 61"],
  ["ext32", "c9 ffffffff 04"],
  ["ext16", "c8 ffff 02"],
  ["ext8", "c7 ff 08"],
  ["fixext16", "d8 02 00"],
  ["array32 within a Set", "c9 00000005 04 dd ffffffff"],
  ["array32 within a Map that sees the bytes after it", "92 c7 05 03 dd 00000003 010203"],
  ["map32 within an Error", "c9 00000005 07 df ffffffff"],
  ["str32 as a key", "81 db ffffffff"],
  ["bytes of a URL", "c7 05 06 61"],
  ["array32 of 2^31 in many arrays", "dd 80000000 ".repeat(100)],
];

for (const [what, hex] of lies) {
  Deno.test(`decode() refuses an announced length above what is left: ${what}`, () => {
    // What a list holds is not looked at.
    const why = /array|map/.test(what) ? "elements announced" : "bytes announced";
    assertRefused(hex, undefined, why);
    assertRefused(`91${hex.replaceAll(" ", "")}`, undefined, why);
  });
}

const malformed: [what: string, hex: string][] = [
  ["nothing", ""],
  ["the tag that is never used", "c1"],
  ["the tag that is never used, nested", "91 c1"],
  ["an unknown extension", "d4 7f 00"],
  ["an unknown negative extension", "d4 80 00"],
  ["an empty extension", "c7 00 01"],
  ["an unknown constant", "d4 01 02"],
  ["a constant of two bytes", "d5 01 00 00"],
  ["a timestamp of another size", "c7 05 ff 0000000000"],
  ["an empty bigint", "c7 00 02"],
  ["a bigint with an unknown sign", "c7 02 02 05 01"],
  ["a Map that holds no array", "c7 01 03 01"],
  ["a Map with a key but no value", "c7 02 03 91 01"],
  ["a Set that holds a map", "c7 01 04 80"],
  ["a Set with bytes after its array", "c7 02 04 90 00"],
  ["a Set with bytes after its array that could be the next value", "92 c7 02 04 90 00"],
  ["a RegExp of numbers", "c7 03 05 92 01 02"],
  ["a RegExp without flags", "c7 03 05 91 a161"],
  ["a RegExp that is none", "c7 04 05 92 a128 a0"],
  ["a RegExp with flags that are none", "c7 05 05 92 a161 a17a"],
  ["a URL that is none", "c7 01 06 61"],
  ["an Error that holds an array", "c7 01 07 90"],
  ["an Error that holds an Error", `c7 15 07 c7 12 07 82 a46e616d65 a145 a76d657373616765 a16d`],
  ["an Error that holds nil", "c7 01 07 c0"],
  ["an Error that is empty", "c7 01 07 80"],
  ["an Error without a name", "c7 0b 07 81 a76d657373616765 a16d"],
  ["a view of an unknown kind", "c7 02 08 0d 00"],
  ["a view without a kind", "c7 00 08"],
  ["an Int16Array of three bytes", "c7 04 08 03 000000"],
  ["a stream where none is allowed", "d5 09 0001"],
  ["a stream of one byte", "d4 09 01"],
  ["a number as a key", "81 01 01"],
  ["a number below zero as a key", "81 ff 01"],
  ["nil as a key", "81 c0 01"],
  ["bytes as a key", "81 c401 61 01"],
  ["an array as a key", "81 90 01"],
  ["a long array as a key", "81 dc 0000 01"],
  ["a key without a value", "81 a161"],
  ["invalid UTF-8", "a1 ff"],
  ["a UTF-8 sequence cut off", "a2 61 c3"],
  ["an overlong UTF-8 sequence", "a2 c0 80"],
  ["a surrogate in UTF-8", "a3 ed a0 80"],
  ["invalid UTF-8 in a long string", `d9 28 ${"61".repeat(39)} 80`],
  ["invalid UTF-8 in a key", "81 a1 ff 01"],
  ["invalid UTF-8 in a URL", "c7 09 06 687474703a2f2f ff 2f"],
];

for (const [what, hex] of malformed) {
  Deno.test(`decode() refuses ${what}`, () => {
    assertRefused(hex);
    assertRefused(`81a161 ${hex}`);
  });
}

Deno.test("decode() takes so many lists, objects and the like in one value, and no more", () => {
  const codec = new MessagePackCodec();
  for (
    const [each, cost] of [["80", 1], ["90", 1], ["c400", 1], ["d40101", 1], [
      "c70306613a62",
      16,
    ]] as const
  ) {
    const most = Math.floor((MAX_COMPOUND_VALUES - 1) / cost); // one is the list
    const one = fromHex(each);
    for (const count of [most, most + 1]) {
      const bytes = new Uint8Array(5 + count * one.length);
      bytes[0] = 0xdd;
      new DataView(bytes.buffer).setUint32(1, count);
      for (let at = 5; at < bytes.length; at += one.length) bytes.set(one, at);
      if (count === most) assertEquals((codec.decode(bytes) as unknown[]).length, most);
      else assertThrows(() => codec.decode(bytes), ProtocolError, "too many values");
    }
  }
});

for (
  const [what, most, more] of [
    ["characters", "é".repeat(MAX_REGEXP_LENGTH), "é"],
    ["properties of Unicode", `${"\\p{L}".repeat(59)}${"a".repeat(25)}`, "a"],
    ["sets of emojis", `${"\\p{RGI_Emoji}".repeat(6)}${"a".repeat(562)}`, "a"],
  ] as const
) {
  Deno.test(`decode() takes a RegExp with so many ${what}, and no more`, () => {
    const codec = new MessagePackCodec();
    for (const source of [most, most + more]) {
      const parts = codec.encode([source, "v"], "args").slice();
      const bytes = new Uint8Array([...fromHex("c8 0000 05"), ...parts]);
      new DataView(bytes.buffer).setUint16(1, parts.length);
      if (source !== most) assertRefused(bytes, codec);
      else assertEquals((codec.decode(bytes) as RegExp).source, source);
    }
  });
}

for (
  const [what, source, length] of [
    ["long RegExps", "a".repeat(MAX_REGEXP_LENGTH), MAX_REGEXP_LENGTH],
    ["RegExps with properties of Unicode", "[\\p{N}a\\P{P}]", 13 + 2 * 64],
    ["RegExps with sets of emojis", "\\p{RGI_Emoji}", 13 + 64 + 512],
  ] as const
) {
  Deno.test(`decode() takes so many ${what} in one value, and no more`, () => {
    const codec = new MessagePackCodec();
    const cost = 1 + 16 + length ** 2 / 16; // of its list, and its own
    const most = Math.floor((MAX_COMPOUND_VALUES - 1) / cost);
    const bytes = (count: number) => codec.encode(Array(count).fill(new RegExp(source, "v")), "");
    assertEquals((codec.decode(bytes(most)) as unknown[]).length, most);
    assertThrows(() => codec.decode(bytes(most + 1)), ProtocolError, "too many values");
  });
}

Deno.test("decode() takes MAX_DEPTH levels of arrays and maps, and no more", () => {
  const codec = new MessagePackCodec();
  codec.decode(fromHex("91".repeat(MAX_DEPTH) + "c0"));
  codec.decode(fromHex("81a0".repeat(MAX_DEPTH) + "c0"));
  assertRefused("91".repeat(MAX_DEPTH + 1) + "c0", codec);
  assertRefused("81a0".repeat(MAX_DEPTH + 1) + "c0", codec);
});

for (const levels of [MAX_DEPTH + 1, 200_000]) {
  Deno.test(`decode() refuses ${levels} levels of whatever can hold something`, () => {
    const codec = new MessagePackCodec();
    assertRefused(fromHex("91".repeat(levels) + "c0"), codec);
    assertRefused(fromHex("81a0".repeat(levels) + "c0"), codec);
    assertRefused(nestInExtension(3, "92c0", levels, "c0"), codec);
    assertRefused(nestInExtension(4, "91", levels, "c0"), codec);
    assertRefused(nestInExtension(7, "82 a76d657373616765 a0 a46e616d65", levels, "c0"), codec);
    for (const type of [3, 4, 5, 7]) assertRefused(nestInExtension(type, "", levels, "90"), codec);
  });
}

Deno.test("decode() counts the levels of extensions directly in extensions, or refuses them", () => {
  const codec = new MessagePackCodec();
  const error = assertThrows(
    () => codec.decode(nestInExtension(4, "", 100_000, "90")),
    ProtocolError,
  );
  assert(!(error.cause instanceof RangeError), "the stack was exhausted");
});

Deno.test("decode() takes every head that MessagePack allows for the same value", () => {
  const codec = new MessagePackCodec();
  for (const hex of ["a161", "d90161", "da000161", "db0000000161"]) {
    assertEquals(codec.decode(fromHex(hex)), "a");
    assertEquals(codec.decode(fromHex(`81${hex}c3`)), { a: true });
  }
  for (
    const hex of ["01", "cc01", "cd0001", "ce00000001", "cf0000000000000001", "d001", "d10001"]
  ) {
    assertEquals(codec.decode(fromHex(hex)), 1);
  }
  for (const hex of ["d200000001", "d30000000000000001", "ca3f800000", "cb3ff0000000000000"]) {
    assertEquals(codec.decode(fromHex(hex)), 1);
  }
  for (const hex of ["9101", "dc000101", "dd0000000101"]) {
    assertEquals(codec.decode(fromHex(hex)), [1]);
  }
  for (const hex of ["d4 01 00", "c7 01 01 00", "c8 0001 01 00", "c9 00000001 01 00"]) {
    assertEquals(codec.decode(fromHex(hex)), undefined);
  }
  for (
    const hex of ["d5 02 01 05", "c7 02 02 01 05", "d6 02 01 000005", "d7 02 01 00000000000005"]
  ) {
    assertEquals(codec.decode(fromHex(hex)), -5n);
  }
});

Deno.test("decode() gives the last of several values of one key", () => {
  assertEquals(new MessagePackCodec().decode(fromHex("82 a161 01 a161 02")), { a: 2 });
});

Deno.test("decode() gives fields of an error that name its own properties no power over others", () => {
  const codec = new MessagePackCodec();
  const bytes = fromHex(
    "c9 00000028 07 83 a46e616d65 a145 a76d657373616765 a16d a66669656c6473 81 a95f5f70726f746f5f5f 81 a161 01",
  );
  const error = withProtoSetter(() => codec.decode(bytes)) as Error;
  assert(error instanceof Error);
  assert(!("a" in error) && !("a" in {}));
  assertEquals(Object.keys(error), ["__proto__"]);
});

Deno.test("decode() refuses a bigint above MAX_BIGINT_BYTES", () => {
  const size = MAX_BIGINT_BYTES + 2;
  const bytes = new Uint8Array(6 + size).fill(0xff);
  bytes.set([0xc9, 0, size >>> 16, size >>> 8, size, 2, 0]);
  assertRefused(bytes);
});

Deno.test("decodePayload() passes no error through that a stream reader throws", () => {
  const codec = new MessagePackCodec();
  const reader = () => {
    throw new TypeError("own");
  };
  const call = frame(Kind.Call, { payload: fromHex("d5 09 0001") });
  assertThrows(() => codec.decodePayload(call, reader), ProtocolError);
});
