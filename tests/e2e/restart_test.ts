import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ConnectionError, Global } from "../../mod.ts";
import { Program } from "../helpers/processes.ts";
import { later, within } from "../helpers/soon.ts";
import { joinHere, NODE, overAll, overBoth, startController, startNode } from "./network.ts";

overAll(
  "nodes come back by themselves when the controller is killed and restarted",
  async (place) => {
    await using first = await startController(place);
    await using there = await startNode(place, "there");
    const events: string[] = [];
    const joined = Promise.withResolvers<void>();
    await using here = await joinHere(place, {
      onNodeConnect: () => void events.push("connect"),
      onNodeDisconnect: () => void events.push("disconnect"),
      onProcessJoin: () => joined.resolve(),
    });
    const { g } = here;
    await joined.promise;

    await first.kill();
    await using _second = await startController(place);
    await g.waitFunction("add");
    assertEquals(await g.call.add(1, 2), 3);
    assertEquals(await g.call.invoke({ how: "fg", name: "add", args: [3, 4] }), { value: 7 });
    assertEquals(events, ["connect", "disconnect", "connect"]);
    for (const event of ["connect", "disconnect", "connect"]) await there.event(event);
  },
);

overAll(
  "`waitFunction()` and `waitProcess()` wait through a controller's restart",
  async (place) => {
    await using first = await startController(place);
    await using here = await joinHere(place);
    const waits = later(
      Promise.all([here.g.waitFunction("add"), here.g.waitProcess("there")]),
    );
    await first.kill();
    await using _second = await startController(place);
    await using _there = await startNode(place, "there");
    await within("the waits' end", waits);
    assertEquals(await here.g.call.add(1, 2), 3);
  },
);

overAll("calls that are made while the controller is away wait and succeed", async (place) => {
  await using first = await startController(place);
  // Comes back after the caller, so that the caller is connected before its callee is.
  const slow = { minDelayMs: 400, maxDelayMs: 800 };
  await using _there = await startNode(place, "there", { reconnect: slow });
  const gone = Promise.withResolvers<void>();
  await using here = await joinHere(place, { onNodeDisconnect: () => gone.resolve() });
  const { call } = here.g;
  await here.g.waitProcess("there");

  await first.kill();
  await gone.promise;
  const topic = "meanwhile";
  const calls = later(Promise.all([
    call.add(1, 2).fg(),
    call.add(3, 4).fg({ to: "there" }),
    call.add(5, 6).bg().get(),
    call.note({ topic, value: "noReturn" }).noReturn(),
    call.add(7, 8).broadcast({ returnResult: true }),
  ]));
  await using _second = await startController(place);
  assertEquals(await calls, [3, 7, 11, undefined, { there: 15 }]);
  assertEquals(await call.notes(topic, 1).fg(), ["noReturn"]);
});

overAll("a call that is made while the controller is away keeps to its timeout", async (place) => {
  await using controller = await startController(place);
  await using there = await startNode(place, "there");
  const gone = Promise.withResolvers<void>();
  await using here = await joinHere(place, { onNodeDisconnect: () => gone.resolve() });
  await here.g.waitProcess("there");
  await there.kill();
  await controller.kill();
  await gone.promise;
  const error = await assertRejects(() => here.g.call.add(1, 2).fg({ timeout: 100 }));
  assertEquals((error as Error).name, "CallTimeoutError");
  assertEquals((error as { executed?: string }).executed, "never");
});

overAll("a node may start before its controller", async (place) => {
  await using there = new Program(NODE, {
    processName: "there",
    reconnect: { minDelayMs: 5, maxDelayMs: 50 },
    ...place.options,
  });
  const g = new Global({
    processName: "here",
    reconnect: { minDelayMs: 5, maxDelayMs: 50 },
    logger: { warn() {}, error() {} },
    ...place.options,
  });
  await using _stop = g;
  const call = g.waitFunction("add").then(() => g.call.add(1, 2));
  await using _controller = await startController(place);
  await there.event("ready");
  await g.ready;
  assertEquals(await call, 3);
});

overAll("a second controller at the same address fails and the first goes on", async (place) => {
  await using here = await joinHere(place, { initController: true });
  const options = { ...place.controllerOptions, processName: "second", initController: true };

  await using inTheSameProcess = new Global({ ...options, logger: { warn() {}, error() {} } });
  const error = await assertRejects(() => inTheSameProcess.ready, ConnectionError);
  assertMatch(error.message, /another/);
  await assertRejects(() => inTheSameProcess.call.add(1, 2).fg());

  await using inAnother = new Program(NODE, options);
  const { name } = await inAnother.event("failed");
  assertEquals(name, "ConnectionError");
  await inAnother.ended();

  await using _there = await startNode(place, "there");
  await here.g.waitProcess("there");
  assertEquals(await here.g.call.add(1, 2), 3);
});

overAll("a controller starts where another one was killed", async (place) => {
  await using first = await startNode(place, "first", { initController: true });
  await first.kill();
  await using second = await startNode(place, "second", { initController: true });
  await using here = await joinHere(place);
  await here.g.waitProcess("second");
  assertEquals(await here.g.call.add(1, 2), 3);
  await second.endGracefully();
});

overBoth("of many controllers that start where one was killed, one wins", async (place) => {
  await using first = await startController(place);
  await first.kill();
  await using programs = new AsyncDisposableStack();
  const racers = Array.from({ length: 5 }, (_, i) =>
    programs.use(
      new Program(NODE, { processName: `racer ${i}`, initController: true, ...place.options }),
    ));
  const outcomes = await Promise.all(racers.map((racer) =>
    Promise.race([
      racer.event("ready").then(() => "ready", () => "ended"),
      racer.event("failed").then(({ name }) => name, () => "ended"),
    ])
  ));
  const failures = Array(4).fill("ConnectionError");
  assertEquals(outcomes.toSorted(), [...failures, "ready"]);
  await using here = await joinHere(place);
  await here.g.waitFunction("add");
  assertEquals(await here.g.call.add(1, 2), 3);
});
