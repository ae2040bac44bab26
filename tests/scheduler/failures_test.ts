import { assert, assertEquals, assertThrows } from "@std/assert";
import { InitializationError } from "../../src/errors.ts";
import { MemoryTaskStore } from "../../src/scheduler/task_store.ts";
import { atTime, interval, Rig } from "./rig.ts";

Deno.test("a run that throws is recorded, logged and told to the owner, and the task goes on", async () => {
  using rig = new Rig();
  rig.onRun = (run) => run.fail(new RangeError(`run ${rig.runs.length}`));
  const task = rig.create(interval(1000));
  await rig.pass(2000);
  assertEquals(rig.info(task)!.runs, 2);
  assertEquals(rig.info(task)!.lastError, "RangeError: run 2");
  assertEquals(rig.failures, [["owner", "RangeError: run 1"], ["owner", "RangeError: run 2"]]);
  assertEquals(rig.logger.lines.length, 2);
  assert(rig.logger.has(task) && rig.logger.has("callback f") && rig.logger.has("run 1"));
});

Deno.test("the last error stays known after a run that succeeds", async () => {
  using rig = new Rig();
  rig.onRun = (run) => rig.runs.length === 1 ? run.fail("once") : run.end();
  const task = rig.create(interval(1000));
  await rig.pass(3000);
  assert(rig.info(task)!.lastError!.includes("once"));
});

Deno.test("pauseAfterFailures pauses after so many failures in a row", async () => {
  using rig = new Rig();
  rig.onRun = (run) => rig.runs.length === 2 ? run.end() : run.fail(new Error("no"));
  const task = rig.create(interval(1000), { pauseAfterFailures: 2 });
  await rig.pass(3000);
  assertEquals(rig.info(task)!.status, "scheduled");
  await rig.pass(10_000);
  assertEquals(rig.ranAt, [1000, 2000, 3000, 4000]);
  assertEquals(rig.info(task)!.status, "paused");
  assertEquals(rig.store.load()[0]!.paused, true);
});

Deno.test("Scheduler.resume() gives a task that failed all its tries again", async () => {
  using rig = new Rig();
  rig.onRun = (run) => run.fail(new Error("no"));
  const task = rig.create(interval(1000), { pauseAfterFailures: 2 });
  await rig.pass(5000);
  rig.scheduler.resume(task);
  await rig.pass(5000);
  assertEquals(rig.ranAt, [1000, 2000, 6000, 7000]);
  assertEquals(rig.info(task)!.status, "paused");
});

Deno.test("a task is over after its last run, though the run failed", async () => {
  using rig = new Rig();
  rig.onRun = (run) => run.fail(new Error("no"));
  rig.create(atTime(1000), { pauseAfterFailures: 1 });
  await rig.pass(1000);
  assertEquals(rig.scheduler.list(), []);
  assertEquals(rig.store.load(), []);
  assertEquals(rig.failures.length, 1);
});

for (
  const [what, thrown] of [
    ["null", null],
    ["an object without a text", Object.create(null)],
    ["an object whose text fails", {
      toString() {
        throw new Error("no text");
      },
    }],
    ["an error whose message fails", {
      __proto__: Error.prototype,
      get message() {
        throw new Error("no message");
      },
    }],
    [
      "an error whose name is no text",
      Object.assign(new Error("x"), { name: Object.create(null) }),
    ],
    ["a symbol", Symbol("s")],
  ] as const
) {
  Deno.test(`a task goes on when it throws ${what}`, async () => {
    using rig = new Rig();
    rig.onRun = (run) => run.fail(thrown);
    const task = rig.create(interval(1000));
    await rig.pass(2000);
    assertEquals(rig.runs.length, 2);
    assertEquals(typeof rig.info(task)!.lastError, "string");
  });
}

