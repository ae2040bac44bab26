import { encode, ExtData } from "@msgpack/msgpack";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  CallbackNotFoundError,
  CallCancelledError,
  CallTimeoutError,
  type DaffiError,
  EncodeError,
  InitializationError,
  OverloadedError,
  ProtocolError,
  RemoteCallError,
  ValidationError,
} from "../../src/errors.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { defineField } from "../../src/wire/error_parts.ts";
import { decodeFailure, encodeRefusal, encodeThrown } from "../../src/wire/error_payload.ts";
import { HEADER_BYTES, MIN_MAX_FRAME_BYTES } from "../../src/wire/limits.ts";
import { assertSame } from "./helpers.ts";

const call = { processName: "p", callbackName: "f", callId: 7 };

/** What the caller gets when a callback throws `thrown`. */
function asCaller(thrown: unknown): RemoteCallError {
  const codec = new MessagePackCodec();
  const error = decodeFailure(codec, encodeThrown(codec, thrown).slice(), call);
  assertInstanceOf(error, RemoteCallError);
  assertEquals([error.processName, error.callbackName, error.callId], ["p", "f", 7]);
  assertEquals([error.code, error.executed], ["REMOTE_CALL", "yes"]);
  return error;
}

function nest(levels: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = [value];
  return value;
}

Deno.test("encodeThrown() brings name, message, stack, fields and cause of an error", () => {
  const thrown = Object.assign(new TypeError("wrong", { cause: new RangeError("why") }), {
    status: 404,
    at: new Date(5),
  });
  const error = asCaller(thrown);
  assertSame(error.cause, thrown);
  assertEquals(error.message, "f on p threw TypeError: wrong");
  assertEquals([error.remoteName, error.remoteMessage], ["TypeError", "wrong"]);
  assertEquals(error.remoteStack, thrown.stack);
  assertEquals(error.remoteFields, { status: 404, at: new Date(5) });
});

Deno.test("an error has the own fields of what was thrown, but for the names that it has itself", () => {
  const code = "ENOENT";
  const facts = { processName: "x", callbackName: "x", callId: 99, executed: "never" };
  const thrown = Object.assign(new Error("wrong"), { status: 404, code, message: "m", ...facts });
  defineField(thrown, "toString", "x");
  defineField(thrown, "__proto__", { evil: true });
  const error = asCaller(thrown) as RemoteCallError & { status: number; evil?: boolean };
  assertEquals(error.status, 404);
  assertEquals([error.code, error.executed, error.evil], ["REMOTE_CALL", "yes", undefined]);
  assertEquals([error.processName, error.callbackName, error.callId], ["p", "f", 7]);
  assert(String(error).startsWith("RemoteCallError: f on p threw"), String(error));
  assertEquals(Object.keys(error).includes("status"), false, "it would be shown twice");
  assertEquals(error.remoteFields.code, code);
});

const values: [thrown: unknown, name: string, text: string][] = [
  ["text", "string", "text"],
  [5, "number", "5"],
  [5n, "bigint", "5"],
  [null, "null", "null"],
  [undefined, "undefined", "undefined"],
  [{ a: 1 }, "object", '{"a":1}'],
  [[1, 2], "object", "[1,2]"],
];

for (const [thrown, name, text] of values) {
  Deno.test(`encodeThrown() brings back a thrown ${name} ${text}`, () => {
    const error = asCaller(thrown);
    assertSame(error.cause, thrown);
    assertEquals([error.remoteName, error.remoteMessage], [name, text]);
    assertEquals(error.message, `f on p threw ${text}`);
    assertEquals(error.remoteStack, undefined);
  });
}

const unencodable: [what: string, thrown: unknown][] = [
  ["a function", () => {}],
  ["a symbol", Symbol("s")],
  ["a promise", Promise.resolve()],
  ["a class instance", new (class Thing {})()],
  ["a generator", (function* () {})()],
  [
    "a circular object",
    (() => {
      const value: Record<string, unknown> = {};
      return value.self = value;
    })(),
  ],
  ["as many levels as can travel by themselves", nest(128)],
  ["too many levels", nest(1000)],
  ["a huge string", "x".repeat(10_000_000)],
  ["an object whose text cannot be made", { toString: 5, valueOf: 5, n: 1n }],
  ["a null-prototype object with a function", Object.assign(Object.create(null), { f() {} })],
  ["an object with a getter that throws", {
    get a() {
      throw new Error("x");
    },
  }],
  [
    "a revoked proxy",
    (() => {
      const { proxy, revoke } = Proxy.revocable({}, {});
      revoke();
      return proxy;
    })(),
  ],
];

