import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { encode, ExtData } from "@msgpack/msgpack";
import fc from "fast-check";
import { DaffiError, ProtocolError, RemoteCallError, ValidationError } from "../../src/errors.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { Extension } from "../../src/wire/extensions.ts";
import { decodeFailure, encodeRefusal, encodeThrown } from "../../src/wire/error_payload.ts";
import { mutated } from "../fuzz/mutated.ts";
import { anyValue } from "./helpers.ts";

const codec = new MessagePackCodec();
const call = { processName: "p", callbackName: "f", callId: 7 };

function decode(failure: unknown): DaffiError {
  return decodeFailure(codec, codec.encode(failure, "error").slice(), call);
}

const good = { code: "REMOTE_CALL", message: "", executed: "yes" };

for (const failure of [null, undefined, 5, "x", [], {}, new Map(), new Error("x")]) {
  Deno.test(`decodeFailure() refuses ${Deno.inspect(failure).split("\n")[0]}`, () => {
    assertThrows(() => decode(failure), ProtocolError);
  });
}

Deno.test("decodeFailure() refuses a code or message that is no string, and noise", () => {
  assertThrows(() => decode({ code: 1, message: "" }), ProtocolError);
  assertThrows(() => decode({ code: "X" }), ProtocolError);
  assertThrows(() => decode({ code: "X", message: null }), ProtocolError);
  assertThrows(() => decodeFailure(codec, new Uint8Array(0), call), ProtocolError);
  assertThrows(() => decodeFailure(codec, Uint8Array.of(0xc1), call), ProtocolError);
});

Deno.test("decodeFailure() makes a DaffiError of a code that it does not know", () => {
  for (const code of ["LATER", "constructor", "__proto__", "toString", ""]) {
    const error = decode({ code, message: "m", executed: "never" });
    assertEquals(Object.getPrototypeOf(error), DaffiError.prototype);
    assertEquals([error.code, error.message, error.executed], [code, "m", "never"]);
  }
});

Deno.test("decodeFailure() takes an executed that it does not know for maybe", () => {
  for (const executed of [undefined, "later", 5, null, {}]) {
    assertEquals(decode({ code: "OVERLOADED", message: "m", executed }).executed, "maybe");
  }
});

Deno.test("decodeFailure() leaves issues out that are none", () => {
  const issue = { message: "m", path: ["a"] };
  const issues = [issue, null, 5, {}, { message: 1, path: [] }, { message: "m", path: "a" }];
  const error = decode({ code: "VALIDATION", message: "m", executed: "never", issues });
  assertInstanceOf(error, ValidationError);
  assertEquals(error.issues, [issue]);
  for (const other of [undefined, null, 5, {}, "abc"]) {
    const none = decode({ code: "VALIDATION", message: "m", issues: other }) as ValidationError;
    assertEquals(none.issues, []);
  }
});

const textless: [what: string, error: unknown][] = [
  ["an object", { toString: 5, n: 1n }],
  ["a list", [{ toString: 5 }, 1n]],
  ["an error whose fields hide its name", withFields({ name: { toString: 5 } })],
  ["an error whose fields hide its message", withFields({ message: { toString: 5 } })],
  ["an error whose fields hide its stack", withFields({ stack: { toString: 5 } })],
];

/** An error as only a peer that is no friend would send it. */
function withFields(fields: Record<string, unknown>): ExtData {
  const record = { name: "Error", message: "m", fields };
  return new ExtData(Extension.Error, codec.encode(record, "error").slice());
}

for (const [what, error] of textless) {
  Deno.test(`decodeFailure() gives a RemoteCallError for ${what} that has no text`, () => {
    const payload = error instanceof ExtData
      ? encode({ ...good, error })
      : codec.encode({ ...good, error }, "error");
    assertInstanceOf(decodeFailure(codec, payload, call), RemoteCallError);
  });
}

Deno.test("decodeFailure() gives a RemoteCallError for any thrown value (property)", () => {
  fc.assert(fc.property(anyValue, (error) => {
    assertInstanceOf(decode({ ...good, error }), RemoteCallError);
    assertInstanceOf(
      decodeFailure(codec, encodeThrown(codec, error).slice(), call),
      RemoteCallError,
    );
  }));
});

Deno.test("decodeFailure() gives a DaffiError or a ProtocolError for mutated payloads (fuzz)", () => {
  const thrown = Object.assign(new TypeError("t", { cause: "c" }), { code: 5 });
  const valid = [
    encodeThrown(codec, thrown).slice(),
    encodeRefusal(codec, new ValidationError("m", [{ message: "m", path: ["a", 1] }])).slice(),
  ];
  fc.assert(
    fc.property(mutated(fc.constantFrom(...valid)), (payload) => {
      try {
        assertInstanceOf(decodeFailure(codec, payload, call), DaffiError);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("decodeFailure() takes nothing of issues but their message and path", () => {
  const path = ["a", 0, null, {}, new Date(0), ["b"], "c"];
  const failure = {
    ...good,
    code: "VALIDATION",
    issues: [{ message: "m", path, other: 1 }, { message: 1, path }],
  };
  const error = decode(failure);
  assertInstanceOf(error, ValidationError);
  assertEquals(error.issues, [{ message: "m", path: ["a", 0, "c"] }]);
});
