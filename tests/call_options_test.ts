import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { InitializationError } from "../mod.ts";
import { readOptions } from "../src/call_options.ts";
import type { ModifierKind } from "../src/modifiers.ts";

const KINDS = ["fg", "bg", "noReturn", "broadcast", "stream"] as const;
const NOTHING = Object.create(null);

function refusal(kind: ModifierKind, options: unknown): string {
  return assertThrows(() => readOptions(kind, options as object, "f"), InitializationError).message;
}

Deno.test("readOptions() reads nothing as the defaults", () => {
  for (const kind of KINDS) {
    assertEquals(readOptions(kind, {}, "f"), {
      timeoutMs: undefined,
      etaMs: undefined,
      signal: undefined,
      to: undefined,
      strategy: "random",
    });
  }
});

Deno.test("readOptions() gives durations in milliseconds, and all else as it is", () => {
  const { signal } = new AbortController();
  const read = readOptions("bg", {
    timeout: "1m24s",
    eta: Temporal.Duration.from({ seconds: 2 }),
    signal,
    to: "a",
    strategy: "least-pending",
  }, "f");
  assertEquals([read.timeoutMs, read.etaMs, read.to, read.strategy], [
    84_000,
    2000,
    "a",
    "least-pending",
  ]);
  assertStrictEquals(read.signal, signal);
  assertEquals(readOptions("fg", { timeout: Infinity }, "f").timeoutMs, Infinity);
});

Deno.test("readOptions() refuses what is no object of options", () => {
  for (const kind of KINDS) {
    const { signal } = new AbortController();
    for (const options of [null, 5, "5s", true, [], signal, new Date(), new Map()]) {
      assert(refusal(kind, options).includes(kind));
    }
  }
});

Deno.test("readOptions() refuses options that the modifier has not, and names the nearest", () => {
  assert(refusal("fg", { timout: 5 }).includes("did you mean timeout?"));
  refusal("fg", { eta: 5 });
  refusal("noReturn", { timeout: 5 });
  refusal("broadcast", { to: "a" });
  refusal("stream", { strategy: "random" });
  refusal("stream", { eta: 5 });
  assert(refusal("bg", { returnResult: true }).includes("timeout, signal, to, strategy, eta"));
});

Deno.test("readOptions() refuses bad values, naming the option", () => {
  const bad = {
    timeout: [0, -1, NaN, "soon", null, {}, NOTHING],
    eta: [0, -1, Infinity, "later", null, NOTHING],
    to: ["", 5, null, NOTHING],
    strategy: ["fastest", 5, null, NOTHING],
    signal: [5, null, {}, "abort", NOTHING, new EventTarget()],
  };
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) {
      const message = refusal("bg", { [name]: value });
      assert(message.includes(name), message);
    }
  }
});

Deno.test("readOptions() refuses a returnResult that is not boolean", () => {
  for (const returnResult of ["yes", 1, null]) {
    assert(refusal("broadcast", { returnResult }).includes("returnResult"));
  }
});
