import { assert, assertEquals, assertMatch } from "@std/assert";
import { type Bundle, bundle } from "../helpers/bundle.ts";
import { findBun, findNode, type Runtime } from "../helpers/other_runtimes.ts";
import { Program } from "../helpers/processes.ts";
import { within } from "../helpers/soon.ts";
import {
  joinHere,
  NODE,
  overAll,
  type Place,
  POSIX,
  QUICK,
  startController,
  tcpPlace,
  webPlace,
} from "./network.ts";
import type { GlobalOptions } from "../../mod.ts";

const CONTRACT = new URL("./fixtures/node_net_contract.ts", import.meta.url);
const LIMIT_MS = 120_000;

/** Runs the fixture that is a process with any options, and waits until it is up. */
async function startIn(
  { path }: Runtime,
  program: Bundle,
  place: Place,
  options: GlobalOptions = {},
): Promise<Program> {
  const where = options.initController ? place.controllerOptions : place.options;
  const argument = { processName: "there", reconnect: QUICK, ...where, ...options };
  const started = new Program(program.path, argument, { runtime: path });
  await started.event("ready").catch(async (error) => {
    await started.kill();
    throw error;
  });
  return started;
}

async function callThroughControllerOf(runtime: Runtime, place: Place): Promise<void> {
  await using program = await bundle(NODE, "deno");
  await using there = await startIn(runtime, program, place, { initController: true });
  await using here = await joinHere(place);
  await using _other = await startIn(runtime, program, place, { processName: "other" });
  await here.g.waitProcess("other");
  assertEquals(await here.g.call.add(1, 2).fg({ to: "there" }), 3);
  assertEquals(await here.g.call.add(1, 2).fg({ to: "other" }), 3);
  const call = { how: "fg", name: "add", args: [3, 4], options: { to: "here" } };
  assertEquals(await here.g.call.invoke(call).fg({ to: "other" }), { value: 7 });
  if (POSIX) await there.endGracefully();
}

for (const runtime of await Promise.all([findNode(), findBun()])) {
  const { name, path } = runtime;
  const ignore = path === undefined;
  const why = ignore ? ` (skipped: ${name} is not here)` : "";

  overAll(
    `a node under ${name} calls, is called and streams${why}`,
    async (place) => {
      await using program = await bundle(NODE, "deno");
      await using here = await joinHere(place, { initController: true });
      await using there = await startIn(runtime, program, place);
      const { call } = here.g;
      assertEquals(await call.add(1, 2), 3);
      assertEquals(await call.context(), { caller: "here", callbackName: "context" });
      const megabytes = new Uint8Array(16 << 20).fill(7);
      assertEquals(await call.echo(megabytes), megabytes);
      assertEquals(await Array.fromAsync(call.count(1000, "counted")), [...Array(1000).keys()]);
      assertEquals(await call.invoke({ how: "fg", name: "add", args: [3, 4] }), { value: 7 });
      const { error } = await call.invoke({ how: "fg", name: "fail", args: ["on purpose"] });
      assertEquals([error.name, error.remoteMessage], ["RemoteCallError", "on purpose"]);
      const streamed = { how: "stream", name: "note", items: 500, topic: "streamed" };
      assertEquals(await call.invoke(streamed), { value: undefined });
      assertEquals((await here.notes.until("streamed", 500)).length, 500);
      // What is around a callback follows it through its awaits there too.
      here.notes.add("piped", "go on");
      assertEquals(await call.pipeline("piped"), 3);
      if (POSIX) await there.endGracefully();
    },
    { ignore },
  );

  overAll(
    `a node under ${name} comes back when its controller is killed and restarted${why}`,
    async (place) => {
      await using program = await bundle(NODE, "deno");
      await using first = await startController(place);
      await using there = await startIn(runtime, program, place);
      await there.event("connect");
      await first.kill();
      await there.event("disconnect");
      await using _second = await startController(place);
      await there.event("connect");
      await using here = await joinHere(place);
      await here.g.waitFunction("add");
      assertEquals(await here.g.call.add(1, 2), 3);
    },
    { ignore },
  );

  Deno.test({
    name: `byte streams keep their contract under ${name}${why}`,
    ignore,
    async fn() {
      await using program = await bundle(CONTRACT, "deno");
      await using there = new Program(program.path, undefined, { runtime: path });
      const { tests, failures } = await there.event("over");
      assertEquals(failures, []);
      assert(tests as number > 10);
    },
  });

  for (const place of [tcpPlace(), webPlace()]) {
    Deno.test({
      name: `a controller under ${name} serves Deno over ${place.transport}${why}`,
      ignore,
      fn: () => within("the test", callThroughControllerOf(runtime, place), LIMIT_MS),
    });
  }

  Deno.test({
    name: `a controller under ${name} says that it cannot listen on a UNIX socket${why}`,
    ignore: ignore || !POSIX,
    async fn() {
      await using program = await bundle(NODE, "deno");
      await using there = new Program(program.path, { initController: true }, { runtime: path });
      assertMatch(
        String((await there.event("failed")).message),
        /^Cannot listen on .*\.sock: only Deno .* give host and port instead$/,
      );
    },
  });
}
