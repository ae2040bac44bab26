import { assertEquals } from "@std/assert";
import { atTime, interval, Rig, START, uuid } from "./rig.ts";

Deno.test("Scheduler.pause() lets a task rest, and resume() goes on from now", async () => {
  using rig = new Rig();
  const task = rig.create(interval(1000));
  await rig.pass(1500);
  assertEquals(rig.scheduler.pause(task), true);
  assertEquals(rig.info(task)!.status, "paused");
  assertEquals(rig.info(task)!.nextRun, undefined);
  assertEquals(rig.time.pending, 0);
  await rig.pass(10_000);
  assertEquals(rig.ranAt, [1000]);
  assertEquals(rig.scheduler.resume(task), true);
  assertEquals(rig.info(task)!.nextRun, new Date(START + 12_000));
  await rig.pass(1000);
  assertEquals(rig.ranAt, [1000, 12_000]);
  assertEquals(rig.info(task)!.skipped, 0);
});

Deno.test("Scheduler.pause() and resume() tell whether they changed something", () => {
  using rig = new Rig();
  const task = rig.create(interval(1000));
  assertEquals(rig.scheduler.resume(task), false);
  assertEquals(rig.scheduler.pause(task), true);
  assertEquals(rig.scheduler.pause(task), false);
  assertEquals(rig.scheduler.resume(task), true);
  assertEquals(rig.scheduler.pause(uuid(1)), false);
  assertEquals(rig.scheduler.resume(uuid(1)), false);
});

Deno.test("Scheduler.pause() drops the run that waits, and not the one that goes on", async () => {
  using rig = new Rig();
  rig.onRun = () => {};
  const task = rig.create(interval(1000), { overlap: "queue" });
  await rig.pass(2500);
  rig.scheduler.pause(task);
  assertEquals(rig.info(task)!.status, "running");
  rig.runs[0]!.end();
  await rig.pass(0);
  assertEquals(rig.runs.length, 1);
  assertEquals(rig.info(task)!.status, "paused");
});

Deno.test("Scheduler.resume() ends a task whose times passed while it was paused", async () => {
  using rig = new Rig();
  const task = rig.create(atTime(1000));
  rig.scheduler.pause(task);
  await rig.pass(2000);
  assertEquals(rig.scheduler.list(), [task]);
  rig.scheduler.resume(task);
  assertEquals(rig.scheduler.list(), []);
  assertEquals(rig.store.load(), []);
});

Deno.test("Scheduler.resume() does not prolong a task beyond maxRuns", async () => {
  using rig = new Rig();
  rig.onRun = () => {};
  const task = rig.create(interval(1000), { maxRuns: 1 });
  await rig.pass(1000);
  rig.scheduler.pause(task);
  rig.scheduler.resume(task);
  rig.runs[0]!.end();
  await rig.pass(5000);
  assertEquals(rig.runs.length, 1);
  assertEquals(rig.scheduler.list(), []);
});

Deno.test("a task paused in its last run is gone after the run", async () => {
  using rig = new Rig();
  rig.onRun = () => {};
  const task = rig.create(atTime(1000));
  await rig.pass(1000);
  rig.scheduler.pause(task);
  rig.runs[0]!.end();
  await rig.pass(0);
  assertEquals(rig.scheduler.list(), []);
  assertEquals(rig.store.load(), []);
});

Deno.test("a task paused in its last run is no ghost after a crash", async () => {
  using rig = new Rig();
  rig.onRun = () => {};
  const task = rig.create(atTime(1000));
  await rig.pass(1000);
  rig.scheduler.pause(task);
  rig.restart();
  assertEquals(rig.scheduler.list(), []);
});

Deno.test("Scheduler.run() runs a task besides its schedule", async () => {
  using rig = new Rig();
  const task = rig.create(interval(1000));
  await rig.pass(300);
  assertEquals(rig.scheduler.run(task), true);
  await rig.pass(700);
  assertEquals(rig.ranAt, [300, 1000]);
  assertEquals(rig.info(task)!.runs, 2);
  assertEquals(rig.scheduler.run(uuid(1)), false);
});

