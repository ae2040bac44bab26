import { assert, assertEquals, assertThrows } from "@std/assert";
import { InitializationError, OverloadedError } from "../../src/errors.ts";
import { MAX_TASKS } from "../../src/scheduler/scheduler.ts";
import { MemoryTaskStore } from "../../src/scheduler/task_store.ts";
import { atTime, cron, interval, Rig, START, uuid } from "./rig.ts";

const DAY = 86_400_000;

Deno.test("Scheduler runs an interval at start + n · interval, however long runs and wake-ups take", async () => {
  using rig = new Rig();
  rig.onRun = (run) => setTimeout(run.end, 300);
  rig.create(interval(1000));
  await rig.pass(3_700);
  rig.setClock(250); // the timer is late from now on
  await rig.pass(2_000);
  assertEquals(rig.ranAt.slice(0, 3), [1000, 2000, 3000]);
  assertEquals(rig.ranAt.slice(4), [5000]);
});

Deno.test("Scheduler runs each listed time once, and the task is over after the last", async () => {
  using rig = new Rig();
  const task = rig.create(atTime(500, 1500, 4000));
  await rig.pass(3_999);
  assertEquals(rig.ranAt, [500, 1500]);
  assertEquals(rig.scheduler.list(), [task]);
  await rig.pass(1);
  assertEquals(rig.ranAt, [500, 1500, 4000]);
  assertEquals(rig.scheduler.list(), []);
  assertEquals(rig.store.load(), []);
  assertEquals(rig.time.pending, 0);
});

Deno.test("Scheduler runs a cron expression when the clock shows it", async () => {
  using rig = new Rig();
  rig.create(cron("*/2 * * * *"));
  await rig.pass(300_000);
  assertEquals(rig.ranAt, [120_000, 240_000]);
});

Deno.test("Scheduler waits longer than a timer can", async () => {
  using rig = new Rig();
  rig.create(atTime(60 * DAY));
  rig.create(interval(45 * DAY), { callbackName: "f" });
  await rig.pass(2 ** 31);
  assertEquals(rig.ranAt, []);
  await rig.pass(61 * DAY - 2 ** 31);
  assertEquals(rig.ranAt, [45 * DAY, 60 * DAY]);
});

Deno.test("Scheduler keeps one timer, whatever the number of tasks", async () => {
  using rig = new Rig();
  for (let n = 0; n < 10_000; n++) rig.create(interval(60_000 + n));
  assertEquals(rig.time.pending, 1);
  assertEquals(rig.scheduler.list().length, 10_000);
  await rig.pass(65_000);
  assertEquals(rig.runs.length, 5_001);
  assertEquals(rig.time.pending, 1);
  for (const task of rig.scheduler.list()) rig.scheduler.cancel(task);
  assertEquals(rig.time.pending, 0);
});

Deno.test("Scheduler sets no timer without tasks", () => {
  using rig = new Rig();
  assertEquals(rig.time.pending, 0);
});

Deno.test("Scheduler runs tasks in the order of their times", async () => {
  using rig = new Rig();
  const [late, early] = [rig.create(atTime(2000)), rig.create(atTime(1000))];
  rig.setClock(5000);
  await rig.pass(2000);
  assertEquals(rig.runs.map(({ uuid }) => uuid), [early, late]);
});

Deno.test("Scheduler.describe() tells what is known of a task", async () => {
  using rig = new Rig();
  const task = rig.create(interval(1000));
  assertEquals(rig.info(task), {
    uuid: task,
    callbackName: "f",
    owner: "owner",
    trigger: { type: "interval", everyMs: 1000, startMs: START },
    status: "scheduled",
    nextRun: new Date(START + 1000),
    lastRun: undefined,
    runs: 0,
    skipped: 0,
    lastError: undefined,
  });
  rig.onRun = () => {};
  await rig.pass(2500);
  const { status, nextRun, lastRun, runs, skipped } = rig.info(task)!;
  assertEquals({ status, nextRun, lastRun, runs, skipped }, {
    status: "running",
    nextRun: new Date(START + 3000),
    lastRun: new Date(START + 1000),
    runs: 1,
    skipped: 1,
  });
});

