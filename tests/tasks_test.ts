import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  CallbackNotFoundError,
  currentCall,
  EncodeError,
  Global,
  GlobalContextError,
  InitializationError,
  PERIOD,
  type PeriodOptions,
  ProcessNotFoundError,
  ScheduledTask,
  type TaskFailureInfo,
} from "../mod.ts";
import { uuid } from "./scheduler/rig.ts";
import { FakeTime } from "./helpers/fake_time.ts";
import { settled, soon, until } from "./helpers/soon.ts";
import { type Offer, registry, TestNetwork } from "./helpers/test_network.ts";

const HOUR = "1h";

/** A callback `note` that keeps what it was called with, and by whom. */
function noting(notes: { args: unknown[]; caller: string }[]): Offer {
  return (callback) =>
    callback("note", (...args: unknown[]) => {
      notes.push({ args, caller: currentCall()!.caller });
    });
}

Deno.test("period() has another process run the callback by itself", async () => {
  const notes: { args: unknown[]; caller: string }[] = [];
  await using network = await TestNetwork.start(noting(notes));
  const g = await network.join("owner");
  const task = await g.call.note("a", 1).period({ interval: 20 });
  assert(task instanceof ScheduledTask);
  assertEquals([task.processName, task.callbackName], ["hub", "note"]);
  assertEquals(await g.getScheduledTasks("hub"), [task.uuid]);
  await until(() => notes.length >= 3);
  assertEquals(notes[2], { args: ["a", 1], caller: "owner" });
});

Deno.test("a process schedules its own callback by a second Global, which hears of what fails", async () => {
  const failures: TaskFailureInfo[] = [];
  await using network = await TestNetwork.start((callback) =>
    callback("own", () => {
      throw new Error("on purpose");
    })
  );
  const refused = () => network.hub.call.own().period({ interval: 20 });
  await assertRejects(refused, CallbackNotFoundError, "by a second Global");
  const clock = await network.join("clock", () => {}, {
    onTaskFailure: (_, failure) => void failures.push(failure),
  });
  const task = await clock.call.own().period({ to: "hub", interval: 20 });
  await until(() => failures.length > 0);
  assertEquals([failures[0]!.uuid, failures[0]!.processName], [task.uuid, "hub"]);
});

Deno.test("exec(PERIOD()) does the same for each trigger", async () => {
  const notes: { args: unknown[]; caller: string }[] = [];
  await using network = await TestNetwork.start(noting(notes));
  const g = await network.join("owner");
  const triggers: Record<string, PeriodOptions> = {
    interval: { interval: "20ms" },
    cron: { cron: "* * * * * *", timezone: "Europe/Berlin" },
  };
  for (const [name, trigger] of Object.entries(triggers)) {
    const task = await g.call.note(name).exec(PERIOD(trigger));
    await until(() => notes.filter(({ args }) => args[0] === name).length >= 2);
    await task.cancel();
  }
});

Deno.test("exec(PERIOD()) has the callback run at each of the given times", async () => {
  const notes: { args: unknown[]; caller: string }[] = [];
  await using network = await TestNetwork.start(noting(notes));
  const g = await network.join("owner");
  using time = new FakeTime(); // so that scheduling takes no time
  const atTime = [time.now + 300, new Date(time.now + 400)];
  const { uuid } = await g.call.note().exec(PERIOD({ atTime }));
  const runs: number[] = [];
  for (const ms of [299, 1, 99, 1]) {
    await time.tickAsync(ms);
    runs.push(notes.length);
  }
  assertEquals(runs, [0, 1, 1, 2]);
  assertEquals((await g.getScheduledTasks("hub")).includes(uuid), false);
});

Deno.test("a task gets the arguments as they were when it was scheduled, each time anew", async () => {
  const seen: unknown[] = [];
  await using network = await TestNetwork.start((callback) =>
    callback("take", (value: { list: unknown[] }) => {
      seen.push(structuredClone(value));
      value.list.push("changed");
    })
  );
  const g = await network.join("owner");
  const make = () => ({
    list: <unknown[]> [1n, new Map([[new Date(0), new Set([undefined])]])],
    bytes: new Uint8Array([1, 2]),
  });
  const value = make();
  await g.call.take(value).period({ interval: 20 });
  value.list.push("later");
  await until(() => seen.length >= 2);
  assertEquals(seen.slice(0, 2), [make(), make()]);
});

