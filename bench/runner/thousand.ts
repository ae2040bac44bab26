/**
 * A thousand idle nodes: what they take of the controller's memory, and calls between them.
 *
 * @module
 */

import { delay } from "@std/async";
import { daffiThousand } from "../daffi/systems.ts";
import { relayFloorOfMany } from "../floor/systems.ts";
import type { System } from "../system.ts";
import type { WorkName } from "../works.ts";
import type { Child } from "./child.ts";
import { add, type RoundsOptions, tell } from "./rounds.ts";
import { RunningSystem } from "./running_system.ts";

const HEAP = "controller's memory per node, heap and external, after half a minute of rest";
const JOINED = "controller's memory per node, RSS, when the last has joined";
const IDLE = "controller's memory per node, RSS, after half a minute of rest";
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
 * @param restMs How long they are idle before what idle nodes take is measured: by then the runtime has given back
 * what only their coming needed. With 0 it is not measured.
 */
export async function runThousand(
  transport: System["transport"],
  nodes: number,
  restMs: number,
  { rounds, ms, wanted, results }: RoundsOptions,
): Promise<void> {
  if (![HEAP, JOINED, IDLE, ...PAIRS.map(([title]) => title)].some(wanted)) return;
  tell(`${transport}: start of ${nodes} nodes`);
  let controller: Child | undefined;
  let before: Memory | undefined;
  await using floor = await RunningSystem.start(relayFloorOfMany(transport, nodes));
  await using running = await RunningSystem.start(
    daffiThousand(transport, nodes),
    async (child) => {
      if (child.role !== "controller") return;
      controller = child;
      before = await memoryOf(child);
    },
  );
  const addMemory = (title: string, before: number, after: number) => {
    add(results, running.system, title, { kibibytesPerNode: (after - before) / nodes / 1024 });
  };
  await delay(SETTLING_MS);
  const joined = await memoryOf(controller!);
  addMemory(JOINED, before!.rssBytes, joined.rssBytes);
  if (restMs > 0) {
    await delay(restMs);
    const idle = await memoryOf(controller!);
    addMemory(IDLE, before!.rssBytes, idle.rssBytes);
    addMemory(HEAP, before!.heapBytes, idle.heapBytes);
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