Deno.test("a long error is cut before it is kept and told", async () => {
  using rig = new Rig();
  rig.onRun = (run) => run.fail(new Error("x".repeat(1_000_000)));
  const task = rig.create(interval(1000));
  await rig.pass(1000);
  assert(rig.info(task)!.lastError!.length < 10_000);
  assert(rig.failures[0]![1]!.length < 10_000);
});

class FullStore extends MemoryTaskStore {
  full = false;
  closed = 0;

  override save(...args: Parameters<MemoryTaskStore["save"]>): void {
    if (this.full) throw new Error("the disk is full");
    super.save(...args);
  }

  override remove(uuid: string): void {
    if (this.full) throw new Error("the disk is full");
    super.remove(uuid);
  }

  override close(): void {
    this.closed++;
  }
}

Deno.test("Scheduler.create() schedules nothing when the store cannot keep it", async () => {
  const store = new FullStore();
  using rig = new Rig(store);
  store.full = true;
  assertThrows(() => rig.create(interval(1000)), Error, "the disk is full");
  assertEquals(rig.scheduler.list(), []);
  await rig.pass(2000);
  assertEquals(rig.runs, []);
});

Deno.test("Scheduler does not run what it cannot record, and goes on when it can again", async () => {
  const store = new FullStore();
  using rig = new Rig(store);
  const [recurring] = [rig.create(interval(1000)), rig.create(atTime(5500))];
  store.full = true;
  await rig.pass(2500);
  assertEquals(rig.runs, []);
  assert(rig.logger.has("the disk is full"));
  store.full = false;
  await rig.pass(1500);
  assertEquals(rig.ranAt, [3000, 4000]);
  assertEquals(rig.info(recurring!)!.skipped, 2);
  await rig.pass(1500);
  assertEquals(rig.ranAt, [3000, 4000, 5000, 5500]);
});

Deno.test("a task whose last time could not be recorded can be seen and cancelled, for the store still has it", async () => {
  const store = new FullStore();
  using rig = new Rig(store);
  const task = rig.create(atTime(1000));
  store.full = true;
  await rig.pass(1500);
  store.full = false;
  assertEquals(rig.runs, []);
  await rig.pass(60_000);
  assertEquals([rig.info(task)!.skipped, rig.scheduler.list()], [1, [task]]);
  assertEquals(rig.scheduler.cancel(task), true);
  assertEquals([rig.scheduler.list(), store.load()], [[], []]);
});

Deno.test("a task whose last time could not be recorded does not come back at the next start", async () => {
  const store = new FullStore();
  using rig = new Rig(store);
  rig.create(atTime(1000));
  store.full = true;
  await rig.pass(1500);
  store.full = false;
  rig.scheduler.close();
  assertEquals([rig.runs, store.load()], [[], []]);
});

Deno.test("a task is over when the store fails after its last run", async () => {
  const store = new FullStore();
  using rig = new Rig(store);
  rig.onRun = () => {};
  rig.create(atTime(1000));
  await rig.pass(1000);
  store.full = true;
  rig.runs[0]!.end();
  await rig.pass(100);
  store.full = false;
  assertEquals(rig.scheduler.list(), []);
  assertEquals(rig.store.load(), []);
});

Deno.test("Scheduler.cancel() fails and cancels nothing when the store does", async () => {
  const store = new FullStore();
  using rig = new Rig(store);
  const task = rig.create(interval(1000));
  store.full = true;
  assertThrows(() => rig.scheduler.cancel(task), Error, "the disk is full");
  store.full = false;
  await rig.pass(1000);
  assertEquals(rig.ranAt, [1000]);
});

Deno.test("Scheduler goes on when the store fails at the end of a run", async () => {
  const store = new FullStore();
  using rig = new Rig(store);
  rig.onRun = () => {};
  rig.create(interval(1000));
  await rig.pass(1000);
  store.full = true;
  rig.runs[0]!.fail(new Error("no"));
  await rig.pass(100);
  store.full = false;
  await rig.pass(900);
  assertEquals(rig.ranAt, [1000, 2000]);
});

