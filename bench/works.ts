/**
 * The works: what is done, with which values, and what its figures mean. The same for every system.
 * Runs in Deno and in Node.js.
 *
 * @module
 */

/** How a figure is read. */
export interface FigureUnit {
  readonly unit: string;
  /** What is good. */
  readonly better: "less" | "more";
}

/** The figures that there are. */
export const FIGURES = {
  p50Us: { unit: "µs", better: "less" },
  p99Us: { unit: "µs", better: "less" },
  perSecond: { unit: "/s", better: "more" },
  mebibytesPerSecond: { unit: "MiB/s", better: "more" },
  milliseconds: { unit: "ms", better: "less" },
  kibibytesPerNode: { unit: "KiB", better: "less" },
  cpuSeconds: { unit: "s", better: "less" },
} as const satisfies Record<string, FigureUnit>;

/** Name of a figure. */
export type Figure = keyof typeof FIGURES;

/** What a work has given. */
export type Figures = { [K in Figure]?: number };

/** What a caller does. */
export type Work =
  /** One call at a time, each with its latency. */
  | { readonly kind: "sequential"; readonly title: string }
  /** `add` with a constant number of calls under way. */
  | { readonly kind: "add"; readonly title: string; readonly inFlight: number }
  /** `echo` of a value, 64 under way. */
  | { readonly kind: "echo"; readonly title: string; readonly value: unknown }
  /** `echoBytes`, one at a time. A MiB that went there and came back counts once. */
  | { readonly kind: "echoBytes"; readonly title: string; readonly bytes: number }
  | { readonly kind: "oneWay" | "download" | "upload"; readonly title: string }
  /** Call to all and wait for all answers, one at a time. */
  | { readonly kind: "broadcast"; readonly title: string; readonly targets: 10 | 50 };

/** Calls under way in the echo of values. */
export const ECHO_IN_FLIGHT = 64;

const KIB = 1024;
const MIB = 1024 * KIB;

function person(id: number): Record<string, unknown> {
  return {
    id,
    name: `Ada Lovelace ${id}`,
    email: `ada${id}@example.com`,
    score: id * 0.5,
    active: id % 2 === 0,
    tags: ["alpha", "beta", "gamma"],
  };
}

/** All works of calls, by name, in the order in which they run. */
export const WORKS = {
  "sequential": { kind: "sequential", title: "sequential `add(1, 2)`" },
  "inflight-64": { kind: "add", title: "64 in flight", inFlight: 64 },
  "inflight-512": { kind: "add", title: "512 in flight", inFlight: 512 },
  "object": { kind: "echo", title: "echo of an object, 64 in flight", value: person(4711) },
  "rows": {
    kind: "echo",
    title: "echo of 100 rows, 64 in flight",
    value: Array.from({ length: 100 }, (_, id) => person(id)),
  },
  "bytes-64k": { kind: "echoBytes", title: "echo of 64 KiB", bytes: 64 * KIB },
  "bytes-1m": { kind: "echoBytes", title: "echo of 1 MiB", bytes: MIB },
  "bytes-16m": { kind: "echoBytes", title: "echo of 16 MiB", bytes: 16 * MIB },
  "one-way": { kind: "oneWay", title: "one-way, delivered" },
  "download": { kind: "download", title: "stream items to the caller" },
  "upload": { kind: "upload", title: "stream items to the callee" },
  "broadcast-10": { kind: "broadcast", title: "call to 10, all answers", targets: 10 },
  "broadcast-50": { kind: "broadcast", title: "call to 50, all answers", targets: 50 },
} as const satisfies Record<string, Work>;

/** Name of a work of calls. */
export type WorkName = keyof typeof WORKS;

/** Works that have one callee. */
export const CALL_WORKS: readonly WorkName[] = names(({ kind }) => kind !== "broadcast");

/** Works that have many. */
export const BROADCAST_WORKS: readonly WorkName[] = names(({ kind }) => kind === "broadcast");

function names(of: (work: Work) => boolean): WorkName[] {
  return (Object.keys(WORKS) as WorkName[]).filter((name) => of(WORKS[name]));
}
