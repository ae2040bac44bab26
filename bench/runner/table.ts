/**
 * Results as tables in Markdown.
 *
 * @module
 */

import { FLOORS } from "../floor/systems.ts";
import { BROADCAST_WORKS, FIGURES, WORKS } from "../works.ts";
import type { Result, Spread } from "./results.ts";

/**
 * One table for each transport: works down, systems across. A cell has the median, the least and
 * the most of all rounds, and the median's ratio against the floor.
 */
export function tables(results: readonly Result[]): string {
  return distinct(results, "transport").map((transport) => {
    const rows = results.filter((result) => result.transport === transport);
    return `### Over ${transport === "tcp" ? "TCP" : "UNIX sockets"}\n\n${table(rows)}`;
  }).join("\n\n");
}

function table(results: readonly Result[]): string {
  const systems = distinct(results, "system").toSorted(floorsFirst);
  const names = new Map<string, Result[]>();
  for (const result of results.filter(isShown)) {
    const name = rowName(result);
    names.set(name, [...names.get(name) ?? [], result]);
  }
  const rows = [...names].map(([name, row]) => [
    name,
    ...systems.map((system) => cell(row.find((result) => result.system === system))),
  ]);
  return grid([["", ...systems], ...rows]);
}

/** Order of systems. */
export function floorsFirst(a: string, b: string): number {
  const names = Object.values(FLOORS);
  return Number(names.includes(b)) - Number(names.includes(a));
}

/** How many a second is no news beside the latency, but for calls: they are those with 1 in flight. */
function isShown({ work, figure }: Result): boolean {
  return figure !== "perSecond" || !LATENCY_TITLES.has(work);
}

const LATENCY_TITLES: ReadonlySet<string> = new Set(
  BROADCAST_WORKS.map((name) => WORKS[name].title),
);

function rowName({ work, figure }: Result): string {
  if (figure === "p50Us") return `${work}, p50, µs`;
  if (figure === "p99Us") return `${work}, p99, µs`;
  return `${work}, ${FIGURES[figure].unit}`;
}

function cell(result: Result | undefined): string {
  if (result === undefined) return "";
  const text = `**${short(result.median)}** (${range(result)})`;
  return result.ratio === undefined ? text : `${text} · ${ratio(result.ratio.median)} ×`;
}

function range({ minimum, maximum }: Spread): string {
  return `${short(minimum)}–${short(maximum)}`;
}

function ratio(value: number): string {
  return value < 0.1 ? String(Number(value.toPrecision(1))) : value.toFixed(2);
}

/** Three digits that count. */
export function short(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toPrecision(3)} M`;
  if (value >= 1000) return Math.round(Number(value.toPrecision(3))).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}

function grid(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) =>
    Math.max(3, ...rows.map((row) => row[column]!.length))
  );
  const line = (cells: readonly string[]) =>
    `| ${cells.map((text, column) => text.padEnd(widths[column]!)).join(" | ")} |`;
  const [head, ...body] = rows;
  return [line(head!), line(widths.map((width) => "-".repeat(width))), ...body.map(line)]
    .join("\n");
}

function distinct<K extends keyof Result>(results: readonly Result[], key: K): Result[K][] {
  return [...new Set(results.map((result) => result[key]))];
}
