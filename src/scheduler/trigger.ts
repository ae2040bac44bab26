/**
 * When a task fires next: pure functions of time.
 *
 * @module
 */

/** When a task fires. Times are epoch milliseconds. */
export type Trigger =
  /** At `startMs` + n · `everyMs`, n = 1, 2, … */
  | { readonly type: "interval"; readonly everyMs: number; readonly startMs: number }
  /** At each of these times, which are in ascending order. */
  | { readonly type: "atTime"; readonly timesMs: readonly number[] }
  /** Whenever the wall clock of the time zone shows what the expression says. */
  | { readonly type: "cron"; readonly expression: string; readonly timezone: string };

/** Most times that one task may list. Stops a single request from filling memory. */
export const MAX_TIMES = 1_000;

/** Longest interval, a hundred years. Keeps due times within what a `Date` can hold. */
export const MAX_INTERVAL_MS: number = 100 * 365.25 * 86_400_000;

/** Longest time that a missed run may be late by, a year. So long it is remembered that a task has ended. */
export const MAX_CATCH_UP_MS: number = 366 * 86_400_000;

/** Gives the first time after `afterMs` at which a task is due, or `undefined` if there is none. */
export type NextDue = (afterMs: number) => number | undefined;

/**
 * Reads a cron expression: `compileCron` of `cron.ts`, or something smaller where that has no room.
 *
 * @throws {InitializationError} when it cannot be read.
 */
export type CompileCron = (expression: string, timezone: string) => NextDue;

/**
 * Prepares a trigger.
 *
 * @throws {InitializationError} when it cannot be read.
 */
export function compileTrigger(trigger: Trigger, compileCron: CompileCron): NextDue {
  switch (trigger.type) {
    case "interval":
      return (after) => nextOfInterval(trigger.startMs, trigger.everyMs, after);
    case "atTime":
      return (after) => trigger.timesMs.find((time) => time > after);
    case "cron":
      return compileCron(trigger.expression, trigger.timezone);
  }
}

/** Counted from the start each time, so that no error adds up. */
function nextOfInterval(startMs: number, everyMs: number, afterMs: number): number {
  const n = Math.max(1, Math.floor((afterMs - startMs) / everyMs) + 1);
  const due = startMs + n * everyMs;
  return due > afterMs ? due : startMs + (n + 1) * everyMs; // rounding of a fractional interval
}

/** What is due of a task by now. */
export interface Due {
  /** The due times to run, in order. */
  readonly run: readonly number[];
  /** How many older ones are skipped; of a cron trigger at least so many. */
  readonly skipped: number;
}

/** From this number on, the times of a cron trigger that have passed are not all counted. */
const MAX_COUNTED = 100;

/** What is late by no more than this was not missed: timers are, when the process has much to do. */
const LATENESS_MS = 1_000;

/** The earliest due time that may still run. */
export function oldestToRun(nowMs: number, catchUpMs: number): number {
  return nowMs - Math.max(catchUpMs, LATENESS_MS);
}

/**
 * Decides what becomes of the times that have passed since `firstDueMs`, itself included, and of those that are
 * `left` from before it: those older than `catchUpMs`, and more than a second, are skipped; of the others each
 * listed time runs, and of a recurring task the latest.
 */
export function dueBy(
  trigger: Trigger,
  nextDue: NextDue,
  firstDueMs: number,
  nowMs: number,
  catchUpMs: number,
  left: readonly number[] = [],
): Due {
  const oldest = oldestToRun(nowMs, catchUpMs);
  if (trigger.type === "atTime") {
    const passed = trigger.timesMs.filter((time) => time >= firstDueMs && time <= nowMs);
    const due = [...left, ...passed];
    const run = due.filter((time) => time >= oldest);
    return { run, skipped: due.length - run.length };
  }
  let count = left.length;
  let latest = left.at(-1) ?? -Infinity;
  if (firstDueMs <= nowMs && trigger.type === "interval") {
    const steps = Math.floor((nowMs - firstDueMs) / trigger.everyMs);
    count += steps + 1;
    latest = firstDueMs + steps * trigger.everyMs;
  } else {
    for (let at: number | undefined = firstDueMs; at !== undefined && at <= nowMs;) {
      latest = at;
      count++;
      // To count is not worth much time: on to what may still run, and then to the last of that.
      const soon = at < oldest ? Math.ceil(oldest) - 1 : nowMs - 60_000;
      const from: number = count < MAX_COUNTED ? at : Math.max(at, soon);
      at = nextDue(from);
    }
  }
  return latest >= oldest ? { run: [latest], skipped: count - 1 } : { run: [], skipped: count };
}
