import { assertEquals, assertRejects } from "@std/assert";
import { CallCancelledError } from "../../mod.ts";
import { Program } from "../helpers/processes.ts";
import { later, within } from "../helpers/soon.ts";
import {
  type Here,
  joinHere,
  overAll,
  overBoth,
  type Place,
  POSIX,
  startController,
  startNode,
} from "./network.ts";

const LOOP = new URL("./fixtures/background_loop.ts", import.meta.url);
const GOODBYE = new URL("./fixtures/slow_goodbye.ts", import.meta.url);
const SHORT = new URL("./fixtures/short.ts", import.meta.url);

const SIGNALS: Deno.Signal[] = POSIX ? ["SIGTERM", "SIGINT"] : [];

/** That the address is free: another program can take it, and no socket file is left. */
async function assertFree(place: Place): Promise<void> {
  const directory = place.options.unixSockPath;
  if (directory !== undefined) {
    const left = await Array.fromAsync(Deno.readDir(directory));
    assertEquals(left.filter(({ name }) => name === ".sock"), []);
  }
  place.occupy().close();
}

for (const signal of SIGNALS) {
  overAll(`${signal} ends a joined controller with 0 and frees its address`, async (place) => {
    await using there = await startNode(place, "there", { initController: true });
    await using here = await joinHere(place);
    await here.g.waitProcess("there");
    there.signal(signal);
    const { code } = await there.ended();
    assertEquals([code, there.stderr], [0, ""]);
    await there.event("stopped");
    await assertFree(place);
  });

  overAll(`${signal} ends a joined node with 0 and the others are told`, async (place) => {
    await using _controller = await startController(place);
    await using there = await startNode(place, "there");
    const left = Promise.withResolvers<string>();
    await using here = await joinHere(place, { onProcessLeave: (_, name) => left.resolve(name) });
    await here.g.waitProcess("there");
    there.signal(signal);
    assertEquals(await within("onProcessLeave", left.promise), "there");
    assertEquals((await there.ended()).code, 0);
    assertEquals(here.g.registeredCallbacks, {});
  });

  overBoth(`${signal} ends a process when its lifecycle functions have finished`, async (place) => {
    await using _controller = await startController(place);
    await using there = new Program(GOODBYE, { processName: "there", ...place.options });
    await there.event("ready");
    there.signal(signal);
    await there.event("cleaned");
    assertEquals((await there.ended()).code, 0);
  });

  overBoth(`${signal} ends a process with 0 while its loop has calls pending`, async (place) => {
    await using here = await joinHere(place, { initController: true });
    await using loop = new Program(LOOP, { processName: "loop", ...place.options });
    await loop.event("looping");
    await here.notes.until("stream", 100);
    loop.signal(signal);
    const { code } = await loop.ended();
    assertEquals([code, loop.stderr], [0, ""]);
    await here.notes.until("foreground", 2);
    await here.notes.until("background", 2);
    assertEquals(await here.notes.until("stream left", 1), [true]);
  });
}

overBoth("SIGTERM lets a running callback call on and finish", async (place) => {
  await using _controller = await startController(place);
  await using there = await startNode(place, "there");
  await using here = await joinHere(place);
  await here.g.waitProcess("there");
  const result = later(here.g.call.pipeline("t").fg());
  await here.g.call.notes("t", 1);
  there.signal("SIGTERM");
  await untilWithdrawn(here);
  here.notes.add("t", "go on");
  assertEquals(await within("the result", result, 5_000), 3);
  assertEquals((await there.ended()).code, 0);
}, { needsPosix: true });

overBoth("SIGTERM waits for running callbacks no longer than join() says", async (place) => {
  await using _controller = await startController(place);
  await using there = await startNode(place, "there", { drainTimeout: 50 });
  await using here = await joinHere(place);
  await here.g.waitProcess("there");
  const call = later(here.g.call.notes("never", 1).fg());
  await here.g.call.add(1, 2);
  there.signal("SIGTERM");
  const error = await assertRejects(
    () => within("the call's end", call, 5_000),
    CallCancelledError,
  );
  assertEquals(error.executed, "maybe");
  assertEquals((await there.ended()).code, 0);
}, { needsPosix: true });

/** Waits until the other process has withdrawn its callbacks: the first thing that it does. */
async function untilWithdrawn({ g }: Here): Promise<void> {
  while ((g.registeredCallbacks.there ?? []).length > 0) {
    await g.call.add(1, 2).fg().catch(() => {});
  }
}

overBoth("a second signal ends a process that still finishes its callbacks", async (place) => {
  await using _controller = await startController(place);
  await using there = await startNode(place, "there");
  const failed = Promise.withResolvers<void>();
  await using here = await joinHere(place);
  await here.g.waitProcess("there");
  const call = here.g.call.notes("never", 1).fg();
  call.catch(() => failed.resolve());
  await here.g.call.add(1, 2);
  there.signal("SIGTERM");
  await untilWithdrawn(here);
  there.signal("SIGTERM");
  assertEquals((await there.ended()).signal, "SIGTERM");
  await within("the call's end", failed.promise, 1_000);
}, { needsPosix: true });

for (const how of ["stop", "using", "pending"] as const) {
  overAll(`a process ends by itself with 0 after g.stop() (${how})`, async (place) => {
    await using here = await joinHere(place, { initController: true });
    await using short = new Program(SHORT, { how, processName: "short", ...place.options });
    assertEquals((await short.event("result")).value, 3);
    if (how === "pending") {
      assertEquals((await short.event("rejected")).name, "GlobalContextError");
      assertEquals(await here.notes.until("t", 2), ["started", "aborted"]);
    }
    await short.event("done");
    const { code } = await short.ended();
    assertEquals([code, short.stderr], [0, ""]);
  });

  overAll(`a controller ends by itself with 0 after g.stop() (${how})`, async (place) => {
    await using short = new Program(SHORT, {
      how,
      processName: "short",
      initController: true,
      ...place.controllerOptions,
    });
    await using _there = await startNode(place, "there");
    await short.event("done");
    const { code } = await short.ended();
    assertEquals([code, short.stderr], [0, ""]);
    await assertFree(place);
  });
}

overAll(
  "`stop({ killAllConnectedNodes: true })` ends every joined process with 0",
  async (place) => {
    await using here = await joinHere(place, { initController: true });
    await using one = await startNode(place, "one");
    await using two = await startNode(place, "two");
    await here.g.stop({ killAllConnectedNodes: true });
    for (const program of [one, two]) {
      await program.event("stopped");
      assertEquals((await program.ended()).code, 0);
    }
    await assertFree(place);
  },
);
