/**
 * What clocks on the wall show.
 *
 * @module
 */

import { InitializationError } from "../errors.ts";
import { show } from "../internal/show.ts";

/** Longer than any clock is ever set back at once. */
const LONGEST_CHANGE_MS = 3 * 3_600_000;

/** How far the clocks of a time zone are ahead of UTC at a time, in milliseconds. */
export type OffsetAt = (timeMs: number) => number;

/** A formatter is large, and there are only some hundred time zones. */
const offsets = new Map<string, OffsetAt>();

/**
 * Prepares the offsets of a time zone.
 *
 * @throws {InitializationError} when the time zone is unknown.
 */
export function offsetsOf(timeZone: string): OffsetAt {
  let offsetAt = offsets.get(timeZone);
  if (offsetAt === undefined) offsets.set(timeZone, offsetAt = prepare(timeZone));
  return offsetAt;
}

function prepare(timeZone: string): OffsetAt {
  const format = formatOf(timeZone);
  return (timeMs) => {
    const shown = Object.fromEntries(
      format.formatToParts(timeMs).map(({ type, value }) => [type, Number(value)]),
    );
    const { year, month, day, hour, minute, second } = shown;
    const wall = Date.UTC(year!, month! - 1, day, hour, minute, second);
    return wall - Math.floor(timeMs / 1000) * 1000;
  };
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
      `Cannot schedule: timezone is ${show(timeZone)}, the name of a time zone is needed, ` +
        'for example "Europe/Berlin"',
      { cause },
    );
  }
}

/** Whether the clocks have shown the same before, because they were set back. */
export function isRepeated(offsetAt: OffsetAt, timeMs: number): boolean {
  const offset = offsetAt(timeMs);
  const setBackMs = offsetAt(timeMs - LONGEST_CHANGE_MS) - offset;
  return setBackMs > 0 && offsetAt(timeMs - setBackMs) - offset === setBackMs;
}

/** A clock that goes back by less than this was corrected, not set. */
const SET_BACK_MS = 1_000;

/** A clock that goes back by this much was wrong before: what it shows now is shown anew. */
export const SHOWN_ANEW_MS = 3_600_000;

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
