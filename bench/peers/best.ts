/**
 * The best of the ways to run a system.
 *
 * @module
 */

import type { Result } from "../runner/results.ts";
import { FIGURES } from "../works.ts";

/** A result of a system, and the way to run it that gave it. */
export interface BestResult extends Result {
  /** Absent where there is one way only. */
  readonly variant?: string;
}

/**
 * Of each figure of each system the result with the best median.
 *
 * @param families The system that a variant is of, by the variant's name; others stay as they are.
 */
export function bestOf(
  results: readonly Result[],
  families: ReadonlyMap<string, string>,
): BestResult[] {
  const best = new Map<string, BestResult>();
  for (const result of results) {
    const family = families.get(result.system);
    const key = JSON.stringify([
      result.transport,
      result.work,
      result.figure,
      family ?? result.system,
    ]);
    const other = best.get(key);
    if (other !== undefined && !isBetter(result, other)) continue;
    const { system: variant } = result;
    best.set(key, family === undefined ? result : { ...result, system: family, variant });
  }
  return [...best.values()];
}

function isBetter(one: Result, other: Result): boolean {
  const { better } = FIGURES[one.figure];
  return better === "less" ? one.median < other.median : one.median > other.median;
}