for (const where of ["owner", "hub"] as const) {
  Deno.test(`a task may have large arguments, scheduled by ${where}`, async () => {
    const notes: { args: unknown[]; caller: string }[] = [];
    await using network = await TestNetwork.start();
    await network.join("a", noting(notes));
    const g = where === "hub" ? network.hub : await network.join("owner");
    const args = ["x".repeat(200_000), new Uint8Array(1 << 20).fill(7)];
    await soon(g.call.note(...args).period({ interval: 1, maxRuns: 1 }));
    await until(() => notes.length === 1);
    assertEquals(notes[0]!.args, args);
    assertEquals(network.hub.stats.lostConnections, 0);
  });
}

Deno.test("a task goes on when its owner has left", async () => {
  const notes: unknown[] = [];
  await using network = await TestNetwork.start(noting(notes as never));
  const g = await network.join("owner");
  await g.call.note().period({ interval: 20 });
  await g.stop();
  const before = notes.length;
  await until(() => notes.length >= before + 3);
});

Deno.test("describeScheduledTasks() tells what is known, to whoever asks", async () => {
  await using network = await TestNetwork.start(noting([]));
  const [owner, other] = [await network.join("owner"), await network.join("other")];
  const atTime = new Date(Date.now() + 3_600_000);
  const { uuid } = await owner.call.note().period({ atTime });
  for (const g of [owner, other, network.hub]) {
    assertEquals(await g.describeScheduledTasks("hub"), [{
      uuid,
      callbackName: "note",
      owner: "owner",
      trigger: { type: "atTime", timesMs: [atTime.getTime()] },
      status: "scheduled",
      nextRun: atTime,
      lastRun: undefined,
      runs: 0,
      skipped: 0,
      lastError: undefined,
    }]);
    assertEquals(await g.getScheduledTasks("hub"), [uuid]);
  }
  const [own] = await network.hub.describeScheduledTasks("hub");
  (own!.trigger as unknown as { timesMs: number[] }).timesMs.length = 0; // is nobody's but the caller's
  assertEquals((await other.describeScheduledTasks("hub"))[0]!.trigger, {
    ...{ type: "atTime", timesMs: [atTime.getTime()] },
  });
  assertEquals(await other.getScheduledTasks("owner"), []);
  assertEquals(await owner.describeScheduledTasks("owner"), []);
});

Deno.test("cancelScheduledTaskByUuid() cancels from any process, once", async () => {
  await using network = await TestNetwork.start(noting([]));
  const [owner, other] = [await network.join("owner"), await network.join("other")];
  const [first, second] = [
    await owner.call.note().period({ interval: HOUR }),
    await owner.call.note().period({ interval: HOUR }),
  ];
  assertEquals(await other.cancelScheduledTaskByUuid("hub", first.uuid.toUpperCase()), true);
  assertEquals(await owner.cancelScheduledTaskByUuid("hub", first.uuid), false);
  assertEquals(await first.cancel(), false);
  assertEquals(await second.cancel(), true);
  assertEquals(await second.cancel(), false);
  assertEquals(await network.hub.getScheduledTasks("hub"), []);
  assertEquals(await network.hub.cancelScheduledTaskByUuid("hub", uuid(1)), false);
});

Deno.test("tasks can be paused, resumed and run now by their UUID", async () => {
  const notes: unknown[] = [];
  await using network = await TestNetwork.start(noting(notes as never));
  const g = await network.join("owner");
  const task = await g.call.note().period({ interval: HOUR });
  const status = async () => (await g.describeScheduledTasks("hub"))[0]!.status;

  assertEquals(await g.runScheduledTaskByUuid("hub", task.uuid), true);
  assertEquals(notes.length, 1);
  assertEquals(await g.pauseScheduledTaskByUuid("hub", task.uuid), true);
  assertEquals(await g.pauseScheduledTaskByUuid("hub", task.uuid), false);
  assertEquals(await status(), "paused");
  assertEquals(await g.resumeScheduledTaskByUuid("hub", task.uuid), true);
  assertEquals(await g.resumeScheduledTaskByUuid("hub", task.uuid), false);
  assertEquals(await status(), "scheduled");
  assertEquals(await network.hub.runScheduledTaskByUuid("hub", task.uuid), true);
  assertEquals(notes.length, 2);
  for (const change of ["pause", "resume", "run"] as const) {
    assertEquals(await g[`${change}ScheduledTaskByUuid`]("hub", uuid(1)), false);
  }
});

