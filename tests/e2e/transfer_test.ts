import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { type Global, RemoteCallError, TransferError, type TransferOptions } from "../../mod.ts";
import type { Program } from "../helpers/processes.ts";
import { later, until, within } from "../helpers/soon.ts";
import { joinHere, overBoth, type Place, POSIX, startNode } from "./network.ts";

const LINUX = Deno.build.os === "linux"; // /proc tells whose children there are

/** The processes that a process has started. */
function childrenOf(pid: number): number[] {
  return [...Deno.readDirSync(`/proc/${pid}/task`)]
    .map(({ name }) => Deno.readTextFileSync(`/proc/${pid}/task/${name}/children`))
    .flatMap((pids) => pids.split(" ").filter((pid) => pid !== "").map(Number));
}

/** Whether there is such a process; one that has ended and is not waited for is none. */
function isAlive(pid: number): boolean {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    return !/^\d+ \(.*\) [ZX]/.test(stat);
  } catch {
    return false;
  }
}

/** Waits until none of these processes is left. */
function untilGone(pids: number[]): Promise<void> {
  assert(pids.length > 0, "there were none");
  return until(() => !pids.some(isAlive), 10_000);
}

/** Starts an endless loop in a sandbox, and waits until it runs. */
async function startLoop(g: Global, node: Program): Promise<number[]> {
  await within("a first function", g.transferAndCall("there", () => 1));
  later(g.transferAndCall("there", () => {
    for (;;);
  }));
  const sandboxes = childrenOf(node.pid);
  await until(() => sandboxes.every(isBusy));
  return sandboxes;
}

/** Whether a process is computing, and not waiting for something. */
function isBusy(pid: number): boolean {
  return /^\d+ \(.*\) R/.test(Deno.readTextFileSync(`/proc/${pid}/stat`));
}

function withNode(
  place: Place,
  transfer: TransferOptions | "deny" = {},
): Promise<Program> {
  return startNode(place, "there", { transfer });
}

overBoth("a function is run by the process that it is sent to", async (place) => {
  await using here = await joinHere(place, { initController: true });
  await using there = await withNode(place);
  const { g } = here;
  await g.waitProcess("there");
  assertEquals(await within("the pid", g.transferAndCall("there", () => Deno.pid)), there.pid);
  assertEquals(await within("more", g.transferAndCall("there", (a: number) => a + 1, 1)), 2);
});

overBoth("a process that denies runs nothing", async (place) => {
  await using here = await joinHere(place, { initController: true });
  await using _there = await withNode(place, "deny");
  await here.g.waitProcess("there");
  const error = await assertRejects(
    () => within("the end", here.g.transferAndCall("there", () => Deno.exit(9))),
    TransferError,
  );
  assertMatch(error.message, /transfer is "deny"/);
  assertEquals(await here.g.call.add(1, 2), 3);
});

for (const what of LINUX ? ["an idle sandbox", "an endless loop"] : []) {
  overBoth(`SIGTERM of a process leaves nothing of ${what} behind`, async (place) => {
    await using here = await joinHere(place, { initController: true });
    await using there = await withNode(place, { timeout: "2s" });
    await here.g.waitProcess("there");
    if (what === "an idle sandbox") await here.g.transferAndCall("there", () => 1);
    const sandboxes = what === "an idle sandbox"
      ? childrenOf(there.pid)
      : await startLoop(here.g, there);
    there.signal("SIGTERM");
    assertEquals((await there.ended()).code, 0);
    await untilGone(sandboxes);
  });

  overBoth(`SIGKILL of a process leaves nothing of ${what} behind`, async (place) => {
    await using here = await joinHere(place, { initController: true });
    await using there = await withNode(place, { timeout: "10m" });
    await here.g.waitProcess("there");
    if (what === "an idle sandbox") await here.g.transferAndCall("there", () => 1);
    const sandboxes = what === "an idle sandbox"
      ? childrenOf(there.pid)
      : await startLoop(here.g, there);
    await there.kill();
    await untilGone(sandboxes);
  });
}

