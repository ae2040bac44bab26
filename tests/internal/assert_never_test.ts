import { assertThrows } from "@std/assert";
import { assertNever } from "../../src/internal/assert_never.ts";

const SHOWN: [value: unknown, shown: string][] = [
  ["sometimes", "sometimes"],
  [7, "7"],
  [null, "null"],
  [Symbol("x"), "Symbol(x)"],
  [{ kind: "hello" }, "an object of kind hello"],
  [Object.create(null), "an object"],
];

for (const [value, shown] of SHOWN) {
  Deno.test(`assertNever() says what it got when that is ${shown}`, () => {
    assertThrows(
      () => assertNever(value as never, "frame kind"),
      TypeError,
      `Cannot handle frame kind: current value is ${shown}`,
    );
  });
}
