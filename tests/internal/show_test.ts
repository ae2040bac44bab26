import { assert, assertEquals, assertThrows } from "@std/assert";
import { Global, InitializationError } from "../../mod.ts";
import { show, showError } from "../../src/internal/show.ts";

function thrower(): never {
  throw new Error("on purpose");
}

/** A class whose instances throw when they are made a text. */
function unreadable<T extends new () => object>(type: T): object {
  return Object.assign(new type(), { toString: thrower });
}

const revoked = Proxy.revocable({}, {});
revoked.revoke();

const hostile: [what: string, value: unknown][] = [
  ["a tag that throws", Object.defineProperty({}, Symbol.toStringTag, { get: thrower })],
  ["a name that throws", Object.defineProperty(() => {}, "name", { get: thrower })],
  ["a name without text", Object.defineProperty(() => {}, "name", { value: Object.create(null) })],
  ["a date that throws", unreadable(Date)],
  ["an error that throws", unreadable(Error)],
  ["a prototype that throws", new Proxy({}, { getPrototypeOf: thrower })],
  ["a revoked proxy", revoked.proxy],
];

for (const [what, value] of hostile) {
  Deno.test(`show() gives a text for ${what}`, () => {
    assertEquals(typeof show(value), "string");
    assertEquals(typeof showError(value), "string");
    // @ts-expect-error that is no host
    const error = assertThrows(() => new Global({ host: value }), InitializationError);
    assert(error.message.includes("host"), error.message);
  });
}

Deno.test("show() tells values from each other", () => {
  const shown = [show("a"), show(5), show(null), show(Symbol("s")), show(thrower), show([1])];
  const expected = ['"a"', "5", "null", "Symbol(s)", "function thrower", "[object Array]"];
  assertEquals(shown, expected);
});

Deno.test("show() and showError() cut long texts, not within a character", () => {
  const long = `${"x".repeat(79)}\u{1f511}${"x".repeat(1_000)}`;
  assertEquals(show(long), `"${"x".repeat(79)}\ufffd…"`);
  const error = Object.assign(new Error(`${"x".repeat(992)}\u{1f511}`), { name: "Error" });
  assertEquals(showError(error), `Error: ${"x".repeat(992)}\ufffd`);
});
