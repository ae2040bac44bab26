import { assertEquals, assertThrows } from "@std/assert";
import { encode, type ValueType } from "@std/msgpack";
import fc from "fast-check";
import { ProtocolError } from "../../src/errors.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import {
  decodeDirectoryChange,
  decodeHello,
  decodeNames,
  decodeProof,
  decodeRefusal,
  decodeTargets,
  decodeWelcome,
  type DirectoryChange,
  encodeControl,
  nameProblem,
  readNames,
} from "../../src/wire/control.ts";
import { MAX_CALLBACKS_PER_NODE, MAX_NAME_BYTES } from "../../src/wire/limits.ts";
import { fromHex, withProtoSetter } from "./helpers.ts";

const name = fc.string({ unit: "binary", minLength: 1, maxLength: 60 })
  .filter((text) => nameProblem(text) === undefined);
const id = fc.integer({ min: 0, max: 0xffffffff });
const named = fc.array(fc.tuple(id, name), { maxLength: 20 });
const process = fc.tuple(id, name, named);

const hello = {
  process: "p",
  instance: "i",
  maxFrameBytes: 65536,
  callbacks: ["add", "é", "__proto__"],
};
const welcome = {
  id: 1,
  controller: "c",
  maxFrameBytes: 65536,
  processes: [[1, "p", [[1, "add"], [2, "é"]]], [2, "q", []]],
};
const changes: DirectoryChange[] = [
  { type: "join", process: [0xffffffff, "p", [[0, "a"]]] },
  { type: "leave", id: 1, graceful: true },
  { type: "leave", id: 1, graceful: false },
  { type: "offer", id: 2, callbacks: [[1, "a"], [2, "b"]] },
  { type: "withdraw", id: 2, callbacks: [1, 2] },
];

Deno.test("decodeHello() reads what encodeControl() wrote (property)", () => {
  const any = fc.record({
    process: name,
    instance: name,
    maxFrameBytes: id,
    callbacks: fc.array(name, { maxLength: 20 }),
  });
  fc.assert(fc.property(any, (value) => assertEquals(decodeHello(encodeControl(value)), value)));
});

Deno.test("decodeWelcome() reads what encodeControl() wrote (property)", () => {
  const any = fc.record({
    id,
    controller: name,
    maxFrameBytes: id,
    processes: fc.array(process, { maxLength: 5 }),
  });
  fc.assert(fc.property(any, (value) => assertEquals(decodeWelcome(encodeControl(value)), value)));
});

Deno.test("decodeDirectoryChange() reads what encodeControl() wrote (property)", () => {
  const any: fc.Arbitrary<DirectoryChange> = fc.oneof(
    fc.record({ type: fc.constant("join" as const), process }),
    fc.record({ type: fc.constant("leave" as const), id, graceful: fc.boolean() }),
    fc.record({ type: fc.constant("offer" as const), id, callbacks: named }),
    fc.record({ type: fc.constant("withdraw" as const), id, callbacks: fc.array(id) }),
  );
  fc.assert(fc.property(any, (value) => {
    assertEquals(decodeDirectoryChange(encodeControl(value)), value);
  }));
});

Deno.test("decodeRefusal(), decodeNames() and decodeTargets() read what encodeControl() wrote", () => {
  const refusal = { code: "PROTOCOL", message: "" };
  assertEquals(decodeRefusal(encodeControl(refusal)), refusal);
  assertEquals(decodeNames(encodeControl(["a", "__proto__"])), ["a", "__proto__"]);
  assertEquals(decodeNames(encodeControl([])), []);
  assertEquals(decodeTargets(encodeControl([0, 1, 0xffffffff])), [0, 1, 0xffffffff]);
});

Deno.test("nameProblem() refuses what is no name and takes MAX_NAME_BYTES bytes", () => {
  assertEquals(nameProblem("a"), undefined);
  assertEquals(nameProblem("é".repeat(MAX_NAME_BYTES / 2)), undefined);
  assertEquals(nameProblem("é".repeat(MAX_NAME_BYTES / 2) + "a"), "must have at most 256 bytes");
  assertEquals(nameProblem("a".repeat(MAX_NAME_BYTES + 1)), "must have at most 256 bytes");
  assertEquals(nameProblem(""), "must not be empty");
  assertEquals(nameProblem(5), "must be a string, not number");
});

for (const odd of ["\uFEFFadd", "\ud800add", "add\udc00"]) {
  Deno.test(`nameProblem() refuses ${JSON.stringify(odd)}, or it arrives as it is`, () => {
    if (nameProblem(odd) === undefined) assertEquals(decodeNames(encodeControl([odd])), [odd]);
  });
}

Deno.test("decodeNames() says what is wrong with it, whatever frame it is of", () => {
  assertThrows(
    () => decodeNames(encodeControl([1])),
    ProtocolError,
    "Cannot decode the control payload: callbacks[] must be a string, not number",
  );
});

const bad: unknown[] = [null, -1, 1.5, 2 ** 32, true, "", "a".repeat(257), [], {}, [[]], [1, [2]]];

/** Each value, with each field in turn missing or of every other type. */
function* broken(value: Record<string, unknown>): Generator<[string, Record<string, unknown>]> {
  for (const key of Object.keys(value)) {
    const { [key]: good, ...rest } = value;
    yield [`no ${key}`, rest];
    for (const other of bad) {
      if (Array.isArray(good) && Array.isArray(other) && other.length === 0) continue;
      if (typeof good === "boolean" && typeof other === "boolean") continue;
      yield [`${key} ${JSON.stringify(other)?.slice(0, 12)}`, { ...rest, [key]: other }];
    }
  }
}