for (const [what, thrown] of unencodable) {
  Deno.test(`encodeThrown() tells of ${what} all the same, in few bytes`, () => {
    assert(encodeThrown(new MessagePackCodec(), thrown).length < 300_000);
    const error = asCaller(thrown);
    assert(error.message.startsWith("f on p threw "));
    assert(error.message.length < 300_000);
  });
}

const getter = (key: string): PropertyDescriptorMap => ({
  [key]: {
    enumerable: true,
    get() {
      throw new Error("from the getter");
    },
  },
});

const awkward: [what: string, make: () => Error][] = [
  ["a function as a field", () => Object.assign(new Error("kept"), { f() {}, code: 5 })],
  ["a deep field", () => Object.assign(new Error("kept"), { deep: nest(127), code: 5 })],
  ["a circular field", () => {
    const error = Object.assign(new Error("kept"), { code: 5, self: {} });
    error.self = { error };
    return error;
  }],
  ["a huge field", () => Object.assign(new Error("kept"), { big: "x".repeat(9e6), code: 5 })],
  ["a field that throws", () => {
    return Object.defineProperties(Object.assign(new Error("kept"), { code: 5 }), getter("bad"));
  }],
  ["a cause that cannot travel", () => {
    return Object.assign(new Error("kept", { cause: () => {} }), { code: 5 });
  }],
  ["itself as its cause", () => {
    const error = Object.assign(new Error("kept"), { code: 5 });
    error.cause = error;
    return error;
  }],
  ["a ring of causes", () => {
    const first = Object.assign(new Error("kept"), { code: 5 });
    first.cause = new Error("second", { cause: first });
    return first;
  }],
  ["a thousand causes", () => {
    let error = new Error("last");
    for (let i = 0; i < 1000; i++) error = new Error("kept", { cause: error });
    return Object.assign(error, { code: 5 });
  }],
];

for (const [what, make] of awkward) {
  Deno.test(`encodeThrown() brings the rest of an error with ${what}`, () => {
    const error = asCaller(make());
    assertEquals([error.remoteName, error.remoteMessage], ["Error", "kept"]);
    assertEquals(error.remoteFields.code, 5);
    assertInstanceOf(error.cause, Error);
  });
}

Deno.test("encodeThrown() says what became of fields and causes that cannot travel", () => {
  const thrown = Object.assign(new Error("x", { cause: new Error("why", { cause: () => {} }) }), {
    f() {},
    ok: [1],
  });
  const { cause, remoteFields } = asCaller(thrown);
  assertEquals(remoteFields.ok, [1]);
  assertStringIncludes(String(remoteFields.f), "not sent");
  const why = (cause as Error).cause as Error;
  assertEquals(why.message, "why");
  assertStringIncludes(String(why.cause), "not sent");
});

Deno.test("encodeThrown() keeps some causes of a ring, and ends", () => {
  const thrown = new Error("ring");
  thrown.cause = thrown;
  let length = 0;
  for (let error: unknown = asCaller(thrown).cause; error instanceof Error; error = error.cause) {
    assertEquals(error.message, "ring");
    length++;
  }
  assert(length > 1 && length < 100, String(length));
});

Deno.test("encodeThrown() cuts a huge message, name and stack", () => {
  const thrown = new Error("m".repeat(5e6));
  thrown.name = "n".repeat(5e6);
  thrown.stack = "s".repeat(5e6);
  assert(encodeThrown(new MessagePackCodec(), thrown).length < 500_000);
  const error = asCaller(thrown);
  assert(error.remoteMessage.startsWith("mmmm") && error.remoteMessage.endsWith("…"));
  assert(error.remoteName.startsWith("nnnn"));
  assert(error.remoteStack?.startsWith("ssss"));
});

