import { Buffer } from "node:buffer";
import { runInNewContext } from "node:vm";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { EncodeError } from "../../src/errors.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { MAX_BIGINT_BYTES, MAX_DEPTH, MAX_REGEXP_LENGTH } from "../../src/wire/limits.ts";

class User {
  name = "a";
}

function circular(): unknown {
  const list: unknown[] = [];
  list.push({ list });
  return list;
}

function nest(levels: number): unknown {
  let value: unknown = "core";
  for (let i = 0; i < levels; i++) value = i % 2 ? [value] : { a: value };
  return value;
}

function detached<T extends ArrayBufferView | ArrayBuffer>(value: T): T {
  (value instanceof ArrayBuffer ? value : value.buffer as ArrayBuffer).transfer();
  return value;
}

function nestErrors(levels: number): unknown {
  let value: Error | undefined;
  for (let i = 0; i < levels; i++) value = Object.assign(new Error("x"), { value });
  return value;
}

const refused: [what: string, value: unknown, path: string, word: string][] = [
  ["a function", [{ user: { save() {} } }], "args[0].user.save", "function"],
  ["a symbol", [1, [Symbol("s")]], "args[1][0]", "symbol"],
  ["a class", [User], "args[0]", "function"],
  ["a class instance", [{ users: [new User()] }], "args[0].users[0]", "User"],
  ["an anonymous class instance", [new (class {})()], "args[0]", "unnamed class"],
  ["a promise", [{ p: Promise.resolve(1) }], "args[0].p", "await"],
  ["a WeakMap", [new WeakMap()], "args[0]", "WeakMap"],
  ["a boxed number", [Object(5)], "args[0]", "Number"],
  ["an iterable", [(function* () {})()], "args[0]", "iterable"],
  [
    "a key that is no identifier",
    [{ "a-b": { "1": () => {} } }],
    'args[0]["a-b"]["1"]',
    "function",
  ],
  ["an item of a Map", [new Map([["k", () => {}]])], "args[0].k", "function"],
  ["an item of a Set", [new Set([1, () => {}])], "args[0][1]", "function"],
  ["the cause of an error", [new Error("x", { cause: () => {} })], "args[0].cause", "function"],
  [
    "a field of an error",
    [Object.assign(new Error("x"), { save() {} })],
    "args[0].save",
    "function",
  ],
  [
    "a field of an error that is the cause of one",
    [{
      e: new Error("x", { cause: Object.assign(new Error("y"), { a: { fields: [() => {}] } }) }),
    }],
    "args[0].e.cause.a.fields[0]",
    "function",
  ],
  ["errors that are nested too deep", nestErrors(MAX_DEPTH / 2 + 1), "args", "circular"],
  ["the value itself", () => {}, "args", "function"],
  ["something circular", circular(), "args[0].list[0].list", "circular"],
  ["too many levels", nest(MAX_DEPTH + 1), "args", "circular"],
  ["a bigint too large", [{ n: 1n << BigInt(8 * MAX_BIGINT_BYTES) }], "args[0].n", "bigint"],
  [
    "a RegExp too long",
    [{ rules: [new RegExp("a".repeat(MAX_REGEXP_LENGTH + 1))] }],
    "args[0].rules[0]",
    `a RegExp of length ${MAX_REGEXP_LENGTH + 1}; at most ${MAX_REGEXP_LENGTH} can travel`,
  ],
  [
    "a RegExp with many properties of Unicode",
    [{ rules: [new RegExp("\\p{L}\\P{L}".repeat(30), "u")] }],
    "args[0].rules[0]",
    `a RegExp of length ${60 * 69}; at most ${MAX_REGEXP_LENGTH} can travel`,
  ],
  [
    "a RegExp with many sets of emojis",
    [{ rules: [new RegExp("\\p{RGI_Emoji}".repeat(8), "v")] }],
    "args[0].rules[0]",
    `a RegExp of length ${8 * (13 + 64 + 512)}; at most ${MAX_REGEXP_LENGTH} can travel`,
  ],
  [
    "a getter that throws",
    [{
      a: {
        get b() {
          throw new RangeError("own reason");
        },
      },
    }],
    "args[0].a.b",
    "own reason",
  ],
  ...["name", "message"].map((key): typeof refused[0] => [
    `an error whose ${key} has no text`,
    [Object.assign(new Error("x"), { [key]: Object.create(null) })],
    "args[0]",
    "cannot be read",
  ]),
  ["a detached typed array", [detached(new Float32Array(4))], "args[0]", "detached"],
  ["a detached buffer", [detached(new ArrayBuffer(4))], "args[0]", "detached"],
];