Deno.test("Scheduler.describe() gives triggers that are the caller's own, and clones none", () => {
  using rig = new Rig();
  for (const trigger of [interval(1000), atTime(1000, 2000), cron("* * * * *")]) {
    rig.create(trigger);
  }
  const { structuredClone } = globalThis;
  let clones = 0;
  globalThis.structuredClone = <T>(value: T) => {
    clones++;
    return structuredClone(value);
  };
  try {
    const triggers = () => rig.scheduler.describe().map(({ trigger }) => trigger);
    const before = triggers();
    const kept = structuredClone(before);
    for (const trigger of before as { timesMs?: number[]; type?: string }[]) {
      trigger.timesMs?.pop();
      delete trigger.type;
    }
    assertEquals(triggers(), kept);
  } finally {
    globalThis.structuredClone = structuredClone;
  }
  assertEquals(clones, 0);
});

Deno.test("Scheduler.create() ends a task after maxRuns", async () => {
  using rig = new Rig();
  rig.create(interval(1000), { maxRuns: 3 });
  await rig.pass(10_000);
  assertEquals(rig.ranAt, [1000, 2000, 3000]);
  assertEquals(rig.scheduler.list(), []);
  assertEquals(rig.store.load(), []);
});

Deno.test("Scheduler never runs a task more than maxRuns times when several are due at once", async () => {
  using rig = new Rig();
  rig.create(atTime(100, 200, 300, 400), { maxRuns: 2, overlap: "allow" });
  rig.setClock(1000);
  await rig.pass(100);
  assertEquals(rig.runs.length, 2);
  assertEquals(rig.scheduler.list(), []);
});

Deno.test("Scheduler.run() does not run a task whose maxRuns are under way", async () => {
  using rig = new Rig();
  rig.onRun = () => {};
  const task = rig.create(interval(1000), { maxRuns: 1, overlap: "allow" });
  await rig.pass(1000);
  assertEquals(rig.scheduler.run(task), false);
  assertEquals(rig.runs.length, 1);
});

Deno.test("Scheduler.create() gives the task that is there when its uuid is known", async () => {
  using rig = new Rig();
  const task = rig.create(interval(1000), { uuid: uuid(1) });
  await rig.pass(600);
  assertEquals(rig.create(interval(5000), { uuid: uuid(1) }), task);
  assertEquals(rig.scheduler.list(), [uuid(1)]);
  await rig.pass(500);
  assertEquals(rig.ranAt, [1000]);
});

Deno.test("Scheduler.create() refuses a uuid that is another callback's", () => {
  using rig = new Rig();
  rig.create(interval(1000), { uuid: uuid(1) });
  assertThrows(
    () => rig.create(interval(1000), { uuid: uuid(1), callbackName: "h" }),
    InitializationError,
    "another callback",
  );
});

Deno.test("Scheduler.create() makes a uuid for each task that has none", () => {
  using rig = new Rig();
  const tasks = [rig.create(interval(1000)), rig.create(interval(1000))];
  assert(tasks.every((task) => /^[0-9a-f-]{36}$/.test(task)));
  assertEquals(new Set(tasks).size, 2);
});

Deno.test("Scheduler.create() refuses times that are over for longer than catchUp", () => {
  using rig = new Rig();
  assertThrows(() => rig.create(atTime(-60_001)), InitializationError, "never run");
  assertEquals(rig.scheduler.list(), []);
});

Deno.test("Scheduler.create() runs a time at once that has just passed, for clocks differ", async () => {
  using rig = new Rig();
  rig.create(atTime(-1000));
  rig.create(atTime(-1000), { catchUpMs: 0 });
  await rig.pass(0);
  assertEquals(rig.runs.length, 2);
});

