import { assert, assertEquals, assertInstanceOf, assertStrictEquals } from "@std/assert";
import { assertSame, roundTrip, withProtoSetter } from "./helpers.ts";

class OwnError extends Error {
  override name = "OwnError";
  readonly code = 42;
}

class OwnRangeError extends RangeError {}

const standard = [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError];

for (const Class of standard) {
  Deno.test(`MessagePackCodec brings back a ${Class.name} with message, stack and class`, () => {
    const error = new Class("wrong: é\n");
    const back = roundTrip(error) as Error;
    assertSame(back, error);
    assertInstanceOf(back, Class);
    assertEquals(back.stack, error.stack);
    assertEquals(Object.keys(back), []);
  });
}

Deno.test("MessagePackCodec brings back an error's cause chain, of any values", () => {
  const error = new Error("1", { cause: new TypeError("2", { cause: { n: 3n } }) });
  assertSame(roundTrip(error), error);
});

Deno.test("MessagePackCodec tells a cause that is undefined from no cause", () => {
  assert(Object.hasOwn(roundTrip(new Error("x", { cause: undefined })) as Error, "cause"));
  assert(!Object.hasOwn(roundTrip(new Error("x")) as Error, "cause"));
});

Deno.test("MessagePackCodec brings back an error's own fields as enumerable ones", () => {
  const error = Object.assign(new Error("x"), { code: "E", at: new Date(5), more: { a: [1] } });
  const back = roundTrip(error) as Error;
  assertSame(back, error);
  assertEquals(Object.keys(back), ["code", "at", "more"]);
});

Deno.test("MessagePackCodec brings back a field called errors of a plain error", () => {
  const error = Object.assign(new Error("x"), { errors: [{ path: "a" }] });
  const back = roundTrip(error) as typeof error;
  assertEquals(back.errors, [{ path: "a" }]);
  assert(!(back instanceof AggregateError));
});

Deno.test("MessagePackCodec brings back fields that every object has, and pollutes nothing", () => {
  const error = new Error("x");
  for (const key of ["__proto__", "constructor", "toString"]) {
    Object.defineProperty(error, key, { value: { polluted: key }, enumerable: true });
  }
  const back = withProtoSetter(() => roundTrip(error)) as Error;
  assertInstanceOf(back, Error);
  assertEquals(Object.keys(back), ["__proto__", "constructor", "toString"]);
  assert(!("polluted" in {}));
});

Deno.test("MessagePackCodec brings back an AggregateError with its errors", () => {
  const error = new AggregateError([new TypeError("a"), "b", 3], "all", { cause: "c" });
  const back = roundTrip(error) as AggregateError;
  assertInstanceOf(back, AggregateError);
  assertSame(back, error);
});

Deno.test("MessagePackCodec brings back both errors of a SuppressedError", () => {
  const [error, suppressed] = [new RangeError("closing"), new TypeError("working")];
  const back = roundTrip(new SuppressedError(error, suppressed, "both")) as SuppressedError;
  assertEquals([back.name, back.message], ["SuppressedError", "both"]);
  assertEquals([back.error.message, back.suppressed.message], ["closing", "working"]);
});

Deno.test("MessagePackCodec brings back the name of an own error class, as an Error", () => {
  const back = roundTrip(new OwnError("x")) as OwnError;
  assertStrictEquals(Object.getPrototypeOf(back), Error.prototype);
  assertEquals([back.name, back.message, back.code], ["OwnError", "x", 42]);
});

Deno.test("MessagePackCodec brings back a subclass without a name as the class it extends", () => {
  const back = roundTrip(new OwnRangeError("x"));
  assertStrictEquals(Object.getPrototypeOf(back), RangeError.prototype);
});

Deno.test("MessagePackCodec brings back a DOMException by its name and message", () => {
  const back = roundTrip(new DOMException("gone", "AbortError")) as Error;
  assertEquals([back.name, back.message], ["AbortError", "gone"]);
});

Deno.test("MessagePackCodec gives an error without a stack one that has its name", () => {
  const error = new Error("x");
  delete error.stack;
  assertEquals((roundTrip(error) as Error).stack, "Error: x");
});
