import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { OverloadedError } from "../../mod.ts";
import { Turns } from "../../src/node/turns.ts";
import { MAX_WAITING_BYTES } from "../../src/wire/limits.ts";
import { collectGarbage } from "../helpers/garbage.ts";
import { until } from "../helpers/soon.ts";

Deno.test("Turns lets so many run and the others wait, in the order in which they came", () => {
  const turns = new Turns<string>(2);
  assertEquals(["a", "b", "c", "d"].map((item) => turns.take(item, 1)), [true, true, false, false]);
  assertEquals([turns.next(), turns.next(), turns.next(), turns.next()], [
    "c",
    "d",
    undefined,
    undefined,
  ]);
  assertEquals([turns.take("e", 1), turns.take("f", 1), turns.take("g", 1)], [true, true, false]);
});

Deno.test("Turns takes back what waits and nothing else", () => {
  const turns = new Turns<string>(1);
  for (const item of ["a", "b", "c"]) turns.take(item, 1);
  assertEquals([turns.leave("a"), turns.leave("b"), turns.leave("b")], [false, true, false]);
  assertEquals([turns.next(), turns.next()], ["c", undefined]);
});

Deno.test("Turns never lets more run than allowed, and never one wait while fewer do", () => {
  const step = fc.constantFrom("take", "finish", "leave");
  fc.assert(fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step), (most, steps) => {
    const turns = new Turns<number>(most);
    let running = 0;
    let last = 0;
    const waiting: number[] = [];
    for (const step of steps) {
      if (step === "take") {
        const item = ++last;
        if (turns.take(item, 1)) running++;
        else waiting.push(item);
      } else if (step === "leave" && waiting.length > 0) {
        assertEquals(turns.leave(waiting.pop()!), true);
      } else if (step === "finish" && running > 0) {
        const next = turns.next();
        assertEquals(next, waiting.shift());
        if (next === undefined) running--;
      }
      assertEquals(running <= most && (waiting.length === 0 || running === most), true);
    }
  }));
});

Deno.test("Turns forgets those who leave in any order, and those who come after", () => {
  const turns = new Turns<number>(1);
  for (let i = 0; i < 100; i++) turns.take(i, 1);
  for (let i = 1; i <= 49; i++) {
    assertEquals([turns.leave(99 - i), turns.leave(i), turns.leave(i)], [
      true,
      i !== 99 - i,
      false,
    ]);
  }
  assertEquals(turns.next(), 99);
  turns.take(100, 1);
  assertEquals([turns.next(), turns.next(), turns.take(101, 1)], [100, undefined, true]);
});

Deno.test("Turns has no room while those that wait are too large together", () => {
  const turns = new Turns<string>(1);
  turns.take("runs", 2 * MAX_WAITING_BYTES);
  turns.take("a", MAX_WAITING_BYTES);
  turns.take("b", 1);
  assertThrows(() => turns.take("c", 1), OverloadedError);
  turns.leave("b");
  turns.take("d", 1);
  assertThrows(() => turns.take("e", 1), OverloadedError);
  assertEquals([turns.next(), turns.take("f", 1), turns.next(), turns.next()], [
    "a",
    false,
    "d",
    "f",
  ]);
});

Deno.test("Turns keeps nothing of those who have left, however long nobody has a turn", async () => {
  const turns = new Turns<object>(1);
  turns.take({}, 1);
  const staying = Array.from({ length: 10 }, () => ({}));
  for (const item of staying) turns.take(item, 1);
  const passing = () => {
    const items = Array.from({ length: 100 }, () => ({}));
    for (const item of items) turns.take(item, 1);
    for (const item of items) turns.leave(item);
    return items.map((item) => new WeakRef(item));
  };
  const left = Array.from({ length: 20 }, passing).flat();
  await until(() => {
    collectGarbage();
    return left.filter((item) => item.deref() !== undefined).length <= staying.length + 1;
  });
  assertEquals(staying.map(() => turns.next()), staying);
});