Deno.test("Scheduler.create() refuses one task more than MAX_TASKS", () => {
  using rig = new Rig();
  for (let n = 0; n < MAX_TASKS; n++) rig.create(atTime(DAY));
  assertThrows(() => rig.create(atTime(DAY)), OverloadedError, String(MAX_TASKS));
});

Deno.test("Scheduler.cancel() takes what is left, and tells whether there was something", async () => {
  using rig = new Rig();
  const task = rig.create(interval(1000));
  await rig.pass(1500);
  assertEquals(rig.scheduler.cancel(task), true);
  assertEquals(rig.scheduler.cancel(task), false);
  assertEquals(rig.scheduler.cancel(uuid(1)), false);
  await rig.pass(5000);
  assertEquals(rig.ranAt, [1000]);
  assertEquals(rig.store.load(), []);
  assertEquals(rig.time.pending, 0);
});

Deno.test("Scheduler.cancel() lets a run go on, and nothing comes after it", async () => {
  using rig = new Rig();
  rig.onRun = () => {};
  const task = rig.create(interval(1000), { overlap: "queue" });
  await rig.pass(2500);
  rig.scheduler.cancel(task);
  rig.runs[0]!.end();
  await rig.pass(5000);
  assertEquals(rig.runs.length, 1);
  assertEquals(rig.scheduler.list(), []);
  assertEquals(rig.store.load(), []);
});

Deno.test("Scheduler starts no other run when the first of several has cancelled the task", async () => {
  using rig = new Rig();
  rig.onRun = (run) => {
    rig.scheduler.cancel(run.uuid);
    run.end();
  };
  rig.create(atTime(100, 200, 300), { overlap: "allow" });
  rig.setClock(1000);
  await rig.pass(100);
  assertEquals(rig.runs.length, 1);
  assertEquals(rig.scheduler.list(), []);
});

Deno.test("Scheduler.stop() clears the timer and runs nothing any more", async () => {
  using rig = new Rig();
  rig.onRun = () => {};
  rig.create(interval(1000), { overlap: "queue" });
  await rig.pass(2500);
  rig.scheduler.stop();
  rig.scheduler.stop();
  assertEquals(rig.time.pending, 0);
  rig.runs[0]!.end();
  await rig.pass(5000);
  assertEquals(rig.runs.length, 1);
});

Deno.test("Scheduler gives other work a turn when many tasks are due, and keeps their order", async () => {
  using rig = new Rig();
  const order: string[] = [];
  rig.onRun = (run) => {
    if (order.length === 0) setTimeout(() => order.push("other"));
    order.push(run.uuid);
    for (const end = performance.now() + 4; performance.now() < end;);
    run.end();
  };
  const tasks = Array.from({ length: 20 }, (_, n) => rig.create(atTime(1000 + n)));
  rig.setClock(5000);
  await rig.pass(1500);
  assertEquals(order.filter((what) => what !== "other"), tasks);
  assert(order.indexOf("other") < 15, `after ${order.indexOf("other")} tasks`);
});

Deno.test("Scheduler takes up what a store has frozen", async () => {
  class FreezingStore extends MemoryTaskStore {
    override load() {
      return super.load().map((record) => Object.freeze(record));
    }
  }
  using rig = new Rig(new FreezingStore());
  rig.create(interval(1000));
  await rig.pass(1000);
  rig.restart();
  await rig.pass(1000);
  assertEquals(rig.ranAt, [1000, 2000]);
});

Deno.test("Scheduler.stop() within a run leaves no timer", async () => {
  using rig = new Rig();
  rig.onRun = () => rig.scheduler.stop();
  rig.create(interval(1000));
  await rig.pass(1000);
  assertEquals([rig.ranAt, rig.time.pending], [[1000], 0]);
});

Deno.test("Scheduler.close() stops it too", async () => {
  using rig = new Rig();
  rig.create(interval(1000));
  rig.scheduler.close();
  assertEquals(rig.time.pending, 0);
  await rig.pass(2000);
  assertEquals(rig.runs, []);
});
