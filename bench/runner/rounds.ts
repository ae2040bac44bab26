/**
 * Rounds of calls: every work on every system, one after the other, so that what happens on the
 * machine meanwhile happens to all of them.
 *
 * @module
 */

import { FLOORS } from "../floor/systems.ts";
import type { System } from "../system.ts";
import { type WorkName, WORKS } from "../works.ts";
import type { Results } from "./results.ts";
import { type CpuByRole, RunningSystem } from "./running_system.ts";

/** How much is measured. */
export interface RoundsOptions {
  readonly rounds: number;
  /** How long each work lasts, about, behind its warm-up. */
  readonly ms: number;
  /** Go on without a system that fails, until the end of the round. @default {false} */
  readonly tolerant?: boolean;
  /** Which works; others are left out. */
  readonly wanted: (title: string) => boolean;
  readonly results: Results;
}

/** The work by which CPU time is told. */
const CPU_WORK = "inflight-64";

/** Title of a role's CPU time. */
export function cpuTitle(role: string): string {
  return `CPU of the ${role} for 100,000 calls, 64 in flight`;
}

/**
 * Measures systems side by side.
 *
 * @param systems The floors among them, as far as ratios are wanted.
 * @param works What they do.
 */
export async function runRounds(
  systems: readonly System[],
  works: readonly WorkName[],
  options: RoundsOptions,
): Promise<void> {
  const wanted = works.filter((name) => options.wanted(WORKS[name].title));
  if (wanted.length === 0) return;
  for (let round = 0; round < options.rounds; round++) {
    await runRound(systems, wanted, options, round);
  }
}

async function runRound(
  systems: readonly System[],
  works: readonly WorkName[],
  { rounds, ms, tolerant = false, results }: RoundsOptions,
  round: number,
): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const running = new Set<RunningSystem>();
  for (const system of systems) running.add(stack.use(await RunningSystem.start(system)));
  for (const name of works) {
    const { title } = WORKS[name];
    for (const each of running) {
      const { system } = each;
      tell(`round ${round + 1}/${rounds}, ${system.transport}, ${system.name}: ${title}`);
      const { figures, cpu } = await each.run(name, ms).catch((error) => {
        if (!tolerant) throw error;
        tell(`${system.name} is left out of this round: ${error.message}`);
        running.delete(each);
        return { figures: undefined, cpu: {} };
      });
      if (figures === undefined) continue;
      add(results, system, title, figures);
      if (name === CPU_WORK) addCpu(results, system, cpu);
    }
  }
}

/** Adds a figure, with the floor that it is compared with. */
export function add(
  results: Results,
  system: System,
  work: string,
  figures: Parameters<Results["add"]>[1],
): void {
  const { name, transport } = system;
  const isFloor = Object.values(FLOORS).includes(name);
  const floor = isFloor ? undefined : FLOORS[system.floor];
  results.add({ work, system: name, transport, floor }, figures);
}

function addCpu(results: Results, system: System, cpu: CpuByRole): void {
  for (const [role, cpuSeconds] of Object.entries(cpu)) {
    add(results, system, cpuTitle(role), { cpuSeconds });
  }
}

/** Tells on standard error what is being done. */
export function tell(what: string): void {
  console.error(what);
}
