import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { InitializationError } from "../../src/errors.ts";
import { type Duration, parseDuration, parseTime, type Time } from "../../src/internal/duration.ts";

const READ: Record<string, number> = {
  "5s": 5000,
  "1m24s": 84_000,
  "1.2 minutes": 72_000,
  "1.005s": 1005,
  "2h 30m": 9_000_000,
  "2 h 30 m": 9_000_000,
  " 5s ": 5000,
  "1:24": 84_000,
  "90:00": 5_400_000,
  "1:02:03": 3_723_000,
  "250ms": 250,
  "0.5ms": 0.5,
  "1 hour": 3_600_000,
  "2 hours 1 minute 1 second": 7_261_000,
  "1d": 86_400_000,
  "1w 1d": 691_200_000,
};

for (const [text, ms] of Object.entries(READ)) {
  Deno.test(`parseDuration() reads ${JSON.stringify(text)}`, () => {
    assertEquals(parseDuration(text, "timeout"), ms);
  });
}

const UNREAD = [
  "",
  " ",
  "5",
  "-5s",
  "+5s",
  "s",
  "5 foos",
  "5s 5 foos",
  "5 foos 5s",
  "5s, 3ms",
  "5s5s",
  "30m 2h",
  "5S",
  "1.s",
  ".5s",
  "1e3s",
  "1:60",
  "1:60:00",
  "1:2",
  "1:24s",
  "0s",
  "0:00",
  "Infinity",
  "5 constructor",
  `${"9".repeat(400)}s`,
];

for (const text of UNREAD) {
  const shown = text.length > 20 ? `${text.slice(0, 20)}…` : text;
  Deno.test(`parseDuration() refuses the whole of ${JSON.stringify(shown)}`, () => {
    assertThrows(() => parseDuration(text, "timeout"), InitializationError);
  });
}

Deno.test("parseDuration() names the argument, the value and what is valid when it refuses", () => {
  const { message } = assertThrows(
    () => parseDuration("5 foos", "drainTimeout"),
    InitializationError,
  );
  assertEquals(
    message,
    'Cannot use drainTimeout as a duration: current value is "5 foos". Give a finite number of ' +
      'milliseconds above zero, a string such as "5s", "1m24s" or "2h 30m", or a Temporal.Duration',
  );
});

Deno.test("parseDuration() takes a number as milliseconds when it is above zero", () => {
  assertEquals(parseDuration(0.25, "timeout"), 0.25);
  assertEquals(parseDuration(2 ** 40, "timeout"), 2 ** 40);
});

for (const value of [0, -0, -1, NaN, Infinity, -Infinity]) {
  Deno.test(`parseDuration() refuses the number ${Object.is(value, -0) ? "-0" : value}`, () => {
    assertThrows(
      () => parseDuration(value, "timeout"),
      InitializationError,
      `current value is ${value}`,
    );
  });
}

Deno.test("parseDuration() takes Infinity, and no other infinite value, when allowed", () => {
  const options = { allowInfinity: true };
  assertEquals(parseDuration(Infinity, "timeout", options), Infinity);
  for (const value of [-Infinity, NaN, "Infinity", `${"9".repeat(400)}s`]) {
    const { message } = assertThrows(
      () => parseDuration(value, "timeout", options),
      InitializationError,
    );
    assertStringIncludes(message, "Infinity means no limit");
  }
});

Deno.test("parseDuration() counts 24 hours for a day of a Temporal.Duration", () => {
  const value = Temporal.Duration.from({
    weeks: 1,
    days: 1,
    hours: 1,
    minutes: 1,
    seconds: 1,
    milliseconds: 1,
    microseconds: 250,
    nanoseconds: 500_000,
  });
  assertEquals(parseDuration(value, "interval"), 691_200_000 + 3_661_001.75);
});

Deno.test("parseDuration() says why when a Temporal.Duration has years or months", () => {
  for (const value of [{ years: 1 }, { months: 1, hours: 1 }]) {
    assertThrows(
      () => parseDuration(Temporal.Duration.from(value), "interval"),
      InitializationError,
      "years and months differ",
    );
  }
});

