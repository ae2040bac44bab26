import { assert, assertEquals, assertThrows } from "@std/assert";
import { InitializationError } from "../../mod.ts";
import { compileCron } from "../../src/scheduler/cron.ts";

/** The next due times of an expression as UTC texts without seconds, the seconds being zero. */
function times(
  expression: string,
  from: string,
  count: number,
  timezone = "Europe/Berlin",
): string[] {
  const next = compileCron(expression, timezone);
  const found: string[] = [];
  let at: number | undefined = Date.parse(from);
  while (found.length < count) {
    at = next(at);
    if (at === undefined) break;
    found.push(new Date(at).toISOString().replace(":00.000Z", ""));
  }
  return found;
}

Deno.test("a cron expression has five fields, or six with seconds first", () => {
  assertEquals(times("30 6 * * *", "2026-01-01T00:00Z", 2, "UTC"), [
    "2026-01-01T06:30",
    "2026-01-02T06:30",
  ]);
  const next = compileCron("*/20 * * * * *", "UTC");
  assertEquals(next(0), 20_000);
  assertEquals(next(20_000), 40_000);
  assertEquals(next(40_000), 60_000);
});

Deno.test("a cron expression is read in its time zone", () => {
  assertEquals(times("0 9 * * *", "2026-07-01T00:00Z", 1, "Asia/Tokyo"), ["2026-07-02T00:00"]);
  assertEquals(times("0 9 * * *", "2026-07-01T00:00Z", 1), ["2026-07-01T07:00"]);
  assertEquals(times("0 9 * * *", "2026-01-01T00:00Z", 1), ["2026-01-01T08:00"]);
  assertEquals(times("0 9 * * MON-FRI", "2026-01-02T12:00Z", 2), [
    "2026-01-05T08:00",
    "2026-01-06T08:00",
  ]);
});

Deno.test("a cron time is after the given one, to the millisecond", () => {
  const next = compileCron("* * * * * *", "UTC");
  assertEquals(next(999), 1000);
  assertEquals(next(1000), 2000);
  assertEquals(next(1001), 2000);
});

for (const expression of ["30 2 * * *", "*/30 2 * * *", "0 30 2 * * *"]) {
  Deno.test(`"${expression}" is skipped on the day on which the clock skips 02:00 to 03:00`, () => {
    const [last, ...after] = times(expression, "2026-03-28T01:00Z", 2);
    assertEquals(last, "2026-03-28T01:30");
    assertEquals(after[0]!.slice(0, 10), "2026-03-30");
  });
}

Deno.test("times beside the skipped hour are not moved", () => {
  assertEquals(times("*/30 1-3 * * *", "2026-03-28T23:59Z", 5), [
    "2026-03-29T00:00",
    "2026-03-29T00:30",
    "2026-03-29T01:00",
    "2026-03-29T01:30",
    "2026-03-29T23:00",
  ]);
  assertEquals(times("0 3 * * *", "2026-03-28T12:00Z", 2), [
    "2026-03-29T01:00",
    "2026-03-30T01:00",
  ]);
});

for (
  const [expression, expected] of [
    ["30 2 * * *", ["2026-10-25T00:30", "2026-10-26T01:30"]],
    ["*/30 2 * * *", ["2026-10-25T00:00", "2026-10-25T00:30", "2026-10-26T01:00"]],
    ["15,45 2 * * *", ["2026-10-25T00:15", "2026-10-25T00:45", "2026-10-26T01:15"]],
    ["0 30 2 * * *", ["2026-10-25T00:30", "2026-10-26T01:30"]],
    ["0 */2 * * *", ["2026-10-25T00:00", "2026-10-25T03:00", "2026-10-25T05:00"]],
    ["0 1-3 * * *", ["2026-10-25T00:00", "2026-10-25T02:00", "2026-10-26T00:00"]],
  ] as const
) {
  Deno.test(`"${expression}" runs once at each time of the hour that the clock repeats`, () => {
    assertEquals(times(expression, "2026-10-24T23:59Z", expected.length), [...expected]);
  });
}

Deno.test("a repeated time is not due again when one asks in between", () => {
  for (const from of ["2026-10-25T00:30Z", "2026-10-25T00:59Z", "2026-10-25T01:10Z"]) {
    assertEquals(times("30 2 * * *", from, 1), ["2026-10-26T01:30"]);
  }
});

