/**
 * Reads the options of `PERIOD`.
 *
 * @module
 */

import { InitializationError } from "./errors.ts";
import { badOption } from "./internal/bad_option.ts";
import { parseDuration, parseTime } from "./internal/duration.ts";
import { isUuid } from "./internal/uuid.ts";
import type { PeriodOptions } from "./modifiers.ts";
import { OVERLAPS, type TaskSpec } from "./scheduler/task.ts";
import {
  type CompileCron,
  MAX_CATCH_UP_MS,
  MAX_INTERVAL_MS,
  MAX_TIMES,
  type Trigger,
} from "./scheduler/trigger.ts";

/** A task as far as the options tell it. */
export type TaskPlan = Omit<TaskSpec, "callbackName" | "args">;

/**
 * Reads the options.
 *
 * @param compileCron Reads cron expressions; without it, that is left to the process that gets the
 * task.
 * @throws {InitializationError} when not exactly one of `interval`, `atTime` and `cron` is given, or
 * one has a value that it cannot have; a time must be in the future.
 */
export function readPeriodOptions(options: PeriodOptions, compileCron?: CompileCron): TaskPlan {
  const { overlap = "skip", maxRuns, uuid, catchUp = "60s", pauseAfterFailures } = options;
  const catchUpMs = parseDuration(catchUp, "catchUp");
  if (catchUpMs > MAX_CATCH_UP_MS) fail("catchUp", catchUp, "a year at most");
  if (!OVERLAPS.includes(overlap)) fail("overlap", overlap, `one of ${OVERLAPS.join(", ")}`);
  if (uuid !== undefined && !isUuid(uuid)) fail("uuid", uuid, "a UUID");
  return {
    uuid: uuid?.toLowerCase(),
    trigger: readTrigger(options, compileCron),
    overlap,
    maxRuns: readCount("maxRuns", maxRuns),
    catchUpMs,
    pauseAfterFailures: readCount("pauseAfterFailures", pauseAfterFailures),
  };
}

function readTrigger(
  { interval, atTime, cron, timezone }: PeriodOptions,
  compileCron: CompileCron | undefined,
): Trigger {
  const given = Object.entries({ interval, atTime, cron }).filter(([, value]) =>
    value !== undefined
  );
  if (given.length !== 1) {
    const names = given.map(([name]) => name).join(" and ");
    throw new InitializationError(
      `Cannot schedule: exactly one of interval, atTime and cron is needed, not ${names || "none"}`,
    );
  }
  if (timezone !== undefined && cron === undefined) {
    throw new InitializationError("Cannot schedule: timezone goes with cron only");
  }
  if (interval !== undefined) {
    const everyMs = parseDuration(interval, "interval");
    if (everyMs < 1 || everyMs > MAX_INTERVAL_MS) {
      fail("interval", interval, "from a millisecond to a hundred years");
    }
    return { type: "interval", everyMs, startMs: 0 };
  }
  if (atTime !== undefined) return readTimes(Array.isArray(atTime) ? atTime : [atTime]);
  return readCron(cron, timezone, compileCron);
}

function readTimes(times: readonly unknown[]): Trigger {
  if (times.length === 0 || times.length > MAX_TIMES) {
    fail("atTime", `a list of ${times.length}`, `one to ${MAX_TIMES} times`);
  }
  const now = Date.now();
  const timesMs = Array.from(times, (time) => {
    const ms = parseTime(time as Date, "atTime");
    if (ms <= now) fail("atTime", new Date(ms).toISOString(), "in the future");
    return ms;
  });
  return { type: "atTime", timesMs: [...new Set(timesMs)].sort((a, b) => a - b) };
}

function readCron(
  expression: unknown,
  timezone: unknown,
  compileCron: CompileCron | undefined,
): Trigger {
  const { timeZone: here } = Intl.DateTimeFormat().resolvedOptions();
  if (typeof expression !== "string") fail("cron", expression, "a cron expression");
  if (timezone !== undefined && (typeof timezone !== "string" || timezone === "")) {
    fail("timezone", timezone, 'the name of a time zone, for example "Europe/Berlin"');
  }
  const zone = timezone ?? here;
  if (compileCron !== undefined && compileCron(expression, zone)(Date.now()) === undefined) {
    fail("cron", expression, "an expression that some time will match");
  }
  return { type: "cron", expression, timezone: zone };
}

function readCount(name: string, value: number | undefined): number | undefined {
  if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) {
    fail(name, value, "a whole number above zero");
  }
  return value;
}

function fail(name: string, value: unknown, wanted: string): never {
  badOption(name, value, wanted, "schedule");
}
