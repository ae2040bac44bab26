/**
 * What clocks on the wall show.
 *
 * @module
 */

/** Longer than any clock is ever set back at once. */
const LONGEST_CHANGE_MS = 3 * 3_600_000;

/** How far the clocks of a time zone are ahead of UTC at a time, in milliseconds. */
export type OffsetAt = (timeMs: number) => number;

/**
 * Prepares the offsets of a time zone.
 *
 * @throws {RangeError} when the time zone is unknown.
 */
export function offsetsOf(timeZone: string): OffsetAt {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    ...{ year: "numeric", month: "numeric", day: "numeric" },
    ...{ hour: "numeric", minute: "numeric", second: "numeric" },
  });
  return (timeMs) => {
    const shown = Object.fromEntries(
      format.formatToParts(timeMs).map(({ type, value }) => [type, Number(value)]),
    );
    const { year, month, day, hour, minute, second } = shown;
    const wall = Date.UTC(year!, month! - 1, day, hour, minute, second);
    return wall - Math.floor(timeMs / 1000) * 1000;
  };
}

/** Whether the clocks have shown the same before, because they were set back. */
export function isRepeated(offsetAt: OffsetAt, timeMs: number): boolean {
  const offset = offsetAt(timeMs);
  const setBackMs = offsetAt(timeMs - LONGEST_CHANGE_MS) - offset;
  return setBackMs > 0 && offsetAt(timeMs - setBackMs) - offset === setBackMs;
}
