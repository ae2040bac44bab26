import { InitializationError } from "../errors.ts";
import { show } from "./show.ts";

/**
 * A length of time: a `number` of milliseconds, a string with units (`"250ms"`, `"5s"`, `"1m24s"`,
 * `"1.2 minutes"`, `"2h 30m"`, `"1d"`, or `"1:24"` for minutes and seconds), or a
 * `Temporal.Duration` without years and months.
 */
export type Duration = number | string | Temporal.Duration;

/** A point in time: epoch milliseconds, a `Date` or a `Temporal.Instant`. */
export type Time = number | Date | Temporal.Instant;

/** Options for {@linkcode parseDuration}. */
export interface ParseDurationOptions {
  /** Whether the number `Infinity` stands for no limit. @default {false} */
  allowInfinity?: boolean;
}

/** Milliseconds and names of each unit, in the order in which the units of a string must stand. */
const UNITS: readonly (readonly [ms: number, names: string])[] = [
  [604_800_000, "w week weeks"],
  [86_400_000, "d day days"],
  [3_600_000, "h hr hrs hour hours"],
  [60_000, "m min mins minute minutes"],
  [1000, "s sec secs second seconds"],
  [1, "ms millisecond milliseconds"],
];

const MS_BY_UNIT: ReadonlyMap<string, number> = new Map(
  UNITS.flatMap(([ms, names]) => names.split(" ").map((name) => [name, ms] as const)),
);

const CLOCK = /^(?:(\d+):([0-5]\d)|(\d+)):([0-5]\d)$/;

/**
 * Reads a length of time.
 *
 * The units of a string come from the longest to the shortest, each at most once, in lower case, in
 * full or short. A part that cannot be read makes the whole string invalid.
 *
 * @param value What a caller gave.
 * @param name Where it was given, for the message, for example `"timeout"`.
 * @param options Whether `Infinity` is valid.
 * @returns Milliseconds: above zero and finite, or `Infinity` where that is allowed.
 * @throws {InitializationError} When the value is not a length of time above zero.
 *
 * @example
 * ```ts
 * import { parseDuration } from "./duration.ts";
 *
 * console.log(parseDuration("2h 30m", "timeout")); // 9000000
 * ```
 */
export function parseDuration(
  value: Duration,
  name: string,
  options: ParseDurationOptions = {},
): number {
  const { allowInfinity = false } = options;
  const ms = typeof value === "string"
    ? readString(value.trim())
    : isTemporal(value, "Duration")
    ? readTemporal(value, name)
    : value;
  if (
    typeof ms === "number" && ms > 0 && (Number.isFinite(ms) || (allowInfinity && ms === value))
  ) {
    return ms;
  }
  throw new InitializationError(
    `Cannot use ${name} as a duration: current value is ${show(value)}. Give a finite number of ` +
      `milliseconds above zero, a string such as "5s", "1m24s" or "2h 30m", or a Temporal.Duration` +
      (allowInfinity ? "; Infinity means no limit" : ""),
  );
}

/**
 * Reads a point in time.
 *
 * @param value What a caller gave.
 * @param name Where it was given, for the message, for example `"atTime"`.
 * @returns Epoch milliseconds.
 * @throws {InitializationError} When the value is not a point in time that a `Date` can hold.
 *
 * @example
 * ```ts
 * import { parseTime } from "./duration.ts";
 *
 * console.log(parseTime(new Date("1970-01-01T00:00:01Z"), "atTime")); // 1000
 * ```
 */
export function parseTime(value: Time, name: string): number {
  const ms = value instanceof Date
    ? value.getTime()
    : isTemporal(value, "Instant")
    ? value.epochMilliseconds
    : value;
  // A `Date` holds less than a number does, and everything that fires at a time goes through one.
  if (typeof ms === "number" && !Number.isNaN(new Date(ms).getTime())) return ms;
  throw new InitializationError(
    `Cannot use ${name} as a time: current value is ${show(value)}. Give a valid Date, epoch ` +
      `milliseconds, or a Temporal.Instant`,
  );
}

/** Milliseconds, or `undefined` if any part cannot be read. */
function readString(text: string): number | undefined {
  const clock = CLOCK.exec(text);
  if (clock !== null) {
    const [, hours = "0", minutes, onlyMinutes = "0", seconds] = clock;
    return (Number(hours) * 3600 + Number(minutes ?? onlyMinutes) * 60 + Number(seconds)) * 1000;
  }
  const part = /(\d+(?:\.\d+)?)\s*([a-z]+)\s*/y;
  let totalMs = 0;
  let lastUnitMs = Infinity;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    const unitMs = MS_BY_UNIT.get(match?.[2] ?? "");
    if (match === null || unitMs === undefined || unitMs >= lastUnitMs) return undefined;
    totalMs += Number(match[1]) * unitMs;
    lastUnitMs = unitMs;
  }
  // 1.005 * 1000 is not quite 1005, and nobody means less than a microsecond.
  return Math.round(totalMs * 1000) / 1000;
}

function readTemporal(value: Temporal.Duration, name: string): number {
  if (value.years !== 0 || value.months !== 0) {
    throw new InitializationError(
      `Cannot use ${name} as a duration: current value is ${value}, and years and months differ. ` +
        "Give weeks, days, hours or smaller units",
    );
  }
  const hours = (value.weeks * 7 + value.days) * 24 + value.hours;
  return (hours * 3600 + value.minutes * 60 + value.seconds) * 1000 +
    value.milliseconds + value.microseconds / 1e3 + value.nanoseconds / 1e6;
}

/** By its tag: `Temporal` itself does not exist everywhere, and a polyfill's counts as well. */
function isTemporal(value: unknown, type: "Duration"): value is Temporal.Duration;
function isTemporal(value: unknown, type: "Instant"): value is Temporal.Instant;
function isTemporal(value: unknown, type: string): boolean {
  return Object.prototype.toString.call(value) === `[object Temporal.${type}]`;
}
