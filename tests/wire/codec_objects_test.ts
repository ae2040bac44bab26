import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { EncodeError } from "../../mod.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { assertSame } from "./helpers.ts";

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
