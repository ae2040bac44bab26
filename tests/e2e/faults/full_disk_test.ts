import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { DaffiError, type Global } from "../../../mod.ts";
import { Program } from "../../helpers/processes.ts";
import { later } from "../../helpers/soon.ts";
import { POSIX } from "../network.ts";
import { TestNetwork } from "../../helpers/test_network.ts";

const RUNNER = new URL("../fixtures/task_runner.ts", import.meta.url);

/** No file of the program behind it may have more than 100 KiB: a write beyond that fails. */
const LIMITED = ["bash", "-c", `trap '' XFSZ; ulimit -f 100; exec "$0" "$@"`];

/** Starts a process that keeps its tasks in a file, behind a command that makes the disk small. */
async function startRunner(
  { hub }: TestNetwork,
  directory: string,
  through: readonly string[] = [],
): Promise<Program> {
  const program = new Program(RUNNER, {
    ...{ processName: "runner", host: "localhost", port: hub.port },
    ...{ taskStore: join(directory, "tasks.db"), journal: join("/dev", "null") },
  }, { through });
  try {
    await program.event("ready");
  } catch (error) {
    await program.kill();
    throw error;
  }
  await hub.waitProcess("runner");
  return program;
}

/** Schedules tasks until it fails. @returns The tasks that were acknowledged. */
async function fill(g: Global): Promise<string[]> {
  const kept: string[] = [];
  const label = "x".repeat(4_000);
  const scheduleAll = async () => {
    while (kept.length < 1_000) {
      const task = await g.call.write(label).period({ interval: "1h" });
      kept.push(task.uuid);
    }
  };
  const error = await assertRejects(scheduleAll, DaffiError);
  assertEquals([error.processName, error.executed], ["runner", "never"]);
  assert(kept.length > 1, `only ${kept.length} tasks found room`);
  return kept.sort();
}

/** The process goes on as if nothing had been, with the tasks that it has acknowledged. */
async function goesOn(g: Global, kept: readonly string[]): Promise<void> {
  assertEquals((await g.getScheduledTasks("runner")).sort(), kept);
  assertEquals(await g.runScheduledTaskByUuid("runner", kept[0]!), true);
  assertEquals((await g.describeScheduledTasks("runner")).length, kept.length);
}

Deno.test({
  name: "a process whose task store cannot grow refuses new tasks, and keeps the others",
  ignore: !POSIX,
  fn: async () => {
    const directory = await Deno.makeTempDir();
    try {
      await using network = await TestNetwork.start();
      const { hub } = network;
      let kept: string[];
      {
        await using runner = await startRunner(network, directory, LIMITED);
        kept = await fill(hub);
        await goesOn(hub, kept);
        const gone = later(hub.call.hang("x").fg());
        await runner.kill();
        await assertRejects(() => gone);
      }
      await using _again = await startRunner(network, directory);
      assertEquals((await hub.getScheduledTasks("runner")).sort(), kept);
      assertEquals(await hub.cancelScheduledTaskByUuid("runner", kept[0]!), true);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

/** Runs a program behind it with a small disk of its own in the directory. */
const onSmallDisk = (directory: string) => {
  const script = `mount -t tmpfs -o size=200k none "$DAFFI_DISK" && exec "$0" "$@"`;
  return ["env", `DAFFI_DISK=${directory}`, "unshare", "-rm", "sh", "-c", script];
};

/** Whether the system lets this user have a disk of its own. */
async function canMount(): Promise<boolean> {
  if (Deno.build.os !== "linux") return false;
  const directory = await Deno.makeTempDir();
  try {
    const [command, ...args] = [...onSmallDisk(directory), "true"];
    const { success } = await new Deno.Command(command!, { args, stderr: "null" }).output();
    return success;
  } catch {
    return false; // there is no unshare
  } finally {
    await Deno.remove(directory);
  }
}

Deno.test({
  name: "a process whose disk is full refuses new tasks, and goes on",
  ignore: !await canMount(),
  fn: async () => {
    const directory = await Deno.makeTempDir();
    try {
      await using network = await TestNetwork.start();
      await using _runner = await startRunner(network, directory, onSmallDisk(directory));
      await goesOn(network.hub, await fill(network.hub));
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