if (LINUX) {
  overBoth("SIGKILL of a process while its sandbox starts leaves nothing behind", async (place) => {
    await using here = await joinHere(place, { initController: true });
    for (const delayMs of [0, 20, 60, 120, 180, 240]) {
      await using there = await withNode(place, { timeout: "10m" });
      await here.g.waitProcess("there");
      later(here.g.transferAndCall("there", () => {
        for (;;);
      }));
      await until(() => childrenOf(there.pid).length > 0);
      const sandboxes = childrenOf(there.pid);
      // At different points of its start, none of which can be seen from outside.
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await there.kill();
      await untilGone(sandboxes);
    }
  });

  overBoth(
    "a sandbox that is killed from outside is replaced, and its sender told",
    async (place) => {
      await using here = await joinHere(place, { initController: true });
      await using there = await withNode(place);
      await here.g.waitProcess("there");
      await here.g.transferAndCall("there", () => 1);
      const running = here.g.transferAndCall("there", () => new Promise<void>(() => {}));
      const ended = assertRejects(() => within("the end", running), TransferError);
      ended.catch(() => {});
      // One sandbox runs what one sender sends, in order: now it runs.
      await within("a later one", here.g.transferAndCall("there", () => 1));
      const [sandbox] = childrenOf(there.pid);
      Deno.kill(sandbox!, "SIGKILL");
      assertMatch((await ended).message, /killed from outside/);
      assertEquals(await within("a new one", here.g.transferAndCall("there", () => 2)), 2);
    },
  );
}

/** Starts a node that may do no more than this. */
function startWith(place: Place, more: string[], through: string[] = []): Promise<Program> {
  const flags = place.transport === "TCP"
    ? ["--allow-net=127.0.0.1"]
    : ["--allow-net", "--allow-read", "--allow-write"];
  return startNode(place, "there", {}, { flags: [...flags, ...more], through });
}

overBoth("a process that may not run Deno tells what to grant, and runs nothing", async (place) => {
  await using here = await joinHere(place, { initController: true });
  await using there = await startWith(place, []);
  await here.g.waitProcess("there");
  const mark = () => void Object.assign(globalThis, { marked: true });
  const error = await assertRejects(
    () => within("the end", here.g.transferAndCall("there", mark)),
    TransferError,
  );
  assertMatch(error.message, new RegExp(`grant --allow-run=${RegExp.escape(Deno.execPath())} `));
  assertMatch(error.message, /set its option transfer to "deny"/);
  assertEquals([error.executed, error.processName], ["never", "there"]);
  assertEquals(await here.g.call.add(1, 2), 3);
  there.signal(POSIX ? "SIGTERM" : "SIGKILL");
  await there.ended();
});

overBoth("a process that may run Deno and nothing else has sandboxes", async (place) => {
  await using here = await joinHere(place, { initController: true });
  await using there = await startWith(place, [`--allow-run=${Deno.execPath()}`]);
  await here.g.waitProcess("there");
  assertEquals(await within("the pid", here.g.transferAndCall("there", () => Deno.pid)), there.pid);
  const error = await within(
    "the refusal",
    assertRejects(
      () => here.g.transferAndCall("there", () => Deno.readTextFileSync("/etc/passwd")),
      RemoteCallError,
    ),
  );
  assertMatch(error.message, /NotCapable: Requires read access/);
});

if (POSIX) {
  // npm puts a link on the path, and the file that it leads to is not what may be run.
  overBoth("`--allow-run=deno` is enough where the path has a link to Deno", async (place) => {
    const directory = await Deno.makeTempDir({ prefix: "daffi_" });
    try {
      await Deno.symlink(Deno.execPath(), join(directory, "deno"));
      await using here = await joinHere(place, { initController: true });
      const through = ["/usr/bin/env", `PATH=${directory}:/usr/bin:/bin`];
      await using there = await startWith(place, ["--allow-run=deno"], through);
      await here.g.waitProcess("there");
      const pid = here.g.transferAndCall("there", () => Deno.pid);
      assertEquals(await within("the pid", pid), there.pid);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  });
}