const readers: [what: string, decode: (bytes: Uint8Array) => unknown, good: object][] = [
  ["decodeHello()", decodeHello, hello],
  ["decodeWelcome()", decodeWelcome, welcome],
  ["decodeRefusal()", decodeRefusal, { code: "C", message: "m" }],
  ...changes.filter((_, i) => i !== 2).map((change): typeof readers[number] => [
    `decodeDirectoryChange() of ${change.type}`,
    decodeDirectoryChange,
    change,
  ]),
];

for (const [what, decode, good] of readers) {
  Deno.test(`${what} refuses every field that is missing or of another type`, () => {
    decode(encode(good as ValueType));
    for (const [how, value] of broken(good as Record<string, unknown>)) {
      if (what === "decodeRefusal()" && /"/.test(how)) continue; // any string will do
      assertThrows(() => decode(encode(value as ValueType)), ProtocolError, "", how);
    }
  });

  Deno.test(`${what} refuses whatever is no map, and noise`, () => {
    for (const value of bad.filter((value) => !(value instanceof Object) || Array.isArray(value))) {
      assertThrows(() => decode(encode(value as ValueType)), ProtocolError);
    }
    const bytes = encode(good as ValueType);
    for (let length = 0; length < bytes.length; length++) {
      assertThrows(() => decode(bytes.subarray(0, length)), ProtocolError);
    }
    assertThrows(() => decode(Uint8Array.of(...bytes, 0)), ProtocolError);
  });

  Deno.test(`${what} takes no field from a __proto__ key`, () => {
    const inherited = JSON.parse(`{"__proto__": ${JSON.stringify(good)}}`);
    assertThrows(() => withProtoSetter(() => decode(encode(inherited))), ProtocolError);
    assertEquals(Object.keys(Object.prototype), []);
  });

  Deno.test(`${what} ignores fields that it does not know`, () => {
    const more = JSON.parse(`{"__proto__": {"x": 1}, "constructor": 1, "later": [1]}`);
    for (const key of Object.keys(good)) more[key] = (good as Record<string, unknown>)[key];
    assertEquals(withProtoSetter(() => decode(encode(more))), good);
  });
}

const lists: [what: string, decode: (bytes: Uint8Array) => unknown, bad: unknown[]][] = [
  ["decodeNames()", decodeNames, [{}, null, "a", [1], [""], ["a", null], [["a"]]]],
  ["decodeTargets()", decodeTargets, [{}, null, 1, ["1"], [-1], [1.5], [2 ** 32], [null], [[1]]]],
];

for (const [what, decode, values] of lists) {
  Deno.test(`${what} refuses what is not such a list`, () => {
    for (const value of values) {
      assertThrows(() => decode(encode(value as ValueType)), ProtocolError);
    }
    assertThrows(() => decode(new Uint8Array(0)), ProtocolError);
    assertThrows(() => decode(fromHex("dd ffffffff")), ProtocolError);
  });
}

const processes: unknown[] = [
  [1, "p"],
  [1, "p", [], 0],
  ["1", "p", []],
  [1, 2, []],
  [1, "p", {}],
  [1, "p", [[1]]],
  [1, "p", [["a", 1]]],
  [1, "p", [[1, "a", 2]]],
  { 0: 1, 1: "p", 2: [] },
];

Deno.test("decodeWelcome() and decodeDirectoryChange() refuse a process that is none", () => {
  for (const value of processes) {
    const joined = encode({ type: "join", process: value } as ValueType);
    assertThrows(() => decodeDirectoryChange(joined), ProtocolError);
    const welcomed = encode({ ...welcome, processes: [value] } as ValueType);
    assertThrows(() => decodeWelcome(welcomed), ProtocolError);
  }
});

Deno.test("decodeNames() refuses more names than a node may offer, without looking at them", () => {
  const names = Array.from({ length: MAX_CALLBACKS_PER_NODE }, (_, i) => `c${i}`);
  assertEquals(decodeNames(encodeControl(names)), names);
  const wrong = encode([...names, 5]);
  assertThrows(() => decodeNames(wrong), ProtocolError, "at most 4096 names, not 4097");
});

Deno.test("what a stranger sends is looked over before anything is made of it", () => {
  const maps = encode(Array.from({ length: 5000 }, () => ({})));
  for (const decode of [decodeHello, decodeProof, readNames]) {
    assertThrows(() => decode(maps), ProtocolError, "no MessagePack of at most 4096 names");
  }
});

Deno.test("decodeHello() refuses more callbacks than a node may offer", () => {
  const callbacks = Array.from({ length: MAX_CALLBACKS_PER_NODE }, (_, i) => `c${i}`);
  assertEquals(decodeHello(encodeControl({ ...hello, callbacks })).callbacks, callbacks);
  assertThrows(
    () => decodeHello(encodeControl({ ...hello, callbacks: [...callbacks, "one more"] })),
    ProtocolError,
    "at most 4096",
  );
});

for (const levels of [100, 1_000_000]) {
  Deno.test(`every control payload refuses ${levels} levels of nesting`, () => {
    const arrays = new Uint8Array(levels + 1).fill(0x91);
    const maps = new Uint8Array(2 * levels + 1).fill(0x81);
    for (let i = 1; i < maps.length; i += 2) maps[i] = 0xa0;
    for (const bytes of [arrays, maps]) {
      bytes[levels] = 0;
      for (const [, decode] of [...readers, ...lists]) {
        assertThrows(() => decode(bytes), ProtocolError);
      }
    }
  });
}

Deno.test("control payloads have no values of which the making may take long", () => {
  const codec = new MessagePackCodec();
  for (
    const value of [/a/u, new Set([1]), new Map(), 1n << 70n, new Date(), new URL("a:b"), undefined]
  ) {
    const payload = codec.encode({ ...hello, more: value }, "hello");
    assertThrows(() => decodeHello(payload), ProtocolError);
  }
});
