/**
 * A run's report: the results, and on what they were measured.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };
import type { Report, Result } from "./results.ts";

/** Puts results together with versions and machine. */
export function makeReport(
  results: readonly Result[],
  versions: Readonly<Record<string, string>> = {},
): Report {
  return {
    date: new Date().toISOString(),
    versions: { "@daffi/core": config.version, ...Deno.version, ...versions },
    machine: {
      os: `${Deno.build.os} ${Deno.osRelease()}`,
      arch: Deno.build.arch,
      cpu: cpuModel(),
      cores: navigator.hardwareConcurrency,
      memoryGiB: Math.round(Deno.systemMemoryInfo().total / 1024 ** 3),
    },
    results,
  };
}

function cpuModel(): string {
  try {
    return /^model name\s*: (.*)$/m.exec(Deno.readTextFileSync("/proc/cpuinfo"))?.[1] ?? "unknown";
  } catch {
    return "unknown";
  }
}

/** On what it was measured, in a line. */
export function machineLine({ date, versions, machine, results }: Report): string {
  const rounds = Math.max(...results.map((result) => result.rounds.length));
  const { os, arch, cpu, cores, memoryGiB } = machine;
  const software = Object.entries(versions).map((entry) => entry.join(" ")).join(", ");
  return `${date.slice(0, 10)}, ${rounds} rounds, ${cpu}, ${cores} cores, ${memoryGiB} GiB, ` +
    `${os} ${arch}; ${software}.`;
}
