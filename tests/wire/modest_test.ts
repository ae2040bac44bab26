import { assertEquals } from "@std/assert";
import { encode } from "@msgpack/msgpack";
import fc from "fast-check";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { isModest } from "../../src/wire/modest.ts";

/** How many values there are in one, keys included. */
function count(value: unknown): number {
  if (typeof value !== "object" || value === null || value instanceof Uint8Array) return 1;
  if (Array.isArray(value)) return value.reduce((sum, item) => sum + count(item), 1);
  return Object.values(value).reduce((sum: number, item) => sum + 1 + count(item), 1);
}

Deno.test("isModest() counts the values of any MessagePack (property)", () => {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "small" },
      fc.constantFrom(null, true, false),
      fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
      fc.double(),
      fc.string({ maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }),
      fc.array(tie("value"), { maxLength: 40 }),
      fc.dictionary(fc.string(), tie("value"), { maxKeys: 40, noNullPrototype: true }),
    ),
  }));
  fc.assert(fc.property(value, (value) => {
    const bytes = encode(value);
    const values = count(value);
    assertEquals([isModest(bytes, values), isModest(bytes, values - 1)], [true, false]);
    const ours = new MessagePackCodec().encode(value, "value").slice();
    assertEquals(isModest(ours, values), true);
    for (const wrong of [bytes.subarray(1), bytes.subarray(0, -1)]) isModest(wrong, values);
    assertEquals(isModest(new Uint8Array([...bytes, 0]), values), false, "more behind it");
  }));
});

Deno.test("isModest() takes large strings, bytes, lists and maps", () => {
  for (const size of [255, 256, 65_535, 65_536]) {
    const list = Array.from({ length: size }, () => 0);
    const map = Object.fromEntries(list.map((_, i) => [`k${i}`, i]));
    const values: [unknown, number][] = [
      ["x".repeat(size), 1],
      [new Uint8Array(size), 1],
      [list, 1 + size],
      [map, 1 + 2 * size],
    ];
    for (const [value, most] of values) {
      assertEquals([isModest(encode(value), most), isModest(encode(value), most - 1)], [
        true,
        false,
      ]);
    }
  }
});

Deno.test("isModest() refuses extensions but for constants, and what is no MessagePack", () => {
  const codec = new MessagePackCodec();
  const is = (value: unknown) => isModest(codec.encode(value, "value").slice(), 10);
  assertEquals([is([undefined, -0]), is(new Set()), is(1n), is(/x/), is(new Date(0))], [
    ...[true, false, false, false, false],
  ]);
  for (
    const bytes of [[], [0xc1], [0x81], [0xdd, 255, 255, 255, 255], [0xc6, 255, 255, 255, 255]]
  ) {
    assertEquals(isModest(new Uint8Array(bytes), 10), false);
  }
});

Deno.test("isModest() looks at any bytes in no more than one go (property)", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    assertEquals(typeof isModest(bytes, 50), "boolean");
  }));
});