Deno.test("a uuid makes scheduling idempotent, whoever schedules", async () => {
  await using network = await TestNetwork.start(noting([]));
  const [one, two] = [await network.join("one"), await network.join("two")];
  const options = { interval: HOUR, uuid: uuid(1) };
  const tasks = await Promise.all([
    one.call.note(1).period(options),
    two.call.note(2).period(options),
    one.call.note(3).period(options),
  ]);
  assertEquals(tasks.map((task) => task.uuid), [uuid(1), uuid(1), uuid(1)]);
  assertEquals(await one.getScheduledTasks("hub"), [uuid(1)]);
  assertEquals(await tasks[1]!.cancel(), true);
});

Deno.test("a uuid schedules nothing anew just after its task has ended, whoever schedules", async () => {
  const notes: { args: unknown[]; caller: string }[] = [];
  await using network = await TestNetwork.start(noting(notes));
  const [one, two] = [await network.join("one"), await network.join("two")];
  const options = [
    { interval: 10, maxRuns: 1, uuid: uuid(1) },
    { atTime: Date.now() + 30, uuid: uuid(2) },
  ];
  for (const period of options) await one.call.note(period.uuid).period(period);
  await until(() => notes.length === 2);
  while ((await one.getScheduledTasks("hub")).length > 0) await settled();
  for (const g of [one, two]) {
    for (const { uuid } of options) {
      const task = await g.call.note("again").period({ atTime: Date.now() + 30, uuid });
      assertEquals(task.uuid, uuid);
      assertEquals(await task.cancel(), false);
    }
  }
  assertEquals(await one.getScheduledTasks("hub"), []);
});

Deno.test("a uuid of another callback's task is refused", async () => {
  await using network = await TestNetwork.start((callback) => {
    callback("f", () => {});
    callback("h", () => {});
  });
  const g = await network.join("owner");
  await g.call.f().period({ interval: HOUR, uuid: uuid(1) });
  const error = await assertRejects(
    () => g.call.h().period({ interval: HOUR, uuid: uuid(1) }),
    InitializationError,
    "another callback",
  );
  assertEquals(error.processName, "hub");
});

Deno.test("`to` says which process runs the task", async () => {
  await using network = await TestNetwork.start(noting([]));
  await network.join("second", noting([]));
  const g = await network.join("owner");
  for (const to of ["hub", "second"]) {
    const task = await g.call.note().period({ interval: HOUR, to });
    assertEquals(task.processName, to);
    assertEquals(await g.getScheduledTasks(to), [task.uuid]);
  }
});

Deno.test("period() sends nothing when an option is not valid", async () => {
  await using network = await TestNetwork.start(noting([]));
  const g = await network.join("owner");
  const { forwardedFrames } = network.hub.stats;
  const wrong: unknown[] = [
    ...[undefined, null, {}, { interval: 0 }, { interval: -1 }, { interval: "" }],
    ...[{ interval: "1s", cron: "* * * * *" }, { cron: "x" }, { cron: "" }, { atTime: [] }],
    ...[{ atTime: Date.now() - 1 }, { atTime: NaN }, { interval: "1s", maxRuns: 0 }],
    ...[{ interval: "1s", overlap: "x" }, { interval: "1s", uuid: "x" }],
    ...[{ interval: "1s", timeout: 5 }, { interval: "1s", to: 5 }],
    ...[{ cron: "* * * * *", timezone: "Mars" }],
  ];
  for (const options of wrong) {
    await assertRejects(() => g.call.note().period(options as never), InitializationError);
  }
  await assertRejects(() => g.call.note().exec(PERIOD), InitializationError, "exactly one");
  assertEquals(network.hub.stats.forwardedFrames, forwardedFrames);
  assertEquals(await g.getScheduledTasks("hub"), []);
});

