import { assert, assertEquals, assertThrows } from "@std/assert";
import { InitializationError, type PeriodOptions } from "../mod.ts";
import { readPeriodOptions } from "../src/period_options.ts";
import { compileCron } from "../src/scheduler/cron.ts";
import { MAX_TIMES } from "../src/scheduler/trigger.ts";
import { FakeTime } from "./helpers/fake_time.ts";

const UUID = "01234567-89ab-4cde-8f01-23456789abcd";
const NOW = Date.UTC(2026, 0, 1);

function assertRefused(options: unknown, ...texts: string[]): void {
  const error = assertThrows(
    () => readPeriodOptions(options as PeriodOptions, compileCron),
    InitializationError,
  );
  for (const text of texts) assert(error.message.includes(text), error.message);
}

Deno.test("readPeriodOptions() fills in the defaults", () => {
  assertEquals(readPeriodOptions({ interval: "5s" }), {
    uuid: undefined,
    trigger: { type: "interval", everyMs: 5000, startMs: 0 },
    overlap: "skip",
    maxRuns: undefined,
    catchUpMs: 60_000,
    pauseAfterFailures: undefined,
  });
});

Deno.test("readPeriodOptions() reads every option", () => {
  const options: PeriodOptions = {
    cron: "30 2 * * *",
    timezone: "Europe/Berlin",
    overlap: "queue",
    maxRuns: 3,
    uuid: UUID.toUpperCase(),
    catchUp: "2h",
    pauseAfterFailures: 2,
  };
  assertEquals(readPeriodOptions(options), {
    uuid: UUID,
    trigger: { type: "cron", expression: "30 2 * * *", timezone: "Europe/Berlin" },
    overlap: "queue",
    maxRuns: 3,
    catchUpMs: 7_200_000,
    pauseAfterFailures: 2,
  });
});

Deno.test("readPeriodOptions() takes every kind of duration", () => {
  for (const interval of [1500, "1.5s", Temporal.Duration.from({ milliseconds: 1500 })]) {
    assertEquals(readPeriodOptions({ interval }).trigger, {
      type: "interval",
      everyMs: 1500,
      startMs: 0,
    });
  }
});

Deno.test("readPeriodOptions() takes one time or a list, of every kind, sorted and each once", () => {
  using _time = new FakeTime(NOW);
  const trigger = { type: "atTime", timesMs: [NOW + 1] } as const;
  assertEquals(readPeriodOptions({ atTime: NOW + 1 }).trigger, trigger);
  assertEquals(readPeriodOptions({ atTime: new Date(NOW + 1) }).trigger, trigger);
  const instant = Temporal.Instant.fromEpochMilliseconds(NOW + 1);
  assertEquals(readPeriodOptions({ atTime: instant }).trigger, trigger);
  assertEquals(
    readPeriodOptions({ atTime: [NOW + 3, new Date(NOW + 1), instant, NOW + 2] }).trigger,
    { type: "atTime", timesMs: [NOW + 1, NOW + 2, NOW + 3] },
  );
});

Deno.test("readPeriodOptions() takes the own time zone for cron when none is given", () => {
  assertEquals(readPeriodOptions({ cron: "0 0 * * *" }).trigger, {
    type: "cron",
    expression: "0 0 * * *",
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
  });
});

Deno.test("readPeriodOptions() wants exactly one of interval, atTime and cron", () => {
  assertRefused({}, "exactly one of interval, atTime and cron", "not none");
  assertRefused({ interval: "1s", cron: "* * * * *" }, "not interval and cron");
  assertRefused(
    { interval: "1s", cron: "* * * * *", atTime: Date.now() + 1e6 },
    "not interval and atTime and cron",
  );
});

Deno.test("readPeriodOptions() refuses an interval that is not above zero", () => {
  const bad = [0, -1, NaN, Infinity, "", "0s", "-5s", "soon", "5", null, {}, [], true, 1n, 0.5];
  for (const interval of bad) assertRefused({ interval }, "interval");
  assertRefused({ interval: 1e300 }, "interval");
});

Deno.test("readPeriodOptions() refuses times that are past, unreadable or missing", () => {
  using _time = new FakeTime(NOW);
  for (const atTime of [NOW, NOW - 1, 0, -1, new Date(NOW - 1)]) {
    assertRefused({ atTime }, "atTime", "in the future");
  }
  assertRefused({ atTime: [NOW + 1, NOW - 1] }, new Date(NOW - 1).toISOString());
  for (const atTime of [NaN, Infinity, 1e300, "2030-01-01", null, {}, new Date(NaN)]) {
    assertRefused({ atTime }, "atTime");
    assertRefused({ atTime: [NOW + 1, atTime] }, "atTime");
  }
  assertRefused({ atTime: [] }, "atTime");
  assertRefused({ atTime: new Array(2) }, "atTime");
  assertRefused({ atTime: new Array(MAX_TIMES + 1).fill(NOW + 1) }, String(MAX_TIMES));
});

Deno.test("readPeriodOptions() refuses a cron expression that cannot be read or never fits", () => {
  for (const cron of ["", " ", "x", "* * * *", "* * * * * * *", "60 * * * *", "@daily", 5, null]) {
    assertRefused({ cron }, "cron");
  }
  assertRefused({ cron: "0 0 30 2 *" }, "no month has such a day");
  assertRefused({ cron: "30 2 * 3 0L", timezone: "Europe/Berlin" }, "some time will match");
});

Deno.test("readPeriodOptions() leaves cron expressions to others where it cannot read them", () => {
  const trigger = { type: "cron", expression: "some day", timezone: "Mars" } as const;
  assertEquals(readPeriodOptions({ cron: "some day", timezone: "Mars" }).trigger, trigger);
});

Deno.test("readPeriodOptions() refuses a time zone that is none, or goes with no cron", () => {
  for (const timezone of ["", "Mars/Olympus", 5, null]) {
    assertRefused({ cron: "* * * * *", timezone });
  }
  assertRefused({ interval: "1s", timezone: "UTC" }, "timezone");
});

Deno.test("readPeriodOptions() refuses other options that cannot be", () => {
  const refused: Record<string, unknown[]> = {
    overlap: ["", "SKIP", "toString", 1, null],
    maxRuns: [0, -1, 1.5, NaN, Infinity, "1", null],
    pauseAfterFailures: [0, -1, 1.5, NaN, Infinity, "1", null],
    uuid: ["", "x", 1, null, `${UUID} `, UUID.slice(1)],
    catchUp: [0, -1, NaN, Infinity, 1e300, "53w", "", "soon", null],
  };
  for (const [name, values] of Object.entries(refused)) {
    for (const value of values) assertRefused({ interval: "1s", [name]: value }, name);
  }
});
