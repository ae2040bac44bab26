import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { BINARY_VIEWS } from "../../src/wire/extensions.ts";
import { anyValue, assertSame, roundTrip, withProtoSetter } from "./helpers.ts";

function comesBack(what: string, values: readonly unknown[]): void {
  Deno.test(`MessagePackCodec brings back ${what}`, () => {
    for (const value of values) assertSame(roundTrip(value), value);
    assertSame(roundTrip([...values]), [...values]);
    assertSame(roundTrip({ a: values[0], b: { c: values } }), { a: values[0], b: { c: values } });
  });
}

const integers = [7, 8, 15, 16, 31, 32, 33, 48, 52, 53, 54, 63, 64]
  .flatMap((bits) => [2 ** bits - 1, 2 ** bits, 2 ** bits + 1])
  .concat(0, 1, 31, 32, 33);

comesBack("constants", [null, undefined, true, false]);
comesBack("integers of any size, safe or not", integers);
comesBack("negative integers of any size, safe or not", integers.map((value) => -value));
comesBack("special numbers", [
  -0,
  NaN,
  Infinity,
  -Infinity,
  0.1,
  -1.5,
  5e-324,
  Number.MAX_VALUE,
  Number.EPSILON,
]);
comesBack(
  "bigints of any sign and size",
  [0n, 1n, 127n, 128n, 255n, 256n, 2n ** 53n, 2n ** 63n, 2n ** 64n, 10n ** 1000n, 2n ** 4096n - 1n]
    .flatMap((value) => [value, -value]),
);

for (const [name, character] of [["a", "a"], ["é", "é"], ["€", "€"], ["😀", "😀"]] as const) {
  const lengths = [0, 1, 5, 6, 7, 8, 10, 11, 12, 15, 16, 23, 24, 25, 31, 32, 33, 63, 84, 85, 86];
  const borders = [127, 128, 254, 255, 256, 257, 21845, 21846, 32767, 32768, 65535, 65536];
  const strings = [...lengths, ...borders].map((length) => character.repeat(length));
  Deno.test(`MessagePackCodec brings back strings of "${name}" around every size border`, () => {
    for (const text of strings) {
      assertStrictEquals(roundTrip(text), text);
      assertStrictEquals(roundTrip(`ascii first ${text}`), `ascii first ${text}`);
    }
  });
}