Deno.test("period() fails at once when nobody can run the callback", async () => {
  await using network = await TestNetwork.start(noting([]));
  const g = await network.join("owner");
  await assertRejects(
    () => g.call.nott().period({ interval: "1s" }),
    CallbackNotFoundError,
    "note",
  );
  await assertRejects(
    () => g.call.note().period({ interval: "1s", to: "nobody" }),
    ProcessNotFoundError,
  );
  await assertRejects(
    () => network.hub.call.note().period({ interval: "1s" }),
    CallbackNotFoundError,
  );
});

Deno.test("period() refuses arguments that cannot be kept, by their path", async () => {
  await using network = await TestNetwork.start(noting([]));
  const g = await network.join("owner");
  const refused = (path: string, ...args: unknown[]) =>
    assertRejects(() => g.call.note(...args).period({ interval: "1s" }), EncodeError, path);
  await refused("args[0].user.save", { user: { save() {} } });
  await refused("args[1]", 1, (function* () {})());
  await refused("args[0]", (async function* () {})());
  assertEquals(await g.getScheduledTasks("hub"), []);
});

Deno.test("asking about tasks fails when the process is not there, or the name or UUID is none", async () => {
  await using network = await TestNetwork.start(noting([]));
  const g = await network.join("owner");
  await assertRejects(() => g.getScheduledTasks("nobody"), ProcessNotFoundError, "nobody");
  await assertRejects(() => g.describeScheduledTasks("nobody"), ProcessNotFoundError);
  await assertRejects(() => g.cancelScheduledTaskByUuid("nobody", uuid(1)), ProcessNotFoundError);
  for (const name of ["", undefined, null, 5]) {
    await assertRejects(() => g.getScheduledTasks(name as string), InitializationError);
  }
  for (const bad of ["", "x", undefined, null, 5]) {
    await assertRejects(
      () => g.cancelScheduledTaskByUuid("hub", bad as string),
      InitializationError,
      "UUID",
    );
  }
});

Deno.test("task.cancel() fails when the process has left", async () => {
  await using network = await TestNetwork.start();
  const [g, runner] = [await network.join("owner"), await network.join("runner", noting([]))];
  const task = await g.call.note().period({ interval: HOUR });
  await runner.stop();
  await until(() => !("runner" in g.registeredCallbacks));
  await assertRejects(() => task.cancel(), ProcessNotFoundError, "runner");
});

Deno.test("what has to do with tasks fails after stop(), and without a node", async () => {
  await using network = await TestNetwork.start(noting([]));
  const g = await network.join("owner");
  const task = await g.call.note().period({ interval: HOUR });
  await g.stop();
  await using controller = new Global({
    ...{ processName: "c", initController: true, initNode: false, host: "localhost" },
    callbacks: registry(() => {}),
  });
  await controller.ready;
  for (const bad of [g, controller]) {
    await assertRejects(() => bad.getScheduledTasks("hub"), GlobalContextError);
    await assertRejects(() => bad.describeScheduledTasks("hub"), GlobalContextError);
    await assertRejects(() => bad.call.note().period({ interval: "1s" }), GlobalContextError);
  }
  await assertRejects(() => task.cancel(), GlobalContextError);
});

Deno.test("stop() cancels the timers and lets a run that has begun finish", async () => {
  const begun = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  let runs = 0;
  await using network = await TestNetwork.start();
  const runner = await network.join("runner", (callback) =>
    callback("slow", async () => {
      runs++;
      begun.resolve();
      await finish.promise;
      runs += 100;
    }));
  const g = await network.join("owner");
  await g.call.slow().period({ interval: 20, overlap: "queue" });
  await g.call.slow().period({ interval: HOUR });
  await soon(begun.promise);
  const stopped = runner.stop();
  finish.resolve();
  await soon(stopped);
  assertEquals(runs, 101);
});

Deno.test("a process asks nobody about its own tasks", async () => {
  const asked: string[] = [];
  const authorize = ({ action, processName }: { action: string; processName: string }) => {
    asked.push(`${processName} ${action}`);
    return action === "join";
  };
  await using network = await TestNetwork.start(() => {}, { authorize });
  const a = await network.join("a");
  assertEquals(await a.getScheduledTasks("a"), []);
  assertEquals(await a.describeScheduledTasks("a"), []);
  assertEquals(await a.cancelScheduledTaskByUuid("a", crypto.randomUUID()), false);
  assertEquals(asked, ["a join"]);
});