Deno.test("parseDuration() refuses a Temporal.Duration that is not above zero", () => {
  for (const text of ["PT0S", "-PT5S"]) {
    assertThrows(
      () => parseDuration(Temporal.Duration.from(text), "interval"),
      InitializationError,
      `current value is ${text}.`,
    );
  }
});

Deno.test("parseDuration() takes a polyfilled Temporal.Duration", () => {
  const zeros = { years: 0, months: 0, weeks: 0, days: 0, hours: 0, minutes: 0, seconds: 0 };
  const value = {
    ...zeros,
    milliseconds: 7,
    microseconds: 0,
    nanoseconds: 0,
    [Symbol.toStringTag]: "Temporal.Duration",
  };
  assertEquals(parseDuration(value as unknown as Duration, "interval"), 7);
});

Deno.test("parseDuration() refuses what is no duration at all when types are ignored", () => {
  for (const value of [null, undefined, {}, [], true, 5n, Symbol("x"), new Date(5), () => 5]) {
    assertThrows(() => parseDuration(value as unknown as Duration, "timeout"), InitializationError);
  }
});

Deno.test("parseDuration() reads back what is written from parts", () => {
  const parts = fc.record({
    h: fc.nat(1000),
    m: fc.nat(1000),
    s: fc.nat({ max: 100_000 }),
    gap: fc.constantFrom("", " "),
  });
  fc.assert(fc.property(parts, ({ h, m, s, gap }) => {
    fc.pre(h + m + s > 0);
    const text = [h && `${h}${gap}h`, m && `${m}${gap}m`, s && `${s}${gap}s`].filter(Boolean);
    assertEquals(parseDuration(text.join(gap), "timeout"), ((h * 60 + m) * 60 + s) * 1000);
    assertEquals(
      parseDuration(Temporal.Duration.from({ hours: h, minutes: m, seconds: s }), "timeout"),
      parseDuration(text.join(gap), "timeout"),
    );
  }));
});

Deno.test("parseDuration() returns a usable number or throws InitializationError for any text", () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom(..."0159.:- hmsd") }),
  );
  fc.assert(fc.property(text, (value) => {
    let ms: number;
    try {
      ms = parseDuration(value, "timeout");
    } catch (error) {
      return error instanceof InitializationError;
    }
    return Number.isFinite(ms) && ms > 0;
  }));
});

Deno.test("parseTime() returns epoch milliseconds for each kind of time", () => {
  const ms = Date.UTC(2026, 0, 2, 3, 4, 5, 6);
  assertEquals(parseTime(ms, "atTime"), ms);
  assertEquals(parseTime(new Date(ms), "atTime"), ms);
  assertEquals(parseTime(Temporal.Instant.fromEpochMilliseconds(ms), "atTime"), ms);
  assertEquals(parseTime(0, "atTime"), 0);
  assertEquals(parseTime(-1, "atTime"), -1);
});

Deno.test("parseTime() refuses what is no point in time", () => {
  const values = [
    NaN,
    Infinity,
    8.64e15 + 1,
    new Date(NaN),
    "2026-01-01",
    null,
    undefined,
    {},
    5n,
    Temporal.Duration.from("PT5S"),
  ];
  for (const value of values) {
    assertThrows(() => parseTime(value as unknown as Time, "atTime"), InitializationError);
  }
});

Deno.test("parseTime() names the argument, the value and what is valid when it refuses", () => {
  const { message } = assertThrows(() => parseTime(new Date(NaN), "atTime"), InitializationError);
  assertEquals(
    message,
    "Cannot use atTime as a time: current value is Invalid Date. Give a valid Date, epoch " +
      "milliseconds, or a Temporal.Instant",
  );
});

Deno.test("parseDuration() and parseTime() work when Temporal does not exist", () => {
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, "Temporal");
  Reflect.deleteProperty(globalThis, "Temporal");
  try {
    assertEquals(parseDuration("1m24s", "timeout"), 84_000);
    assertEquals(parseTime(new Date(5), "atTime"), 5);
    assertThrows(() => parseDuration({} as Duration, "timeout"), InitializationError);
  } finally {
    if (descriptor !== undefined) Object.defineProperty(globalThis, "Temporal", descriptor);
  }
});
