import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import type { PeriodOptions } from "../../mod.ts";
import { Program, type ProgramEvent } from "../helpers/processes.ts";
import { until, within } from "../helpers/soon.ts";
import { TestNetwork } from "../helpers/test_network.ts";
import { uuid } from "../scheduler/rig.ts";

const RUNNER = new URL("./fixtures/task_runner.ts", import.meta.url);
const OWNER = new URL("./fixtures/task_owner.ts", import.meta.url);
const HOUR_MS = 3_600_000;

/** A hub in this process, and a place in which the runner keeps tasks and journal. */
class Scene implements AsyncDisposable {
  readonly network: TestNetwork;
  readonly #directory: string;
  readonly #programs: Program[] = [];

  private constructor(network: TestNetwork, directory: string) {
    this.network = network;
    this.#directory = directory;
  }

  static async open(): Promise<Scene> {
    return new Scene(await TestNetwork.start(), await Deno.makeTempDir());
  }

  get g() {
    return this.network.hub;
  }

  get #address() {
    return { host: "localhost", port: this.g.port! };
  }

  get #journal(): string {
    return join(this.#directory, "journal");
  }

  /** Where the runner keeps its tasks. */
  get store(): string {
    return join(this.#directory, "tasks.db");
  }

  program(file: URL, options: Record<string, unknown>): Program {
    const program = new Program(file, { ...this.#address, ...options });
    this.#programs.push(program);
    return program;
  }

  /** Starts the runner. */
  async runner(options: Record<string, unknown> = {}): Promise<Program> {
    const program = this.program(RUNNER, {
      ...{ processName: "runner", journal: this.#journal, taskStore: this.store },
      ...options,
    });
    await program.event("ready");
    await this.g.waitProcess("runner");
    return program;
  }

  /** Kills the runner without a word, and waits until it is known to be gone. */
  async kill(runner: Program): Promise<void> {
    await runner.kill();
    await until(() => !("runner" in this.g.registeredCallbacks));
  }

  /** What the runner ran, in all its lives. */
  async ran(): Promise<string[]> {
    try {
      return (await Deno.readTextFile(this.#journal)).split("\n").slice(0, -1);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.kill()));
    await this.network[Symbol.asyncDispose]();
    await Deno.remove(this.#directory, { recursive: true });
  }
}

function sceneTest(name: string, fn: (scene: Scene) => Promise<void>): void {
  Deno.test(name, async () => {
    await using scene = await Scene.open();
    await within(name, fn(scene), 60_000);
  });
}

/** The runs' events, as many as asked for. */
async function runs(runner: Program, count: number): Promise<ProgramEvent[]> {
  const events: ProgramEvent[] = [];
  while (events.length < count) events.push(await runner.event("ran"));
  return events;
}

/** Waits until the runner has no tasks any more. */
async function untilOver({ g }: Scene): Promise<void> {
  const end = performance.now() + 20_000;
  while ((await g.getScheduledTasks("runner")).length > 0) {
    assert(performance.now() < end, "the tasks do not end");
    await new Promise((resolve) => setTimeout(resolve, 20)); // no event tells the end of a task
  }
}

for (const stays of [false, true]) {
  const how = stays ? "is killed" : "leaves";
  sceneTest(`a task goes on when the process that scheduled it ${how}`, async (scene) => {
    const runner = await scene.runner();
    const owner = scene.program(OWNER, {
      ...{ processName: "owner", stays, period: { interval: "50ms" } satisfies PeriodOptions },
    });
    const { uuid } = await owner.event("scheduled");
    if (stays) await owner.kill();
    else assertEquals((await owner.ended()).code, 0);
    const before = (await scene.ran()).length;
    await runs(runner, before + 3);
    const [task] = await scene.g.describeScheduledTasks("runner");
    assertEquals([task!.uuid, task!.owner], [uuid, "owner"]);
    assert(task!.runs >= before + 3);
  });
}

sceneTest("kill -9 loses no task that was acknowledged", async (scene) => {
  const acknowledged: string[] = [];
  for (const atLeast of [1, 20, 60]) {
    const runner = await scene.runner();
    const enough = Promise.withResolvers<void>();
    const before = acknowledged.length;
    const calls = Array.from({ length: 150 }, async (_, n) => {
      const task = await scene.g.call.write(n).period({ atTime: Date.now() + HOUR_MS });
      acknowledged.push(task.uuid);
      if (acknowledged.length === before + atLeast) enough.resolve();
    });
    const settled = Promise.allSettled(calls);
    await enough.promise;
    await scene.kill(runner);
    await settled;
  }
  await scene.runner();
  const kept = new Set(await scene.g.getScheduledTasks("runner"));
  assertEquals(acknowledged.filter((task) => !kept.has(task)), []);
  assert(acknowledged.length >= 81);
});

sceneTest("kill -9 makes no cancelled task come back", async (scene) => {
  const runner = await scene.runner();
  const schedule = () => scene.g.call.write("never").period({ interval: "1h" });
  const tasks = await Promise.all(Array.from({ length: 30 }, schedule));
  const cancelled: string[] = [];
  const enough = Promise.withResolvers<void>();
  const settled = Promise.allSettled(tasks.map(async (task) => {
    await task.cancel();
    cancelled.push(task.uuid);
    if (cancelled.length === 10) enough.resolve();
  }));
  await enough.promise;
  await scene.kill(runner);
  await settled;
  await scene.runner();
  const kept = await scene.g.getScheduledTasks("runner");
  assertEquals(cancelled.filter((task) => kept.includes(task)), []);
});

sceneTest("kill -9 makes no listed time run twice, and few not at all", async (scene) => {
  const count = 60;
  const labels = Array.from({ length: count }, (_, n) => `task ${n}`);
  let runner = await scene.runner();
  const start = Date.now() + 500;
  await Promise.all(
    labels.map((label, n) => scene.g.call.write(label).period({ atTime: start + 25 * n })),
  );
  const kills = 3;
  for (let i = 0; i < kills; i++) {
    await runs(runner, 5);
    await scene.kill(runner);
    runner = await scene.runner();
  }
  await untilOver(scene);
  const ran = await scene.ran();
  assertEquals(new Set(ran).size, ran.length, "something ran twice");
  // Recorded as run and killed in the moment before it wrote its line: one for each kill at most.
  assert(ran.length >= count - kills, `${ran.length} of ${count} ran`);
});

sceneTest("a listed time is not run again when its process is killed in mid-run", async (scene) => {
  const first = await scene.runner();
  const soon = Date.now() + 100;
  await scene.g.call.hang("once").period({ atTime: soon });
  await scene.g.call.hang("list").period({ atTime: [soon, Date.now() + 5_000] });
  await runs(first, 2);
  await scene.kill(first);

  const second = await scene.runner();
  const [left, ...none] = await scene.g.describeScheduledTasks("runner");
  assertEquals(none, []);
  assertEquals([left!.runs, left!.status], [1, "scheduled"]);
  assertEquals((await runs(second, 1))[0]!.label, "list");
  assertEquals((await scene.ran()).sort(), ["list", "list", "once"]);
  await scene.kill(second);

  await scene.runner();
  assertEquals(await scene.g.getScheduledTasks("runner"), []);
  assertEquals((await scene.ran()).length, 3);
});

sceneTest(
  "a listed time that waits for the run before it is not lost by kill -9",
  async (scene) => {
    const first = await scene.runner();
    const soon = Date.now() + 100;
    await scene.g.call.hang("list").period({ atTime: [soon, soon + 50], overlap: "queue" });
    await scene.g.call.write("later").period({ atTime: soon + 100 });
    await runs(first, 2);
    await scene.kill(first);

    const second = await scene.runner();
    assertEquals((await runs(second, 1))[0]!.label, "list");
    assertEquals(await scene.ran(), ["list", "later", "list"]);
    await scene.kill(second);

    await scene.runner();
    assertEquals(await scene.g.getScheduledTasks("runner"), []);
  },
);

sceneTest("an interval goes on in its rhythm after kill -9", async (scene) => {
  const first = await scene.runner();
  await scene.g.call.write("tick").period({ interval: 200, maxRuns: 6 });
  await runs(first, 2);
  const [before] = await scene.g.describeScheduledTasks("runner");
  await scene.kill(first);
  const second = await scene.runner();
  const [after] = await scene.g.describeScheduledTasks("runner");
  assertEquals(after!.trigger, before!.trigger);
  await runs(second, 4);
  await untilOver(scene);
  assertEquals((await scene.ran()).length, 6);
});

sceneTest("a uuid makes scheduling idempotent across restarts", async (scene) => {
  const schedule = () =>
    scene.g.call.write("mine").period({ interval: 100, uuid: uuid(1), catchUp: "1h" });
  const first = await scene.runner();
  assertEquals((await schedule()).uuid, uuid(1));
  await runs(first, 1);
  await scene.kill(first);
  const second = await scene.runner();
  await Promise.all([schedule(), schedule()]);
  assertEquals(await scene.g.getScheduledTasks("runner"), [uuid(1)]);
  await runs(second, 2);
  assert((await scene.g.describeScheduledTasks("runner"))[0]!.runs >= 3);
});

sceneTest(
  "after a restart a task waits for its callback, and starts once it is there",
  async (scene) => {
    const first = await scene.runner();
    await scene.g.call.write("patient").period({ interval: 100 });
    await runs(first, 1);
    await scene.kill(first);
    const before = (await scene.ran()).length;
    const second = await scene.runner({ offersLater: true });
    assertEquals((await scene.g.describeScheduledTasks("runner"))[0]!.status, "waiting");
    assertEquals((await scene.ran()).length, before);
    await scene.g.call.offerNow();
    await runs(second, 2);
  },
);

sceneTest(
  "a process with tasks stops at once when it is asked to, and its tasks are kept",
  async (scene) => {
    const runner = await scene.runner();
    const { uuid } = await scene.g.call.write("later").period({ interval: "1h" });
    runner.signal("SIGTERM");
    assertEquals((await runner.ended()).code, 0);
    assertEquals(runner.stderr, "");
    await until(() => !("runner" in scene.g.registeredCallbacks));
    await scene.runner();
    assertEquals(await scene.g.getScheduledTasks("runner"), [uuid]);
  },
);

sceneTest(
  "a task store belongs to one process; another one is refused, and changes nothing",
  async (scene) => {
    await scene.runner();
    const { uuid } = await scene.g.call.write("x").period({ interval: "1h" });
    const other = scene.program(RUNNER, {
      ...{ processName: "other", journal: "unused", taskStore: scene.store },
    });
    const { name, message } = await other.event("failed");
    assertEquals(name, "InitializationError");
    assert(String(message).includes(scene.store), String(message));
    assertEquals((await other.ended()).code, 0);
    assertEquals(await scene.g.getScheduledTasks("runner"), [uuid]);
  },
);
