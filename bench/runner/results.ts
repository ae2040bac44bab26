/**
 * What was measured: all rounds, and each as a ratio against the floor of the same round.
 *
 * @module
 */

import { type Figure, FIGURES, type Figures } from "../works.ts";

/** Of several rounds. */
export interface Spread {
  readonly minimum: number;
  readonly median: number;
  readonly maximum: number;
}

/** A figure of a work of a system. */
export interface Result extends Spread {
  /** As tables show it. */
  readonly work: string;
  readonly figure: Figure;
  readonly system: string;
  readonly transport: string;
  readonly rounds: readonly number[];
  /** The figure divided by the floor's, round by round; absent for floors. */
  readonly ratio?: Spread & { readonly floor: string };
}

/** What a run leaves in `results/`. */
export interface Report {
  readonly date: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly results: readonly Result[];
}

interface Series {
  readonly work: string;
  readonly figure: Figure;
  readonly system: string;
  readonly transport: string;
  readonly floor: string | undefined;
  readonly rounds: number[];
}

/** Takes the figures as they come. */
export class Results {
  readonly #series = new Map<string, Series>();

  /**
   * Adds a round.
   *
   * @param floor The system that it is compared with; `undefined` for floors.
   */
  add(
    place: { work: string; system: string; transport: string; floor: string | undefined },
    figures: Figures,
  ): void {
    const { work, system, transport } = place;
    for (const figure of Object.keys(FIGURES) as Figure[]) {
      const value = figures[figure];
      if (value === undefined) continue;
      const key = keyOf(work, figure, system, transport);
      let series = this.#series.get(key);
      if (series === undefined) this.#series.set(key, series = { ...place, figure, rounds: [] });
      series.rounds.push(value);
    }
  }

  /** All of it. */
  all(): Result[] {
    return [...this.#series.values()].map(({ floor, ...series }) => {
      const { work, figure, transport, rounds } = series;
      const reference = floor === undefined
        ? undefined
        : this.#series.get(keyOf(work, figure, floor, transport));
      const result = { ...series, ...spread(rounds) };
      const ratios = rounds.map((value, round) => value / reference?.rounds[round]!);
      if (reference === undefined || !ratios.every(Number.isFinite)) return result;
      return { ...result, ratio: { floor: floor!, ...spread(ratios) } };
    });
  }
}

function keyOf(...parts: string[]): string {
  return parts.join("\n");
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1
    ? sorted[middle]!
    : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { minimum: sorted[0]!, median, maximum: sorted.at(-1)! };
}
