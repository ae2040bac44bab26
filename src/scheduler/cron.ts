/**
 * When the wall clock of a time zone shows what a cron expression says.
 *
 * @module
 */

import { Cron } from "croner";
import { InitializationError } from "../errors.ts";
import type { NextDue } from "./trigger.ts";
import { isRepeated, offsetsOf } from "./wall_clock.ts";

/** Longest cron expression. Stops expressions that take long to read. */
const MAX_CRON_LENGTH = 256;

/** How far the search for a cron time looks past times that the clock skips or repeats. */
const MAX_SKIPPED_TIMES = 10_000;

/**
 * Prepares a cron trigger.
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
    let at: Date | null = new Date(afterMs);
    for (let i = 0; i < MAX_SKIPPED_TIMES; i++) {
      at = cron.nextRun(at);
      if (at === null) return undefined;
      // For a time that the clock skips, croner gives the moment after the gap.
      if (!cron.match(at)) continue;
      if (isHourly || !isRepeated(offsetAt, at.getTime())) return at.getTime();
    }
    return undefined;
  };
}

/** Expressions that were read, the last used last: each takes 80 KiB, far more than its task. */
const crons = new Map<string, Cron>();
const MAX_CRONS = 128;

function cronOf(expression: string, timezone: string): Cron {
  const key = `${timezone} ${expression}`;
  const cron = crons.get(key) ?? readCron(expression, timezone);
  crons.delete(key);
  crons.set(key, cron);
  if (crons.size > MAX_CRONS) crons.delete(crons.keys().next().value!);
  return cron;
}

function readCron(expression: string, timezone: string): Cron {
  const fields = expression.trim().split(/\s+/).length;
  const wrong = (why: string, cause?: unknown) =>
    new InitializationError(
      `Cannot schedule: cron is ${
        JSON.stringify(expression)
      } in ${timezone}: ${why}; five or six ` +
        'fields are needed, for example "30 2 * * 1-5" or, with seconds first, "*/10 * * * * *"',
      { cause },
    );
  if (expression.length > MAX_CRON_LENGTH) throw wrong("it is too long");
  if (fields !== 5 && fields !== 6) throw wrong(`it has ${fields} fields`);
  try {
    const cron = new Cron(expression, { timezone, paused: true, mode: "5-or-6-parts" });
    cron.nextRun(); // some of what is wrong is noticed only here
    return cron;
  } catch (error) {
    throw wrong((error as Error).message.replace(/^CronPattern: /, ""), error);
  }
}
