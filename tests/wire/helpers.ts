import { AssertionError } from "@std/assert";
import fc from "fast-check";
import { MessagePackCodec } from "../../src/wire/codec.ts";

/** A value that went through a codec of its own and came back. */
export function roundTrip(value: unknown): unknown {
  const codec = new MessagePackCodec();
  return codec.decode(codec.encode(value, "args"));
}

/** `"c4 01 ff"` and `"c401ff"` are the same bytes. */
export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.replaceAll(" ", "").match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Fails unless both are the same kind of value with the same content, all the way down. */
export function assertSame(actual: unknown, expected: unknown): void {
  const difference = findDifference(actual, expected, "value");
  if (difference !== undefined) throw new AssertionError(difference);
}

/** Deno has no `__proto__` setter by default, other runtimes do: runs `fn` as one of them would. */
export function withProtoSetter<T>(fn: () => T): T {
  const before = Object.getOwnPropertyDescriptor(Object.prototype, "__proto__");
  Object.defineProperty(Object.prototype, "__proto__", {
    configurable: true,
    get(): unknown {
      return Object.getPrototypeOf(this);
    },
    set(prototype: unknown) {
      if (isObject(prototype) || prototype === null) Object.setPrototypeOf(this, prototype);
    },
  });
  try {
    return fn();
  } finally {
    if (before === undefined) delete (Object.prototype as Record<string, unknown>)["__proto__"];
    else Object.defineProperty(Object.prototype, "__proto__", before);
  }
}

function findDifference(actual: unknown, expected: unknown, path: string): string | undefined {
  if (Object.is(actual, expected)) return undefined;
  if (!isObject(actual) || !isObject(expected)) {
    return `${path}: ${show(actual)} instead of ${show(expected)}`;
  }
  const prototype = Object.getPrototypeOf(expected) ?? Object.prototype;
  if (Object.getPrototypeOf(actual) !== prototype) return `${path}: another prototype`;
  const [left, right] = [content(actual), content(expected)];
  if (left.length !== right.length) return `${path}: ${left.length} parts, not ${right.length}`;
  for (const [i, [key, value]] of right.entries()) {
    const [actualKey, actualValue] = left[i]!;
    const difference = findDifference(actualKey, key, `${path}, key ${i}`) ??
      findDifference(actualValue, value, `${path}[${show(key)}]`);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

/** Everything that makes two objects of one prototype equal. */
function content(value: object): [key: unknown, value: unknown][] {
  if (value instanceof Date) return [["time", value.getTime()]];
  if (value instanceof URL) return [["href", value.href]];
  if (value instanceof RegExp) return [["source", value.source], ["flags", value.flags]];
  if (value instanceof ArrayBuffer) return [...new Uint8Array(value).entries()];
  if (ArrayBuffer.isView(value)) {
    return [...new Uint8Array(value.buffer, value.byteOffset, value.byteLength).entries()];
  }
  if (value instanceof Map) return [...value.entries()];
  if (value instanceof Set) return [...value].entries().toArray();
  if (Array.isArray(value)) return [...value].entries().toArray();
  if (!(value instanceof Error)) return Object.entries(value);
  const own = ["name", "message", "stack", "cause", "errors"];
  const record = value as unknown as Record<string, unknown>;
  return [
    ...own.filter((key) => key in value).map((key): [unknown, unknown] => [key, record[key]]),
    ...Object.entries(value).filter(([key]) => !own.includes(key)),
  ];
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function show(value: unknown): string {
  return Deno.inspect(value, { depth: 1, iterableLimit: 5 });
}

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ minLength: 20, maxLength: 36 }),
  fc.string({ unit: "binary", minLength: 8, maxLength: 90 }),
);

const number = fc.oneof(
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(-0, 2 ** 31, 2 ** 32 - 1, 2 ** 32, -(2 ** 31), -(2 ** 31) - 1, 2 ** 53),
);

const bytes = fc.uint8Array({ maxLength: 300 });

const error = fc.record({
  type: fc.constantFrom(Error, TypeError, RangeError, SyntaxError),
  message: text,
  fields: fc.dictionary(fc.stringMatching(/^[a-d]{1,4}$/), number, { maxKeys: 3 }),
}).map(({ type, message, fields }) => Object.assign(new type(message), fields));

const leaf: fc.Arbitrary<unknown> = fc.oneof(
  { arbitrary: fc.constantFrom(null, undefined, true, false), weight: 2 },
  { arbitrary: number, weight: 4 },
  { arbitrary: text, weight: 4 },
  { arbitrary: bytes, weight: 2 },
  fc.bigInt(),
  fc.date({ noInvalidDate: false }),
  fc.int16Array({ maxLength: 20 }),
  fc.float32Array({ maxLength: 20 }),
  fc.float64Array({ maxLength: 20 }),
  fc.bigUint64Array({ maxLength: 20 }),
  bytes.map(({ buffer }) => buffer),
  bytes.map(({ buffer }) => new DataView(buffer)),
  fc.webUrl().map((url) => new URL(url)),
  fc.constantFrom(/a/, /[/\]]\u{1F600}/giu, new RegExp("")),
  error,
);

/** Any value that can travel, nested. */
export const anyValue: fc.Arbitrary<unknown> = nested(leaf, true);

const plainLeaf: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(null, true, false),
  number.filter((value) => !Object.is(value, -0)),
  text,
  bytes,
);

/** Any nested value that MessagePack has a type for without extensions. */
export const plainValue: fc.Arbitrary<unknown> = nested(plainLeaf, false);

function nested(leaves: fc.Arbitrary<unknown>, collections: boolean): fc.Arbitrary<unknown> {
  const { value } = fc.letrec((tie) => {
    const object = fc.dictionary(
      fc.oneof(text, fc.constantFrom("constructor", "toString", "hasOwnProperty")),
      tie("value"),
      { noNullPrototype: true, maxKeys: 20 },
    ).filter((record) => collections || !Object.hasOwn(record, "__proto__"));
    const array = fc.array(tie("value"), { maxLength: 20 });
    const pairs = fc.array(fc.tuple(tie("value"), tie("value")), { maxLength: 5 });
    const containers = [array, object];
    const more = [pairs.map((list) => new Map(list)), array.map((list) => new Set(list))];
    return {
      value: fc.oneof(
        { depthSize: "small", withCrossShrink: true },
        leaves,
        ...containers,
        ...(collections ? more : []),
      ),
    };
  });
  return value;
}
