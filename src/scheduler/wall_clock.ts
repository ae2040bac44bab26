/**
 * What clocks on the wall show.
 *
 * @module
 */

import { InitializationError } from "../errors.ts";
import { recent } from "../internal/recent.ts";
import { show } from "../internal/show.ts";

/** Longer than any clock is ever set back at once. */
const LONGEST_CHANGE_MS = 3 * 3_600_000;

/** Further than any clock is from UTC. */
const FURTHEST_MS = 24 * 3_600_000;

const SECOND_MS = 1000;

/** Clocks are set at the quarters of an hour, in UTC: within one the offset stays what it is. */
const QUARTER_MS = 900_000;

/** Remembered offsets of a time zone. Many tasks that are due at once ask for the same ones. */
const MAX_OFFSETS = 1_000;

/** How far the clocks of a time zone are ahead of UTC at a time, in milliseconds. */
export type OffsetAt = (timeMs: number) => number;

/** By names of time zones. A formatter is large, and each zone has names without end: case does not count. */
const offsets = new Map<string, OffsetAt>();
const MAX_ZONES = 500;

/**
 * Prepares the offsets of a time zone.
 *
 * @throws {InitializationError} when the time zone is unknown.
 */
export function offsetsOf(timeZone: string): OffsetAt {
  return recent(offsets, MAX_ZONES, timeZone, () => prepare(timeZone));
}

function prepare(timeZone: string): OffsetAt {
  const format = formatOf(timeZone);
  const known = new Map<number, number>();
  return (timeMs) => {
    const quarter = Math.floor(timeMs / QUARTER_MS);
    let offset = known.get(quarter);
    if (offset === undefined) {
      if (known.size >= MAX_OFFSETS) known.clear();
      known.set(quarter, offset = reckon(format, timeMs));
    }
    return offset;
  };
}

function reckon(format: Intl.DateTimeFormat, timeMs: number): number {
  const shown = Object.fromEntries(
    format.formatToParts(timeMs).map(({ type, value }) => [type, Number(value)]),
  );
  const { year, month, day, hour, minute, second } = shown;
  const wall = Date.UTC(year!, month! - 1, day, hour, minute, second);
  return wall - Math.floor(timeMs / SECOND_MS) * SECOND_MS;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      ...{ year: "numeric", month: "numeric", day: "numeric" },
      ...{ hour: "numeric", minute: "numeric", second: "numeric" },
    });
  } catch (cause) {
    throw new InitializationError(
      `Cannot schedule: timezone must be the name of a time zone, for example "Europe/Berlin", ` +
        `but is ${show(timeZone)}`,
      { cause },
    );
  }
}

/** A moment at which the clocks of a time zone are set, and their offsets on both sides of it. */
interface Change {
  readonly atMs: number;
  readonly beforeMs: number;
  readonly afterMs: number;
}

/** The change in a stretch of time that has at most one. */
function changeIn(offsetAt: OffsetAt, fromMs: number, toMs: number): Change | undefined {
  const [beforeMs, afterMs] = [offsetAt(fromMs), offsetAt(toMs)];
  if (beforeMs === afterMs) return undefined;
  let [low, high] = [Math.floor(fromMs / SECOND_MS), Math.ceil(toMs / SECOND_MS)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle * SECOND_MS) === beforeMs) low = middle;
    else high = middle;
  }
  return { atMs: high * SECOND_MS, beforeMs, afterMs };
}

/** The change that comes so soon that a time may be shown both now and after it. */
export function changeAfter(offsetAt: OffsetAt, timeMs: number): Change | undefined {
  return changeIn(offsetAt, timeMs, timeMs + LONGEST_CHANGE_MS);
}

/** The change by which something is shown twice or not at all. */
function changeAround(offsetAt: OffsetAt, shownMs: number): Change | undefined {
  return changeIn(offsetAt, shownMs - FURTHEST_MS, shownMs + FURTHEST_MS);
}

/**
 * When the clocks show something: once, twice when they are set back, or never.
 *
 * @param shownMs What they show, as the time at which clocks in UTC show it.
 */
export function timesOf(offsetAt: OffsetAt, shownMs: number): number[] {
  const offsets = new Set([offsetAt(shownMs - FURTHEST_MS), offsetAt(shownMs + FURTHEST_MS)]);
  return Array.from(offsets, (offset) => shownMs - offset)
    .filter((time) => time + offsetAt(time) === shownMs);
}

/** What is shown after all that is shown twice, or not at all, for the same reason as this. */
export function endOfChange(offsetAt: OffsetAt, shownMs: number): number {
  const change = changeAround(offsetAt, shownMs);
  if (change === undefined) return shownMs + 1;
  return change.atMs + Math.max(change.beforeMs, change.afterMs);
}

/** A clock that goes back by less than this was corrected, not set. */
const SET_BACK_MS = 1_000;

/**
 * A clock that goes back by this much was wrong before: what it shows now is shown anew. Not a whole hour, which is
 * what clocks are set back by, for the time since the last look at it, up to half a minute, is missing in a step.
 */
export const SHOWN_ANEW_MS = 3_540_000;

/** A clock that notices when it is set back. */
export class WallClock {
  #now: () => number;
  #latest: number;

  /** @param now What it shows, in epoch milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#latest = now();
  }

  /** What it shows now, and by how much it was set back since the last look, or 0. */
  look(): { nowMs: number; setBackMs: number } {
    const nowMs = this.#now();
    const backMs = this.#latest - nowMs;
    if (backMs > 0 && backMs < SET_BACK_MS) return { nowMs, setBackMs: 0 }; // it will catch up
    this.#latest = nowMs;
    return { nowMs, setBackMs: Math.max(0, backMs) };
  }
}
