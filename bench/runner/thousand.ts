/**
 * A thousand idle nodes: what they take of the controller's memory, and calls between them.
 *
 * @module
 */

import { daffiThousand } from "../daffi/systems.ts";
import { relayFloor } from "../floor/systems.ts";
import type { System } from "../system.ts";
import type { WorkName } from "../works.ts";
import type { Child } from "./child.ts";
import { add, type RoundsOptions, tell } from "./rounds.ts";
import { RunningSystem } from "./running_system.ts";

const HEAP = "controller's memory per idle node, heap and external";
const RSS = "controller's memory per idle node, RSS";
const PAIRS: readonly (readonly [title: string, work: WorkName])[] = [
  ["sequential calls between random pairs", "sequential"],
  ["64 in flight between random pairs", "inflight-64"],
];

interface Memory {
  readonly heapBytes: number;
  readonly rssBytes: number;
}

async function memoryOf(controller: Child): Promise<Memory> {
  return await controller.ask({}) as unknown as Memory;
}

/** In which the last news of the directory are taken in. */
const SETTLING_MS = 500;

/**
 * Starts the nodes once, which takes long, measures the memory, and has them call each other, once a
 * round.
 *
 * @param nodes How many.
 */
export async function runThousand(
  transport: System["transport"],
  nodes: number,
  { rounds, ms, wanted, results }: RoundsOptions,
): Promise<void> {
  if (![HEAP, RSS, ...PAIRS.map(([title]) => title)].some(wanted)) return;
  tell(`${transport}: start of ${nodes} nodes`);
  let controller: Child | undefined;
  let before: Memory | undefined;
  await using floor = await RunningSystem.start(relayFloor(transport));
  await using running = await RunningSystem.start(
    daffiThousand(transport, nodes),
    async (child) => {
      if (child.role !== "controller") return;
      controller = child;
      before = await memoryOf(child);
    },
  );
  await new Promise((resolve) => setTimeout(resolve, SETTLING_MS));
  const after = await memoryOf(controller!);
  for (const [title, bytes] of [[HEAP, "heapBytes"], [RSS, "rssBytes"]] as const) {
    const kibibytesPerNode = (after[bytes] - before![bytes]) / nodes / 1024;
    add(results, running.system, title, { kibibytesPerNode });
  }
  for (let round = 0; round < rounds; round++) {
    for (const [title, work] of PAIRS) {
      if (!wanted(title)) continue;
      for (const each of [floor, running]) {
        tell(`round ${round + 1}/${rounds}, ${transport}, ${each.system.name}: ${title}`);
        const { figures } = await each.run(work, ms);
        add(results, each.system, title, figures!);
      }
    }
  }
  running.kill(); // each would tell all others that it leaves
}
