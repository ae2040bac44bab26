import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { InitializationError, ProcessNotFoundError } from "../../mod.ts";
import { joinHere, overBoth, startController, startNode } from "./network.ts";

overBoth("a scheduled task outlives the process that scheduled it", async (place) => {
  await using _controller = await startController(place);
  await using _there = await startNode(place, "there");
  await using scheduler = await startNode(place, "scheduler");
  await using here = await joinHere(place);
  const { g } = here;
  await Promise.all([g.waitProcess("there"), g.waitProcess("scheduler")]);

  const uuid = crypto.randomUUID();
  const args = [{ topic: "t", value: 1 }];
  await g.call.schedule("note", args, { interval: 10, to: "there", uuid }).fg({ to: "scheduler" });
  await scheduler.kill();
  const before = (await g.call.notes("t", 1).fg({ to: "there" })).length;
  await g.call.notes("t", before + 3).fg({ to: "there" });

  assertEquals(await g.getScheduledTasks("there"), [uuid]);
  const [task] = await g.describeScheduledTasks("there");
  assertEquals([task!.uuid, task!.callbackName, task!.owner], [uuid, "note", "scheduler"]);
  assert(task!.runs >= before + 3, `${task!.runs} runs`);
  assertEquals(await g.cancelScheduledTaskByUuid("there", uuid), true);
  assertEquals(await g.cancelScheduledTaskByUuid("there", uuid), false);
  assertEquals(await g.getScheduledTasks("there"), []);
});

overBoth("a scheduled task goes on while the controller is away", async (place) => {
  await using first = await startController(place);
  await using _there = await startNode(place, "there");
  await using here = await joinHere(place);
  const { g } = here;
  await g.waitProcess("there");
  const task = await g.call.note({ topic: "t", value: 1 }).period({ interval: 10 });
  await g.call.notes("t", 1);
  await first.kill();
  await using _second = await startController(place);
  await g.waitProcess("there");
  const before = (await g.call.notes("t", 1)).length;
  await g.call.notes("t", before + 3);
  assertEquals(await g.getScheduledTasks("there"), [task.uuid]);
  assertEquals(await task.cancel(), true);
});

overBoth("a task in a file goes on after its process was killed and restarted", async (place) => {
  const directory = await Deno.makeTempDir({ prefix: "daffi_" });
  try {
    await using _controller = await startController(place);
    const taskStore = join(directory, "tasks.sqlite");
    await using first = await startNode(place, "there", { taskStore });
    await using here = await joinHere(place);
    const { g } = here;
    await g.waitProcess("there");
    const task = await g.call.note({ topic: "t", value: { n: 1n } }).period({ interval: 20 });
    await g.call.notes("t", 2);
    await first.kill();

    await using second = await startNode(place, "there", { taskStore });
    await g.waitProcess("there");
    assertEquals(await g.getScheduledTasks("there"), [task.uuid]);
    assertEquals((await g.call.notes("t", 3)).at(0), { n: 1n });
    assertEquals(await task.cancel(), true);
    await second.endGracefully();

    await using _third = await startNode(place, "there", { taskStore });
    await g.waitProcess("there");
    assertEquals(await g.getScheduledTasks("there"), []);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

overBoth("`maxRuns` and `atTime` end a task by themselves", async (place) => {
  await using _there = await startNode(place, "there", { initController: true });
  await using here = await joinHere(place);
  const { g } = here;
  await g.waitProcess("there");
  await g.call.note({ topic: "runs", value: 1 }).period({ interval: 10, maxRuns: 3 });
  const soon = [Date.now() + 100, new Date(Date.now() + 150)];
  await g.call.note({ topic: "times", value: 1 }).period({ atTime: soon });
  // The first task has long ended when this one has run often.
  const task = await g.call.note({ topic: "clock", value: 1 }).period({ interval: 10 });
  assertEquals(await g.call.notes("runs", 3), [1, 1, 1]);
  assertEquals(await g.call.notes("times", 2), [1, 1]);
  await g.call.notes("clock", (await g.call.notes("clock", 1)).length + 5);
  assertEquals(await g.call.notes("runs", 3), [1, 1, 1]);
  assertEquals(await g.getScheduledTasks("there"), [task.uuid]);
  await task.cancel();
});

overBoth("scheduling with a wrong trigger or process fails", async (place) => {
  await using _there = await startNode(place, "there", { initController: true });
  await using here = await joinHere(place);
  const { g } = here;
  await g.waitProcess("there");
  const call = g.call.note({ topic: "t", value: 1 });
  const wrong = [
    {},
    { interval: "1s", cron: "* * * * *" },
    { interval: 0 },
    { cron: "nonsense" },
    { atTime: Date.now() - 60_000 },
  ];
  for (const options of wrong) {
    await assertRejects(async () => await call.period(options), InitializationError);
  }
  await assertRejects(() => g.getScheduledTasks("nobody"), ProcessNotFoundError);
  assertEquals(await g.getScheduledTasks("there"), []);
});
