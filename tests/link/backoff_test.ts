import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { backoffMs, pauseFor } from "../../src/link/backoff.ts";
import { FakeTime } from "../helpers/fake_time.ts";

Deno.test("backoffMs() doubles its ceiling with every attempt, up to the highest", () => {
  const ceilings = [1, 2, 3, 4, 5, 6, 7].map((attempt) => backoffMs(attempt, 100, 2000, () => 1));
  assertEquals(ceilings, [100, 200, 400, 800, 1600, 2000, 2000]);
});

Deno.test("backoffMs() spreads over everything between nothing and the ceiling", () => {
  assertEquals(backoffMs(3, 100, 2000, () => 0), 0);
  assertEquals(backoffMs(3, 100, 2000, () => 0.25), 100);
  const delays = Array.from({ length: 1000 }, () => backoffMs(3, 100, 2000));
  assert(Math.min(...delays) < 200 && Math.max(...delays) > 200);
});

Deno.test("backoffMs() is finite and within its bounds for any attempt (property)", () => {
  const options = fc.record({
    attempt: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 2 ** 31 })),
    minDelayMs: fc.integer({ min: 1, max: 1e9 }),
    maxDelayMs: fc.integer({ min: 1, max: 1e9 }),
    random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  });
  fc.assert(fc.property(options, ({ attempt, minDelayMs, maxDelayMs, random }) => {
    const delayMs = backoffMs(attempt, minDelayMs, maxDelayMs, () => random);
    assert(Number.isFinite(delayMs) && delayMs >= 0 && delayMs <= maxDelayMs);
    const next = backoffMs(attempt + 1, minDelayMs, maxDelayMs, () => random);
    assert(next >= delayMs);
  }));
});

Deno.test("pauseFor() ends after its time, however long that is, and leaves no timer", async () => {
  using time = new FakeTime();
  for (const ms of [1, 2 ** 31, 2 ** 33]) {
    let isOver = false;
    const { over } = pauseFor(ms);
    over.then(() => isOver = true);
    await time.tickAsync(ms - 1);
    assertEquals(isOver, false);
    await time.tickAsync(1);
    assertEquals([isOver, time.pending], [true, 0]);
  }
});

Deno.test("pauseFor() ends at once when it is told to, and leaves no timer", async () => {
  using time = new FakeTime();
  const { over, end } = pauseFor(1_000);
  end();
  assertEquals(time.pending, 0);
  await over;
  end();
});
