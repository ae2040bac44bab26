/**
 * When the wall clock of a time zone shows what a cron expression says.
 *
 * @module
 */

import { Cron } from "npm:croner@^11.0.1";
import { InitializationError } from "../errors.ts";
import { recent } from "../internal/recent.ts";
import { show } from "../internal/show.ts";
import type { NextDue } from "./trigger.ts";
import { changeAfter, endOfChange, offsetsOf, timesOf } from "./wall_clock.ts";

/** Longest cron expression. Stops expressions that take long to read. */
const MAX_CRON_LENGTH = 256;

/**
 * How many times that the clock skips or repeats are passed over in search of one that it does not.
 * Each stands for a whole change of the clock, of which there are some two a year.
 */
const MAX_CHANGES = 10;

/**
 * Prepares a cron trigger.
 *
 * The expression is looked up in what the clock shows, and only what is found is turned into a time:
 * croner itself would look at every second that the clock of a time zone skips, for a thousand years.
 *
 * @throws {InitializationError} when the expression cannot be read, or there is no such time zone.
 */
export function compileCron(expression: string, timezone: string): NextDue {
  const offsetAt = offsetsOf(timezone);
  cronOf(expression, timezone); // what cannot be read is told now
  // "Every hour" is every hour, also one that has the same name as the one before.
  const isHourly = expression.trim().split(/\s+/).at(-4) === "*";
  return (afterMs) => {
    const cron = cronOf(expression, timezone);
    const nextShown = (shownMs: number) => cron.nextRun(new Date(shownMs))?.getTime();
    let shown = afterMs + offsetAt(afterMs);
    if (isHourly) {
      const change = changeAfter(offsetAt, afterMs);
      if (change !== undefined && change.afterMs < change.beforeMs) {
        const due = (nextShown(shown) ?? Infinity) - change.beforeMs;
        if (due < change.atMs) return due;
        shown = change.atMs + change.afterMs - 1; // from there the clock shows the same again
      }
    }
    for (let i = 0; i < MAX_CHANGES; i++) {
      const next = nextShown(shown);
      if (next === undefined) return undefined;
      const times = timesOf(offsetAt, next);
      const due = isHourly ? times.find((time) => time > afterMs) : times[0];
      if (due !== undefined && due > afterMs) return due;
      shown = endOfChange(offsetAt, next) - 1;
    }
    return undefined;
  };
}

/** Expressions that were read: each takes 80 KiB, far more than its task. */
const crons = new Map<string, Cron>();
const MAX_CRONS = 128;

function cronOf(expression: string, timezone: string): Cron {
  return recent(crons, MAX_CRONS, expression, () => readCron(expression, timezone));
}

const OPTIONS = { utcOffset: 0, paused: true };

/**
 * Years among which there is each calendar: a year is a leap year or not, and begins on one of seven days. What has no
 * day in them has none ever, and croner would look at four hundred years for it.
 */
const ALL_CALENDARS = "2000-2027";

function readCron(expression: string, timezone: string): Cron {
  const wrong = (why: string, cause?: unknown) =>
    new InitializationError(
      `Cannot schedule: cron is ${show(expression)} in ${timezone}: ${why}; five or six ` +
        'fields are needed, for example "30 2 * * 1-5" or, with seconds first, "*/10 * * * * *"',
      { cause },
    );
  if (expression.length > MAX_CRON_LENGTH) throw wrong("it is too long");
  const fields = expression.trim().split(/\s+/);
  const { length } = fields;
  if (length !== 5 && length !== 6) throw wrong(`it has ${length} fields`);
  const [days, months, weekdays] = fields.slice(-3);
  // Of both, day and weekday, few months have what is asked for, and it takes long to find.
  if (weekdays!.startsWith("+")) throw wrong("a weekday with + is not supported");
  let first: Date | null;
  let cron: Cron;
  try {
    cron = new Cron(expression, { ...OPTIONS, mode: "5-or-6-parts" });
    const day = `0 0 0 ${days} ${months} ${weekdays} ${ALL_CALENDARS}`;
    first = new Cron(day, { ...OPTIONS, mode: "7-part" }).nextRun(new Date(0));
  } catch (error) {
    throw wrong((error as Error).message.replace(/^CronPattern: /, ""), error);
  }
  if (first === null) throw wrong("no month has such a day");
  return cron;
}
