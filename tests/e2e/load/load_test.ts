import { assertEquals } from "@std/assert";
import { Program } from "../../helpers/processes.ts";
import { within } from "../../helpers/soon.ts";
import { joinHere, overTcp, type Place, QUICK, startController } from "../network.ts";
import type { CrowdCommand, CrowdSetting } from "./crowd.ts";
import { residentBytes } from "../../helpers/resident_bytes.ts";

const CROWD = new URL("./crowd.ts", import.meta.url);

/** A busy machine with slow cores takes its time. */
const LIMIT_MS = 120_000;

/** Several processes with several nodes each. */
class Crowds implements AsyncDisposable {
  readonly names: readonly string[];
  readonly #starts: readonly (() => Program)[];
  readonly #programs: Program[] = [];

  constructor(place: Place, processes: number, nodesEach: number, extra: number) {
    const groups = Array.from(
      { length: processes },
      (_, group) => Array.from({ length: nodesEach }, (_, i) => `node ${group}.${i}`),
    );
    this.names = groups.flat();
    const total = this.names.length + extra;
    this.#starts = groups.map((names) => () => {
      const options = { ...place.options, reconnect: { ...QUICK, maxDelayMs: 1_000 } };
      const setting: CrowdSetting = { options, names, total };
      return new Program(CROWD, setting, { listens: true });
    });
  }

  /** Starts one process after the other. */
  async start(): Promise<void> {
    for (const start of this.#starts) {
      const program = start();
      this.#programs.push(program);
      await program.event("ready", LIMIT_MS);
    }
  }

  /** Tells each something, and waits for its answer. */
  async ask(command: CrowdCommand, answer: string): Promise<Record<string, unknown>[]> {
    for (const program of this.#programs) program.tell({ ...command });
    return await Promise.all(this.#programs.map((program) => program.event(answer, LIMIT_MS)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.kill()));
  }
}

const sum = (rows: Record<string, unknown>[], field: string) =>
  rows.reduce((total, row) => total + (row[field] as number), 0);

overTcp("1,000 nodes at one controller call each other and hear a broadcast", async (place) => {
  await using controller = await startController(place);
  const before = await residentBytes(controller.pid);
  await using crowds = new Crowds(place, 5, 200, 1);
  await using here = await joinHere(place);
  await crowds.start();
  const seen = await crowds.ask({ do: "see" }, "sees");
  const perNode = (bytes: number) => `${Math.round(bytes / crowds.names.length / 1024)} KiB`;
  console.log(
    `idle memory per node: ${perNode(await residentBytes(controller.pid) - before)} in the ` +
      `controller, ${perNode(sum(seen, "heapBytes"))} of heap in the processes of the nodes`,
  );

  const called = await crowds.ask({ do: "call", names: crowds.names, calls: 1_000 }, "called");
  assertEquals(sum(called, "wrong"), 0);

  await here.g.call.hear("one way").broadcast();
  const answers = await here.g.call.hear("answered").broadcast({ returnResult: true });
  assertEquals(Object.keys(answers).length, 1_000);
  // One registry for each process, and one count.
  const heard = await Promise.all(
    [0, 1, 2, 3, 4].map((group) => here.g.call.heard().fg({ to: `node ${group}.0` })),
  );
  assertEquals(heard, Array(5).fill(400));
}, LIMIT_MS);

overTcp("a herd of 500 nodes comes back when its controller is killed", async (place) => {
  await using first = await startController(place);
  await using crowds = new Crowds(place, 5, 100, 0);
  await crowds.start();
  assertEquals(sum(await crowds.ask({ do: "see" }, "sees"), "connected"), 500);
  await first.kill();
  await using _second = await startController(place);
  await using here = await joinHere(place);
  for (const name of crowds.names) await within(name, here.g.waitProcess(name), LIMIT_MS);
  const answers = await here.g.call.who().broadcast({ returnResult: true });
  assertEquals(answers, Object.fromEntries(crowds.names.map((name) => [name, name])));
}, LIMIT_MS);