Deno.test("Scheduler.run() runs a paused task, which stays paused", async () => {
  using rig = new Rig();
  const task = rig.create(interval(1000));
  rig.scheduler.pause(task);
  assertEquals(rig.scheduler.run(task), true);
  await rig.pass(5000);
  assertEquals(rig.ranAt, [0]);
  assertEquals(rig.info(task)!.status, "paused");
});

Deno.test("Scheduler.run() keeps to overlap", () => {
  using rig = new Rig();
  rig.onRun = () => {};
  const task = rig.create(interval(1000));
  rig.scheduler.run(task);
  rig.scheduler.run(task);
  assertEquals(rig.runs.length, 1);
});

Deno.test("Scheduler.run() counts towards maxRuns", async () => {
  using rig = new Rig();
  const task = rig.create(interval(1000), { maxRuns: 2 });
  rig.scheduler.run(task);
  await rig.pass(5000);
  assertEquals(rig.ranAt, [0, 1000]);
  assertEquals(rig.scheduler.list(), []);
});

Deno.test("a task whose callback is not offered waits, and is told so", async () => {
  using rig = new Rig();
  rig.offered.clear();
  const task = rig.create(interval(1000));
  assertEquals(rig.info(task)!.status, "waiting");
  assertEquals(rig.time.pending, 0);
  assertEquals(rig.scheduler.run(task), false);
  await rig.pass(5500);
  assertEquals(rig.runs, []);

  rig.offered.add("f");
  rig.scheduler.callbacksChanged();
  assertEquals(rig.info(task)!.status, "scheduled");
  await rig.pass(500);
  assertEquals(rig.ranAt, [5500, 6000]);
  assertEquals(rig.info(task)!.skipped, 4);
});

Deno.test("a task waits again when its callback is withdrawn", async () => {
  using rig = new Rig();
  const task = rig.create(interval(1000));
  await rig.pass(1500);
  rig.offered.clear();
  rig.scheduler.callbacksChanged();
  assertEquals(rig.time.pending, 0);
  await rig.pass(5000);
  assertEquals(rig.ranAt, [1000]);
  assertEquals(rig.info(task)!.status, "waiting");
});

Deno.test("Scheduler.callbacksChanged() looks at the tasks of the callbacks that came or went alone", () => {
  using rig = new Rig();
  const [first] = ["g", "f", "g", "f", "h"].map((callbackName) =>
    rig.create(interval(1000), { callbackName })
  );
  rig.scheduler.cancel(rig.create(interval(1000), { callbackName: "k" }));
  const looked: string[] = [];
  rig.offered.has = (name) => looked.push(name) > 0;
  const changed = (...names: string[]) => {
    rig.scheduler.callbacksChanged(names);
    return looked.splice(0);
  };
  assertEquals(changed("g"), ["g", "g"]);
  assertEquals(changed("h", "k", "other"), ["h"]);
  rig.scheduler.cancel(first!);
  assertEquals(changed("g"), ["g"]);
  assertEquals(changed().sort(), ["f", "f", "g", "h"]);
});

Deno.test("a listed time that passed while its callback was missing keeps to catchUp", async () => {
  using rig = new Rig();
  rig.offered.clear();
  rig.create(atTime(1000, 100_000));
  await rig.pass(110_000);
  rig.offered.add("f");
  rig.scheduler.callbacksChanged();
  await rig.pass(0);
  assertEquals(rig.runs.length, 1);
  assertEquals(rig.scheduler.list(), []);
});

Deno.test("Scheduler.close() lets a run go on, and records nothing of it any more", async () => {
  using rig = new Rig();
  rig.onRun = (run) => rig.runs.length === 1 ? run.fail(new Error("once")) : undefined;
  rig.create(interval(1000));
  await rig.pass(2000);
  rig.scheduler.close();
  rig.logger.lines.length = 0;
  rig.store.save = () => {
    throw new Error("the store is closed");
  };
  rig.runs[1]!.end(); // which has failed once less often in a row
  await rig.pass(0);
  assertEquals(rig.logger.lines, []);
});
