import { assertEquals } from "@std/assert";
import { longTimeout } from "../../src/internal/long_timeout.ts";
import { FakeTime } from "../helpers/fake_time.ts";

const MAX_MS = 2 ** 31 - 1;

for (const ms of [0, 1, 5000, MAX_MS, MAX_MS + 1, 2 * MAX_MS, 3 * MAX_MS + 7]) {
  Deno.test(`longTimeout() fires once, after ${ms} ms and not before`, () => {
    using time = new FakeTime();
    let fired = 0;
    longTimeout(() => fired++, ms);
    if (ms > 0) {
      time.tick(ms - 1);
      assertEquals(fired, 0);
    }
    time.tick(1);
    assertEquals(fired, 1);
    time.tick(4 * MAX_MS);
    assertEquals(fired, 1);
    assertEquals(time.pending, 0);
  });
}

Deno.test("longTimeout() fires as soon as possible when the delay is negative", () => {
  using time = new FakeTime();
  let fired = 0;
  longTimeout(() => fired++, -5);
  assertEquals(fired, 0);
  time.tick(1);
  assertEquals(fired, 1);
});

Deno.test("longTimeout() sets no timer when the delay is Infinity", () => {
  using time = new FakeTime();
  const cancel = longTimeout(() => {}, Infinity);
  assertEquals(time.pending, 0);
  cancel();
});

for (const elapsedMs of [0, 10, MAX_MS, MAX_MS + 10]) {
  Deno.test(`longTimeout() never fires when it is cancelled after ${elapsedMs} ms`, () => {
    using time = new FakeTime();
    let fired = 0;
    const cancel = longTimeout(() => fired++, 2 * MAX_MS);
    time.tick(elapsedMs);
    cancel();
    assertEquals(time.pending, 0);
    time.tick(4 * MAX_MS);
    assertEquals(fired, 0);
  });
}

Deno.test("longTimeout() takes what is left from the clock when a part fires late", () => {
  const startMs = 1_000_000;
  using time = new FakeTime(startMs);
  let fired = 0;
  longTimeout(() => fired++, MAX_MS + 1000);
  // The machine slept: the clock moves on by more than the timers do.
  const realNow = Date.now;
  Date.now = () => realNow() + 600;
  try {
    time.tick(MAX_MS);
  } finally {
    Date.now = realNow;
  }
  time.tick(399);
  assertEquals(fired, 0);
  time.tick(1);
  assertEquals(fired, 1);
});

Deno.test("longTimeout() lets itself be cancelled from its own function, and after it", () => {
  using time = new FakeTime();
  let fired = 0;
  const cancel = longTimeout(() => {
    fired++;
    cancel();
  }, 5);
  time.tick(5);
  cancel();
  assertEquals(fired, 1);
  assertEquals(time.pending, 0);
});
