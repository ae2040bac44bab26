import { compileCron } from "../../src/scheduler/cron.ts";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { InitializationError } from "../../src/errors.ts";
import { compileTrigger, dueBy, type Trigger } from "../../src/scheduler/trigger.ts";
import { atTime, START } from "./rig.ts";

function interval(everyMs: number): Trigger {
  return { type: "interval", everyMs, startMs: START };
}

function due(trigger: Trigger, first: number, now: number, catchUpMs: number) {
  const { run, skipped } = dueBy(
    trigger,
    compileTrigger(trigger, compileCron),
    START + first,
    START + now,
    catchUpMs,
  );
  return { run: run.map((time) => time - START), skipped };
}

Deno.test("compileTrigger() gives start + n · interval, the first one after an interval", () => {
  const next = compileTrigger(interval(1000), compileCron);
  assertEquals(next(START - 5000), START + 1000);
  assertEquals(next(START), START + 1000);
  assertEquals(next(START + 1), START + 1000);
  assertEquals(next(START + 999), START + 1000);
  assertEquals(next(START + 1000), START + 2000);
});

Deno.test("compileTrigger() counts an interval from its start when years have passed", () => {
  const next = compileTrigger(interval(7), compileCron);
  const passed = 7 * 10 ** 10;
  assertEquals(next(START + passed), START + passed + 7);
  assertEquals(next(START + passed + 6), START + passed + 7);
});

Deno.test("compileTrigger() gives each listed time once, and nothing after the last", () => {
  const next = compileTrigger(atTime(10, 20, 30), compileCron);
  assertEquals(next(START), START + 10);
  assertEquals(next(START + 10), START + 20);
  assertEquals(next(START + 29), START + 30);
  assertEquals(next(START + 30), undefined);
});

Deno.test("dueBy() runs a recurring task's latest time and skips the ones before", () => {
  assertEquals(due(interval(1000), 1000, 1000, 60_000), { run: [1000], skipped: 0 });
  assertEquals(due(interval(1000), 1000, 1999, 60_000), { run: [1000], skipped: 0 });
  assertEquals(due(interval(1000), 1000, 5500, 60_000), { run: [5000], skipped: 4 });
});

Deno.test("dueBy() skips all times of a recurring task when the latest is older than catchUp", () => {
  assertEquals(due(interval(10_000), 10_000, 35_001, 5_000), { run: [], skipped: 3 });
  assertEquals(due(interval(10_000), 10_000, 35_000, 5_000), { run: [30_000], skipped: 2 });
});

Deno.test("dueBy() runs each listed time that is not older than catchUp", () => {
  const trigger = atTime(1000, 2000, 3000, 9000);
  assertEquals(due(trigger, 1000, 3500, 60_000), { run: [1000, 2000, 3000], skipped: 0 });
  assertEquals(due(trigger, 1000, 3500, 1500), { run: [2000, 3000], skipped: 1 });
  assertEquals(due(trigger, 1000, 4001, 100), { run: [], skipped: 3 });
  assertEquals(due(trigger, 2000, 3500, 60_000), { run: [2000, 3000], skipped: 0 });
});

Deno.test("dueBy() runs what is late by no more than timers are, whatever catchUp is", () => {
  for (const catchUpMs of [0, 1, 999]) {
    assertEquals(due(atTime(1000, 2000), 1000, 2000, catchUpMs), { run: [1000, 2000], skipped: 0 });
    assertEquals(due(atTime(1000, 2000), 1000, 2001, catchUpMs), { run: [2000], skipped: 1 });
    assertEquals(due(interval(50), 50, 149, catchUpMs), { run: [100], skipped: 1 });
  }
});

Deno.test("dueBy() counts the skipped times of a cron expression", () => {
  const trigger: Trigger = { type: "cron", expression: "*/10 * * * * *", timezone: "UTC" };
  assertEquals(due(trigger, 10_000, 65_000, 60_000), { run: [60_000], skipped: 5 });
  assertEquals(due(trigger, 10_000, 65_000, 1000), { run: [], skipped: 6 });
});

Deno.test("dueBy() does not look at every second of a year", () => {
  const trigger: Trigger = { type: "cron", expression: "* * * * * *", timezone: "Europe/Berlin" };
  const now = 365 * 86_400_000;
  const began = performance.now();
  const { run, skipped } = due(trigger, 1000, now + 500, 60_000);
  assertEquals(run, [now]);
  assert(skipped >= 100);
  assert(performance.now() - began < 250);
});

Deno.test("dueBy() finds what is not too old, however much passed before it", () => {
  const trigger: Trigger = { type: "cron", expression: "* * 1 * * *", timezone: "UTC" };
  const now = 30 * 86_400_000 + 2 * 3_600_000;
  assertEquals(due(trigger, 3_600_000, now, 1_000_000 + 2_600_000).run.length, 1);
  assertEquals(due(trigger, 3_600_000, now - 1_800_000, 60_000).run, [now - 1_800_000]);
  assertEquals(due(trigger, 3_600_000, now + 1, 500).run, []);
});

for (
  const [what, expression, problem] of [
    ["four fields", "* * * *", "4 fields"],
    ["seven fields", "0 0 0 1 1 1 2030", "7 fields"],
    ["a nickname", "@daily", "1 field"],
    ["nothing", "", "field"],
    ["a value out of range", "61 * * * *", ""],
    ["a word", "every day at nine o'clock", ""],
    ["too many letters", `${"1,".repeat(200)}1 * * * *`, "too long"],
  ] as const
) {
  Deno.test(`compileTrigger() refuses a cron expression of ${what}`, () => {
    const error = assertThrows(
      () => compileCron(expression, "UTC"),
      InitializationError,
      "Cannot schedule: cron is",
    );
    assert(error.message.includes(problem), error.message);
  });
}

Deno.test("compileTrigger() refuses a time zone that does not exist", () => {
  assertThrows(
    () => compileCron("0 0 * * *", "Mars/Olympus"),
    InitializationError,
    "Mars/Olympus",
  );
});

Deno.test("compileTrigger() gives undefined for a cron expression that only what the clock skips fits", () => {
  const next = compileCron("30 2 * 3 0L", "Europe/Berlin");
  assertEquals(next(START), undefined);
});