Deno.test("encodeThrown() brings not endlessly many large fields", () => {
  const thrown = new Error("x") as Error & Record<string, unknown>;
  for (let i = 0; i < 10_000; i++) thrown[`field${i}`] = "x".repeat(10_000);
  assert(encodeThrown(new MessagePackCodec(), thrown).length < 10_000_000);
  const { remoteFields } = asCaller(thrown);
  assertEquals(remoteFields.field0, "x".repeat(10_000));
});

Deno.test("encodeThrown() brings some of endlessly many errors of an AggregateError", () => {
  const errors = Array.from({ length: 10_000 }, (_, i) => new Error(`number ${i}`));
  const { cause } = asCaller(Object.assign(new AggregateError(errors, "all"), { f() {} }));
  assertInstanceOf(cause, AggregateError);
  assertEquals(cause.errors[0].message, "number 0");
});

Deno.test("encodeThrown() does not look at an error again and again that holds itself", () => {
  let looks = 0;
  const thrown = Object.defineProperty(new AggregateError([]), "message", {
    get() {
      if (++looks > 5000) throw new Error("too often");
      return "all";
    },
  });
  thrown.errors = Array(6).fill(thrown);
  asCaller(thrown);
  assert(looks < 5000);
});

Deno.test("encodeThrown() takes an error whose name or message has no text", () => {
  for (const key of ["name", "message", "stack"]) {
    for (const value of [Object.create(null), Symbol("s"), 5, null, { toString: 1 }]) {
      asCaller(Object.assign(new Error("x"), { [key]: value }));
    }
  }
});

Deno.test("encodeThrown() brings the errors of an AggregateError, in words where they must be", () => {
  const bad = Object.assign(new RangeError("inner"), { f() {}, code: 1 });
  const { cause } = asCaller(new AggregateError([bad, 5, () => {}], "all"));
  assertInstanceOf(cause, AggregateError);
  assertEquals(cause.message, "all");
  assertEquals(cause.errors.length, 3);
  assertEquals([cause.errors[0].message, cause.errors[0].code, cause.errors[1]], ["inner", 1, 5]);
});

const refusals: DaffiError[] = [
  new CallbackNotFoundError("m", { executed: "never" }),
  new CallCancelledError("m", { executed: "maybe" }),
  new CallTimeoutError("m", { executed: "yes" }),
  new EncodeError("m", { executed: "yes" }),
  new InitializationError("m", { executed: "never" }),
  new OverloadedError("m", { executed: "never" }),
  new ProtocolError("m", { executed: "maybe" }),
];

for (const refusal of refusals) {
  Deno.test(`encodeRefusal() brings back a ${refusal.name} and how far the call got`, () => {
    const codec = new MessagePackCodec();
    const error = decodeFailure(codec, encodeRefusal(codec, refusal), call);
    assertEquals(error.constructor, refusal.constructor);
    assertEquals([error.code, error.message], [refusal.code, "m"]);
    assertEquals(error.executed, refusal.executed);
    assertEquals([error.processName, error.callbackName, error.callId], ["p", "f", 7]);
  });
}

Deno.test("encodeRefusal() says that a call never ran when the error does not tell", () => {
  const codec = new MessagePackCodec();
  const error = decodeFailure(codec, encodeRefusal(codec, new ProtocolError("m")), call);
  assertEquals(error.executed, "never");
});

Deno.test("encodeThrown() keeps the message of an AggregateError whose errors are no list", () => {
  const codec = new MessagePackCodec();
  const thrown = Object.assign(new AggregateError([], "m"), { errors: 5, field: () => {} });
  const { remoteMessage } = decodeFailure(
    codec,
    encodeThrown(codec, thrown),
    call,
  ) as RemoteCallError;
  assertEquals(remoteMessage, "m");
});

Deno.test("encodeRefusal() brings the issues of a ValidationError, not endlessly many", () => {
  const codec = new MessagePackCodec();
  const issues = [{ message: "no", path: ["a", 0] }, { message: "none", path: [] }];
  const refusal = new ValidationError("m", issues, { executed: "never" });
  const error = decodeFailure(codec, encodeRefusal(codec, refusal), call);
  assertInstanceOf(error, ValidationError);
  assertEquals(error.issues, issues);
  const many = new ValidationError("m", Array(10_000).fill(issues[0]));
  const cut = decodeFailure(codec, encodeRefusal(codec, many), call) as ValidationError;
  assert(cut.issues.length > 0 && cut.issues.length <= 100);
});

