import { assertEquals, assertThrows } from "@std/assert";
import { readFlags } from "../../tools/flags.ts";

const DEFAULTS = { seconds: 60, seed: 1, filter: "" };

Deno.test("readFlags() reads numbers and texts, given in both ways, and has defaults", () => {
  const flags = readFlags(["--seed=7", "--filter", "wire"], DEFAULTS);
  assertEquals(flags, { seconds: 60, seed: 7, filter: "wire" });
});

for (
  const [args, words] of [
    [["--secs", "5"], "'--secs'"],
    [["5"], "'5'"],
    [["--seconds"], "argument missing"],
    [["--seconds=soon"], '--seconds is "soon", a number is needed'],
    [["--seconds="], '--seconds is "", a number is needed'],
  ] as const
) {
  Deno.test(`readFlags() refuses ${args.join(" ")}`, () => {
    assertThrows(() => readFlags([...args], DEFAULTS), TypeError, words);
  });
}