Deno.test("an expression of every hour runs in both hours that the clock calls the same", () => {
  for (const expression of ["30 * * * *", "0 30 * * * *"]) {
    assertEquals(times(expression, "2026-10-24T23:59Z", 4), [
      "2026-10-25T00:30",
      "2026-10-25T01:30",
      "2026-10-25T02:30",
      "2026-10-25T03:30",
    ]);
  }
});

Deno.test("clock changes of other lengths and at other hours follow the same rules", () => {
  // Lord Howe Island changes by half an hour: 02:00 to 02:30 is skipped in October, and 01:30 to
  // 02:00 comes twice in April.
  assertEquals(times("15 2 * * *", "2026-10-02T16:00Z", 2, "Australia/Lord_Howe"), [
    "2026-10-04T15:15",
    "2026-10-05T15:15",
  ]);
  assertEquals(times("45 1 * * *", "2026-04-04T12:00Z", 2, "Australia/Lord_Howe"), [
    "2026-04-04T14:45",
    "2026-04-05T15:15",
  ]);
  assertEquals(times("30 1 * * *", "2026-10-31T12:00Z", 2, "America/New_York"), [
    "2026-11-01T05:30",
    "2026-11-02T06:30",
  ]);
  // Midnight itself was skipped in São Paulo.
  assertEquals(times("0 0 * * *", "2018-11-03T12:00Z", 1, "America/Sao_Paulo"), [
    "2018-11-05T02:00",
  ]);
});

Deno.test("an expression that is far too long is refused before it is read, in a short message", () => {
  const expression = "* ".repeat(30_000_000);
  const error = assertThrows(() => compileCron(expression, "UTC"), InitializationError, "too long");
  assertEquals(error.message.length < 1_000, true);
});

Deno.test("a time zone that there is not is refused by its name", () => {
  for (const timezone of ["Mars/Base", "", "Europe/Berlin\n"]) {
    assertThrows(
      () => compileCron("* * * * *", timezone),
      InitializationError,
      "timezone must be ",
    );
  }
});

Deno.test("an expression that fits only what the clock skips is decided soon", () => {
  for (
    const expression of ["* * 2 * 3 0#L", "30 2 * 3 0#L", "* * 2 * 3,11 0#L"]
  ) {
    const next = compileCron(expression, "Europe/Berlin");
    const began = performance.now();
    next(Date.UTC(2026, 0, 1));
    const took = performance.now() - began;
    assert(took < 500, `${expression} took ${took} ms`);
  }
});

Deno.test("an expression that fits the hour of a clock change goes on in a year without it", () => {
  assertEquals(times("0,59 2 29 3 *", "2026-03-01T00:00Z", 2), [
    "2027-03-29T00:00",
    "2027-03-29T00:59",
  ]);
  assertEquals(times("59 * * * 0", "2026-10-25T00:58Z", 3), [
    "2026-10-25T00:59",
    "2026-10-25T01:59",
    "2026-10-25T02:59",
  ]);
});

/** How many days were looked at while `run` ran. */
function looksDuring(run: () => void): number {
  const { UTC } = Date;
  let looks = 0;
  Date.UTC = (...parts) => {
    looks++;
    return UTC(...parts);
  };
  try {
    run();
  } finally {
    Date.UTC = UTC;
  }
  return looks;
}

for (
  const expression of ["0 0 31 2,4,6,9,11 *", "0 0 30W,31W 2 *", "* * * 31W 2,4,6,9,11 *"]
) {
  Deno.test(`"${expression}" is refused soon, for no calendar has such a day`, () => {
    const looks = looksDuring(() => {
      const compile = () => compileCron(expression, "UTC");
      assertThrows(compile, InitializationError, "no month has such a day");
    });
    assert(looks < 3_000, `${looks} looks`);
  });
}

Deno.test("days that few years have are found, and soon", () => {
  const looks = looksDuring(() => {
    assertEquals(times("0 12 29 2 *", "2096-03-01T00:00Z", 1, "UTC"), ["2104-02-29T12:00"]);
    assertEquals(times("0 12 * 2 4#5", "2026-03-01T00:00Z", 1, "UTC"), ["2052-02-29T12:00"]);
  });
  assert(looks < 10_000, `${looks} looks`);
});

Deno.test("a weekday with + is refused, whatever spaces are around it", () => {
  for (const expression of ["0 0 15W * +6", "  0 0   15W *\t+6", "0 0 0 13 * +FRI"]) {
    const compile = () => compileCron(expression, "UTC");
    assertThrows(compile, InitializationError, "a weekday with + is not supported");
  }
});