Deno.test("encodeRefusal() leaves issues out that are too large together", () => {
  const codec = new MessagePackCodec();
  const issues = Array.from({ length: 100 }, () => ({ message: "x".repeat(100_000), path: [] }));
  const payload = encodeRefusal(codec, new ValidationError("m", issues));
  assert(payload.length <= 1 << 20, `${payload.length}`);
  const error = decodeFailure(codec, payload, call) as ValidationError;
  assertEquals([error.message, error.issues], ["m", []]);
});

Deno.test("encodeRefusal() cuts a huge message", () => {
  const codec = new MessagePackCodec();
  const payload = encodeRefusal(codec, new ProtocolError("m".repeat(5e6)));
  assert(payload.length < 100_000);
});

Deno.test("encodeRefusal() cuts a message within a character, and takes one that is no text", () => {
  const codec = new MessagePackCodec();
  for (const message of ["\u{1f600}", `x${"\u{1f600}"}`].map((text) => text.repeat(10_000))) {
    const error = decodeFailure(codec, encodeRefusal(codec, new ProtocolError(message)), call);
    assertEquals(error.message.slice(0, 9), message.slice(0, 9));
  }
  const half = decodeFailure(codec, encodeRefusal(codec, new ProtocolError("\ud83d")), call);
  assertEquals(half.message, "\ufffd");
});

Deno.test("encodeRefusal() leaves out issues that cannot travel", () => {
  const codec = new MessagePackCodec();
  const path = [Symbol("s")] as unknown as string[];
  for (const issue of [{ message: "\ud83d", path: [] }, { message: "m", path }]) {
    const refusal = new ValidationError("why", [issue]);
    const error = decodeFailure(codec, encodeRefusal(codec, refusal), call);
    assertInstanceOf(error, ValidationError);
    assertEquals([error.message, error.issues], ["why", []]);
  }
});

Deno.test("decodeFailure() takes an error whose stack is no text", () => {
  const codec = new MessagePackCodec();
  const parts = { name: "Error", message: "m", fields: { stack: 5 } };
  const error = new ExtData(7, encode(parts));
  const payload = encode({ code: "REMOTE_CALL", message: "", executed: "yes", error });
  const decoded = decodeFailure(codec, payload, call) as RemoteCallError;
  assertEquals([decoded.remoteMessage, decoded.remoteStack], ["m", undefined]);
});

Deno.test("decodeFailure() makes no message of much, and refuses more", () => {
  const codec = new MessagePackCodec();
  const failure = (bytes: number) =>
    encode({ code: "REMOTE_CALL", message: "", executed: "yes", error: new Uint8Array(bytes) });
  const { message } = decodeFailure(codec, failure(500_000), call);
  assertEquals(message.length < 20_000, true, `${message.length} characters`);
  assertThrows(() => decodeFailure(codec, failure(2 ** 20), call), ProtocolError, "too large");
});

Deno.test("encodeThrown() and encodeRefusal() keep to what the codec may make", () => {
  const codec = new MessagePackCodec();
  codec.maxBytes = MIN_MAX_FRAME_BYTES - HEADER_BYTES;
  const large = "é".repeat(codec.maxBytes);
  const own = Object.fromEntries(
    Array.from({ length: 100 }, (_, i) => [`${i}`, "x".repeat(10_000)]),
  );
  const thrown = [
    large,
    Object.assign(new RangeError("m"), own),
    Object.assign(new RangeError(large, { cause: new Error(large) }), {
      name: large,
      stack: large,
    }),
    new AggregateError(Array(20).fill(new RangeError(large)), "m"),
  ];
  for (const each of thrown) {
    const payload = encodeThrown(codec, each);
    assert(payload.length <= codec.maxBytes, `${payload.length}`);
    const { remoteMessage } = decodeFailure(codec, payload, call) as RemoteCallError;
    assert(/m$|é{4}/.test(remoteMessage), remoteMessage.slice(0, 100));
  }
  const issues = Array(100).fill({ message: "x".repeat(1_000), path: [] });
  const payload = encodeRefusal(codec, new ValidationError(large, issues));
  assert(payload.length <= codec.maxBytes, `${payload.length}`);
});
