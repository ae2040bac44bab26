import { assertEquals, assertThrows } from "@std/assert";
import { recent } from "../../src/internal/recent.ts";

Deno.test("recent() makes what is not there, once, and keeps what was asked for last", () => {
  const known = new Map<string, string>();
  const made: string[] = [];
  const ask = (key: string) =>
    recent(known, 2, key, () => {
      made.push(key);
      return key.toUpperCase();
    });
  assertEquals(["a", "b", "a", "c", "a", "b"].map(ask), ["A", "B", "A", "C", "A", "B"]);
  assertEquals(made, ["a", "b", "c", "b"]);
  assertEquals([...known.keys()], ["a", "b"]);
});

Deno.test("recent() keeps nothing of what cannot be made", () => {
  const known = new Map<string, string>();
  assertThrows(() =>
    recent(known, 2, "a", () => {
      throw new RangeError("no");
    }), RangeError);
  assertEquals(known.size, 0);
});
