/**
 * From the start of a process to its first answer.
 *
 * @module
 */

import { DAFFI, daffiSystems } from "../daffi/systems.ts";
import { relayFloor } from "../floor/systems.ts";
import type { System } from "../system.ts";
import { add, type RoundsOptions, tell } from "./rounds.ts";
import { RunningSystem } from "./running_system.ts";

const TITLE = "start of the caller's process to its first answer";

/** Starts another caller beside the one that runs, once a round. */
export async function runFirstCall(
  transport: System["transport"],
  { rounds, wanted, results }: RoundsOptions,
): Promise<void> {
  if (!wanted(TITLE)) return;
  const separate = daffiSystems(transport).filter(({ name }) => name === DAFFI.separate);
  for (const system of [relayFloor(transport), ...separate]) {
    tell(`${rounds} rounds, ${transport}, ${system.name}: ${TITLE}`);
    await using running = await RunningSystem.start({
      ...system,
      programs: system.programs.filter(({ role }) => role !== "caller"),
    });
    const caller = system.programs.find(({ role }) => role === "caller")!;
    for (let round = 0; round < rounds; round++) {
      const start = performance.now();
      await using child = running.startAnother(caller);
      await child.ready();
      await child.ask({ work: "sequential", ms: 0 });
      add(results, system, TITLE, { milliseconds: performance.now() - start });
    }
  }
}