Deno.test("Scheduler lets go of the store when it cannot take up what is in it", () => {
  class BadStore extends FullStore {
    override load(): never {
      throw new InitializationError("damaged");
    }
  }
  const store = new BadStore();
  assertThrows(() => new Rig(store), InitializationError, "damaged");
  assertEquals(store.closed, 1);
});

Deno.test("a task goes on when the run that would have been its last could not be recorded", async () => {
  const store = new FullStore();
  using rig = new Rig(store);
  const task = rig.create(interval(1000), { maxRuns: 1 });
  store.full = true;
  await rig.pass(1500);
  store.full = false;
  assertEquals(rig.info(task)!.skipped, 1);
  assertEquals(rig.info(task)!.lastRun, undefined);
  await rig.pass(5000);
  assertEquals(rig.ranAt, [2000]);
  assertEquals(rig.scheduler.list(), []);
});

Deno.test("Scheduler.pause() and resume() fail and change nothing when the store does", async () => {
  const store = new FullStore();
  using rig = new Rig(store);
  const task = rig.create(interval(1000));
  store.full = true;
  assertThrows(() => rig.scheduler.pause(task), Error, "the disk is full");
  assertEquals(rig.info(task)!.status, "scheduled");
  store.full = false;
  await rig.pass(1000);
  assertEquals(rig.ranAt, [1000]);
  rig.scheduler.pause(task);
  store.full = true;
  assertThrows(() => rig.scheduler.resume(task), Error, "the disk is full");
  store.full = false;
  await rig.pass(5000);
  assertEquals(rig.info(task)!.status, "paused");
  assertEquals(rig.ranAt, [1000]);
});

for (
  const [who, breakIt] of [
    ["the owner", (rig: Rig, fail: () => never) => rig.failures.push = fail],
    ["the logger", (rig: Rig, fail: () => never) => rig.logger.warn = fail],
  ] as const
) {
  Deno.test(`a task goes on when ${who} cannot be told that it failed`, async () => {
    using rig = new Rig();
    rig.onRun = (run) => run.fail(new Error("no"));
    breakIt(rig, () => {
      throw new Error("nobody listens");
    });
    const task = rig.create(interval(1000));
    await rig.pass(2000);
    assertEquals(rig.ranAt, [1000, 2000]);
    assertEquals(rig.info(task)!.status, "scheduled");
  });
}

Deno.test("a run that a stop puts an end to counts as no failure", async () => {
  using rig = new Rig();
  rig.onRun = () => {};
  const task = rig.create(interval(1000), { pauseAfterFailures: 1 });
  await rig.pass(1000);
  rig.scheduler.stop();
  rig.runs[0]!.fail(new Error("stopped"));
  await rig.pass(0);
  assertEquals(rig.store.load()[0]!.paused, false);
  rig.restart();
  assertEquals(rig.info(task)!.status, "scheduled");
  assertEquals(rig.failures, []);
});

Deno.test("a run of a cancelled task does not write over one that took its uuid", async () => {
  using rig = new Rig();
  rig.onRun = () => {};
  const task = rig.create(interval(1000));
  await rig.pass(1000);
  rig.scheduler.cancel(task);
  rig.create(interval(5000), { uuid: task });
  rig.runs[0]!.fail(new Error("late"));
  await rig.pass(0);
  assertEquals(rig.store.load()[0]!.runs, 0);
  assertEquals(rig.failures, []);
});

Deno.test("a run that waits does not begin when the one before it has paused the task", async () => {
  using rig = new Rig();
  rig.onRun = () => {};
  const task = rig.create(interval(1000), { overlap: "queue", pauseAfterFailures: 1 });
  await rig.pass(2000);
  rig.runs[0]!.fail(new Error("no"));
  await rig.pass(0);
  assertEquals([rig.ranAt, rig.info(task)!.status], [[1000], "paused"]);
  rig.scheduler.resume(task);
  await rig.pass(0);
  assertEquals(rig.ranAt, [1000]);
});