comesBack("odd strings", [
  "\uFEFF",
  "\uFEFFa",
  "a\uFEFF",
  "\0",
  "\0\0a",
  "a\u0301",
  "\u2028",
  "𝒳𝒴",
  "\x7f",
  "\x80",
  "a\x80",
  "\xff",
]);
comesBack("dates, invalid and extreme ones too", [
  new Date(0),
  new Date(1),
  new Date(-1),
  new Date(-999),
  new Date(-1000),
  new Date(1_234_567_890_123),
  new Date(2 ** 32 * 1000),
  new Date(2 ** 34 * 1000),
  new Date(8.64e15),
  new Date(-8.64e15),
  new Date(NaN),
]);
comesBack("regular expressions", [/a/, /a/g, /[/]\/"/dgimsuy, new RegExp(""), /[\p{L}--a]/v]);
comesBack("URLs", [new URL("https://a.example:8443/b?c=d#e"), new URL("data:,é"), new URL("x:y")]);

for (const View of BINARY_VIEWS) {
  if (View === undefined) continue;
  Deno.test(`MessagePackCodec brings back a ${View.name}, empty, aligned or a part of a buffer`, () => {
    const buffer = Uint8Array.from({ length: 64 }, (_, i) => i * 7).buffer;
    const Part = View as unknown as new (
      buffer: ArrayBuffer,
      offset?: number,
      length?: number,
    ) => ArrayBufferView;
    const values = [new Part(buffer), new Part(buffer, 8, 3), new Part(new ArrayBuffer(0))];
    for (const value of values) {
      for (const padding of ["", "a", "ab", "abc"]) {
        const [, back] = roundTrip([padding, value]) as [string, ArrayBufferView];
        assertSame(back, value);
        assertEquals([back.byteOffset, back.buffer.byteLength], [0, value.byteLength]);
      }
    }
  });
}

Deno.test("MessagePackCodec brings back byte arrays around every size border", () => {
  for (const length of [0, 1, 255, 256, 257, 32767, 32768, 65535, 65536, 200_000]) {
    const value = Uint8Array.from({ length }, (_, i) => i);
    assertSame(roundTrip(value), value);
    assertSame(roundTrip(value.subarray(length >> 1)), value.slice(length >> 1));
    assertSame(roundTrip(value.buffer), value.buffer);
  }
});

Deno.test("MessagePackCodec knows Float16Array where the runtime does", () => {
  const runtime = globalThis as { Float16Array?: new (items: number[]) => unknown };
  if (runtime.Float16Array === undefined) return;
  const value = new runtime.Float16Array([1, -0.5, Infinity]);
  assertSame(roundTrip(value), value);
});

comesBack("arrays around every size border", [
  [],
  Array(15).fill(1),
  Array(16).fill("a"),
  Array(65535).fill(null),
  Array(65536).fill(false),
  [[[[]]], [{}]],
]);

Deno.test("MessagePackCodec brings back holes of arrays as undefined", () => {
  // deno-lint-ignore no-sparse-arrays -- what the test is about
  const back = roundTrip([1, , 3, ,]) as unknown[];
  assertSame(back, [1, undefined, 3, undefined]);
  assertEquals(roundTrip(new Array(3)), [undefined, undefined, undefined]);
});

comesBack(
  "plain objects around every size border",
  [0, 1, 15, 16, 65535, 65536].map((size) =>
    Object.fromEntries(Array.from({ length: size }, (_, i) => [`k${i}`, i]))
  ),
);

comesBack("keys that every object inherits", [{
  constructor: 1,
  toString: null,
  hasOwnProperty: "x",
  valueOf: undefined,
  "": 0,
  "é😀": { "\uFEFF": 1 },
}]);

Deno.test("MessagePackCodec brings back an own __proto__ key and pollutes no prototype", () => {
  const value = JSON.parse('{"__proto__": {"polluted": 1}, "a": {"__proto__": null}}');
  const back = withProtoSetter(() => roundTrip(value)) as Record<string, unknown>;
  assertEquals(Object.keys(back), ["__proto__", "a"]);
  assertSame(back, value);
  assertStrictEquals(Object.getPrototypeOf(back), Object.prototype);
  assert(!("polluted" in {}));
  assert(!("polluted" in back));
});

Deno.test("MessagePackCodec brings back a null-prototype object as a plain one", () => {
  const value = Object.assign(Object.create(null), { a: 1, constructor: 2 });
  assertSame(roundTrip(value), { a: 1, constructor: 2 });
});

Deno.test("MessagePackCodec sends own enumerable string keys only", () => {
  const value = Object.defineProperty({ a: 1, [Symbol("s")]: 2 }, "hidden", { value: 3 });
  assertSame(roundTrip(value), { a: 1 });
});

comesBack("maps and sets, nested and with keys of any kind", [
  new Map(),
  new Set(),
  new Map<unknown, unknown>([[1, "a"], ["1", "b"], [null, 1], [undefined, 2], [NaN, 3], [[], {}]]),
  new Map([[new Map([[1, 2]]), new Set([new Map([["a", new Set([1])]])])]]),
  new Set<unknown>([1, "1", null, undefined, NaN, 1n, [], {}, new Set()]),
]);

Deno.test("MessagePackCodec brings back a Map with a null-prototype object as key", () => {
  const key = Object.assign(Object.create(null), { id: 1 });
  assertSame(roundTrip(new Map([[key, 1]])), new Map([[{ id: 1 }, 1]]));
});

Deno.test("MessagePackCodec brings back any nested value that can travel (property)", () => {
  fc.assert(fc.property(anyValue, (value) => assertSame(roundTrip(value), value)), {
    numRuns: 500,
  });
});

Deno.test("MessagePackCodec brings back bigints of any size (property)", () => {
  const bigint = fc.bigInt({ min: -(2n ** 2000n), max: 2n ** 2000n });
  fc.assert(fc.property(bigint, (value) => assertStrictEquals(roundTrip(value), value)));
});

Deno.test("MessagePackCodec brings back the largest bigint that it takes", () => {
  const value = 2n ** BigInt(8 * (64 * 1024 - 1)) - 1n;
  assertStrictEquals(roundTrip(value), value);
  assertStrictEquals(roundTrip(-value), -value);
});