for (const [what, value, path, word] of refused) {
  Deno.test(`MessagePackCodec.encode() refuses ${what} and names ${path}`, () => {
    const codec = new MessagePackCodec();
    const error = assertThrows(() => codec.encode(value, "args"), EncodeError);
    assertStringIncludes(error.message, `Cannot send ${path}`);
    assertStringIncludes(error.message, word);
    assertEquals(error.executed, undefined, "the codec cannot know");
    const next = codec.encode(["still", { works: true }], "args");
    assertEquals(codec.decode(next), ["still", { works: true }]);
  });
}

Deno.test("MessagePackCodec.encode() ends a value that has no other end soon behind `maxBytes`", () => {
  const codec = new MessagePackCodec();
  codec.maxBytes = 100_000;
  let read = 0;
  let value: unknown = {
    get leaf() {
      return ++read;
    },
  };
  for (let times = 0; times < 20; times++) value = [value, value];

  const error = assertThrows(() => codec.encode([value], "args"), EncodeError);
  assertStringIncludes(error.message, "Cannot send args: above 100000 bytes; send it in parts");
  assert(read < 2 ** 16, `${read} of ${2 ** 20} leaves were read`);
});

Deno.test("MessagePackCodec.encode() takes what has `maxBytes`, a string that might have had more too", () => {
  const codec = new MessagePackCodec();
  const text = "x".repeat(99_000);
  codec.maxBytes = 99_005;
  assertEquals(codec.encode(text, "args").length, 99_005);
});

Deno.test("MessagePackCodec.encode() names the root as it was told", () => {
  const codec = new MessagePackCodec();
  assertThrows(() => codec.encode(() => {}, "result"), EncodeError, "Cannot send result: ");
  assertThrows(() => codec.encode({ f() {} }, "item"), EncodeError, "Cannot send item.f: ");
});

Deno.test("MessagePackCodec.encode() takes as many levels as decode() does, and no more", () => {
  const codec = new MessagePackCodec();
  assertEquals(codec.decode(codec.encode(nest(MAX_DEPTH), "args")), nest(MAX_DEPTH));
  assertThrows(() => codec.encode(nest(MAX_DEPTH + 1), "args"), EncodeError);
});

Deno.test("MessagePackCodec.encode() takes a Map and a Set that grow meanwhile as they were", () => {
  const codec = new MessagePackCodec();
  const map = new Map<string, unknown>();
  const set = new Set<unknown>();
  const grows = {
    get now() {
      map.set("later", 1);
      set.add("later");
      return 2;
    },
  };
  map.set("a", grows);
  set.add(grows);
  assertEquals(codec.decode(codec.encode(map, "args")), new Map([["a", { now: 2 }]]));
  set.delete("later");
  assertEquals(codec.decode(codec.encode(set, "args")), new Set([{ now: 2 }]));
});

const EXTENDING = {
  OwnMap: new (class OwnMap extends Map {})(),
  OwnSet: new (class OwnSet extends Set {})(),
  OwnDate: new (class OwnDate extends Date {})(),
  OwnArray: new (class OwnArray extends Array {})(),
  OwnRegExp: new (class OwnRegExp extends RegExp {})("a"),
  OwnURL: new (class OwnURL extends URL {})("https://example.com"),
};

for (const [name, value] of Object.entries(EXTENDING)) {
  Deno.test(`an ${name}, which would arrive as what it extends, is refused as any other class`, () => {
    const encode = () => new MessagePackCodec().encode({ value }, "args[0]");
    assertThrows(encode, EncodeError, `args[0].value: it is an instance of ${name}`);
  });
}

Deno.test("arrays of another realm, and bytes of whatever class, travel", () => {
  const codec = new MessagePackCodec();
  const foreign = runInNewContext("[1, [2]]");
  assertEquals(codec.decode(codec.encode(foreign, "args")), [1, [2]]);
  assertEquals(codec.decode(codec.encode(Buffer.from("hi"), "args")), new Uint8Array([104, 105]));
  const bare = Object.setPrototypeOf([1], null);
  assertEquals(codec.decode(codec.encode(bare, "args")), [1]);
});
