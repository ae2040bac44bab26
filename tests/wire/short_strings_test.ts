import { assertEquals, assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { KeyCache, readAscii, SHORT_STRING, writeAscii } from "../../src/wire/short_strings.ts";

const utf8 = (text: string) => new TextEncoder().encode(text);

Deno.test("readAscii() reads what writeAscii() writes, and both refuse anything else", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 40 }), fc.nat(9), (text, at) => {
    // deno-lint-ignore no-control-regex -- that is what ASCII is
    const isAscii = /^[\x00-\x7f]*$/.test(text);
    const bytes = new Uint8Array(at + text.length);
    assertEquals(writeAscii(text, bytes, at), isAscii);
    const encoded = utf8(text);
    assertEquals(readAscii(encoded, 0, encoded.length), isAscii ? text : undefined);
  }));
});

Deno.test("KeyCache finds a key that was added, until another one takes its place", () => {
  const cache = new KeyCache();
  const bytes = utf8("..name..");
  assertEquals(cache.find(bytes, 2, 4), undefined);
  assertEquals(cache.add("name", 4), "name");
  assertEquals(cache.find(bytes, 2, 4), "name");
  cache.add("nbme", 4); // the same ends and the same middle, so the same place
  assertEquals(cache.find(bytes, 2, 4), undefined);
  assertEquals(cache.find(utf8("nbme"), 0, 4), "nbme");
});

Deno.test("KeyCache takes no key for another one, whatever the bytes", () => {
  const cache = new KeyCache();
  const key = fc.string({ unit: fc.constantFrom("a", "b", "é", "日", "\u0000"), maxLength: 6 });
  fc.assert(fc.property(key, fc.uint8Array({ maxLength: 6 }), (text, noise) => {
    cache.add(text, new TextEncoder().encode(text).length);
    for (const bytes of [utf8(text), noise, Uint8Array.from(text, (c) => c.charCodeAt(0))]) {
      const found = cache.find(bytes, 0, bytes.length);
      if (found !== undefined) assertEquals(utf8(found), bytes);
    }
  }));
});

Deno.test("keys and strings of every length around the limits come back, often", () => {
  const codec = new MessagePackCodec();
  for (let length = 0; length <= SHORT_STRING + 2; length++) {
    for (const letter of ["a", "é", "日"]) {
      const text = "x".repeat(Math.max(0, length - 1)) + letter;
      const value = [{ [text]: text }, { [text]: 1, [`${text}y`]: 2 }];
      for (let i = 0; i < 2; i++) {
        assertEquals(codec.decode(codec.encode(value, "value").slice()), value);
      }
    }
  }
});

Deno.test("a key that was seen often makes no prototype", () => {
  const codec = new MessagePackCodec();
  const value = JSON.parse('{"__proto__": {"polluted": true}}');
  for (let i = 0; i < 3; i++) {
    const back = codec.decode(codec.encode(value, "value").slice()) as object;
    assertStrictEquals(Object.getPrototypeOf(back), Object.prototype);
    assertEquals(Object.keys(back), ["__proto__"]);
  }
});
