import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import * as oracle from "@msgpack/msgpack";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { assertSame, plainValue } from "./helpers.ts";

const codec = new MessagePackCodec();

function oursToTheirs(value: unknown): unknown {
  return oracle.decode(codec.encode(value, "args"));
}

function theirsToOurs(value: unknown, options?: oracle.EncoderOptions): unknown {
  return codec.decode(oracle.encode(value, options));
}

Deno.test("MessagePackCodec.encode() writes what @msgpack/msgpack reads (property)", () => {
  fc.assert(fc.property(plainValue, (value) => assertSame(oursToTheirs(value), value)), {
    numRuns: 400,
  });
});

Deno.test("MessagePackCodec.decode() reads what @msgpack/msgpack writes (property)", () => {
  fc.assert(fc.property(plainValue, (value) => assertSame(theirsToOurs(value), value)), {
    numRuns: 400,
  });
});

Deno.test("MessagePackCodec writes integers of up to 32 bits as short as @msgpack/msgpack", () => {
  fc.assert(fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 32 - 1 }), (value) => {
    assertEquals(codec.encode(value, "args"), oracle.encode(value));
  }));
});

Deno.test("MessagePackCodec.decode() reads int64 and uint64, a bigint only when it must (property)", () => {
  fc.assert(fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (value) => {
    const number = Number(value);
    const wanted = Number.isSafeInteger(number) ? number : value;
    assertStrictEquals(theirsToOurs(value, { useBigInt64: true }), wanted);
  }));
});

Deno.test("MessagePackCodec.decode() reads int64 and uint64 at the borders", () => {
  const borders = [2n ** 31n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n];
  for (
    const value of [
      ...borders,
      ...borders.map((value) => -value),
      -(2n ** 63n),
      2n ** 64n - 1n,
    ]
  ) {
    const safe = value >= -(2n ** 53n) + 1n && value <= 2n ** 53n - 1n;
    assertStrictEquals(theirsToOurs(value, { useBigInt64: true }), safe ? Number(value) : value);
  }
});

Deno.test("MessagePackCodec.decode() reads float32 (property)", () => {
  fc.assert(fc.property(fc.double(), (value) => {
    assertSame(
      theirsToOurs({ value: [value] }, { forceFloat32: true, forceIntegerToFloat: true }),
      {
        value: [Math.fround(value)],
      },
    );
  }));
});

for (const length of [0, 31, 32, 255, 256, 65535, 65536, 70_000]) {
  Deno.test(`MessagePackCodec and @msgpack/msgpack agree on strings and bytes of ${length}`, () => {
    const texts = ["a".repeat(length), "é".repeat(length >> 1) + "a".repeat(length & 1)];
    for (const value of [...texts, new Uint8Array(length).fill(length)]) {
      assertSame(oursToTheirs(value), value);
      assertSame(theirsToOurs(value), value);
    }
  });
}

for (const length of [0, 15, 16, 65535, 65536]) {
  Deno.test(`MessagePackCodec and @msgpack/msgpack agree on arrays and maps of ${length}`, () => {
    const array = Array.from({ length }, (_, i) => i);
    const map = Object.fromEntries(array.map((i) => [`k${i}`, i]));
    for (const value of [array, map]) {
      assertSame(oursToTheirs(value), value);
      assertSame(theirsToOurs(value), value);
    }
  });
}

Deno.test("MessagePackCodec and @msgpack/msgpack agree on timestamps (property)", () => {
  fc.assert(fc.property(fc.date({ noInvalidDate: true }), (date) => {
    assertSame(theirsToOurs(date), date);
    assertSame(oursToTheirs(date), date);
  }));
});

Deno.test("MessagePackCodec.decode() reads timestamps of 32, 64 and 96 bits", () => {
  const dates: [number, number][] = [[1e12, 6], [1e12 + 5, 10], [2 ** 34 * 1000, 15], [-1, 15]];
  for (const [ms, size] of dates) {
    const bytes = oracle.encode(new Date(ms));
    assertEquals(bytes.length, size);
    assertSame(codec.decode(bytes), new Date(ms));
  }
});
