import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { EncodeError } from "../../mod.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { KeyPlaces, KnownKeys } from "../../src/wire/key_places.ts";
import { assertSame } from "./helpers.ts";

const bytes = Uint8Array.of(0xa1, 97, 0xa2, 98, 99);

Deno.test("KeyPlaces finds a key in the place where it was, if the bytes are the same", () => {
  const places = new KeyPlaces();
  places.set(0, "a", bytes, 0, 2);
  places.set(1, "bc", bytes, 2, 5);
  assertEquals(places.find(0, bytes, 0, 5), "a");
  assertEquals(places.find(1, bytes, 2, 5), "bc");
  assertEquals(places.find(1, bytes, 2, 4), undefined, "beyond the end");
  assertEquals(places.find(0, bytes, 2, 5), undefined);
  assertEquals(places.find(1, bytes, 0, 5), undefined);
  assertEquals(places.find(2, bytes, 0, 5), undefined);
  places.set(1, "a", bytes, 0, 2);
  assertEquals(places.find(1, bytes, 0, 5), "a");
});

Deno.test("KeyPlaces remembers neither far places nor long keys, and not every one that differs", () => {
  const places = new KeyPlaces();
  places.set(3, "a", bytes, 0, 2);
  places.set(0, "k".repeat(100), new Uint8Array(102), 0, 102);
  assertEquals(places.texts, []);
  for (let place = 0; place < 100; place++) places.set(place, "a", bytes, 0, 2);
  assertEquals(places.texts.length, 64);
  let remembered = 0;
  for (let i = 0; i < 100_000; i++) {
    places.set(0, String(i), bytes, 0, 2);
    if (places.texts[0] === String(i)) remembered++;
  }
  assertEquals(remembered > 1000 && remembered < 10_000, true, `${remembered}`);
});

Deno.test("KnownKeys has places of their own for the upper depths, and some for all below", () => {
  const known = new KnownKeys();
  assertEquals(known.at(2) === known.at(2), true);
  assertEquals(known.at(2) === known.at(3), false);
  assertEquals(known.at(100) === known.at(128), true);
});

Deno.test("objects of all shapes come back one after the other, as they would alone (property)", () => {
  const key = fc.oneof(
    fc.constantFrom("id", "name", "ident", "na", "__proto__", "ä", "", "x".repeat(50)),
    fc.string({ maxLength: 5, unit: "binary-ascii" }),
  );
  const item = fc.letrec((tie) => ({
    value: fc.oneof({ depthSize: "small" }, fc.integer(), fc.boolean(), tie("object"), tie("list")),
    list: fc.array(tie("value"), { maxLength: 4 }),
    object: fc.dictionary(key, tie("value"), { maxKeys: 6, noNullPrototype: true }),
  })).object;
  const codec = new MessagePackCodec();
  fc.assert(fc.property(fc.array(item, { maxLength: 8 }), (values) => {
    const payload = codec.encode(values, "args").slice();
    assertEquals(payload, new MessagePackCodec().encode(values, "args"));
    assertSame(codec.decode(payload), values);
  }));
});

Deno.test("encode() sends an object's own fields only, whatever all objects inherit", () => {
  const codec = new MessagePackCodec();
  const prototype = Object.prototype as unknown as Record<string, unknown>;
  prototype.everywhere = 1;
  try {
    const payload = codec.encode([{ own: 2 }, new Error("e")], "args").slice();
    delete prototype.everywhere;
    const [object, error] = codec.decode(payload) as [object, Error];
    assertEquals([Object.keys(object), error.message], [["own"], "e"]);
  } finally {
    delete prototype.everywhere;
  }
});

Deno.test("encode() refuses an object whose getter takes fields away", () => {
  const value: Record<string, unknown> = {
    get first() {
      delete value.second;
      return 1;
    },
    second: 2,
  };
  const codec = new MessagePackCodec();
  assertThrows(
    () => codec.encode([value], "args"),
    EncodeError,
    "args[0]: it was changed meanwhile",
  );
  assertSame(codec.decode(codec.encode([{ first: 1 }], "args")), [{ first: 1 }]);
});
