import { assertEquals, assertThrows } from "@std/assert";
import { InitializationError } from "../../src/errors.ts";
import {
  MAX_ENDED_TASKS,
  RememberingTaskStore,
} from "../../src/scheduler/remembering_task_store.ts";
import { MemoryTaskStore } from "../../src/scheduler/task_store.ts";
import { atTime, interval, Rig, START, uuid } from "./rig.ts";
import { record, testTaskStore } from "./task_store_contract.ts";

testTaskStore("RememberingTaskStore", () => new RememberingTaskStore(new MemoryTaskStore()));

const MINE = { uuid: uuid(1) };

Deno.test("Scheduler.create() gives a listed time that has just run by its uuid, and does not run it again", async () => {
  using rig = new Rig();
  rig.create(atTime(1000, 2000), MINE);
  await rig.pass(2000);
  assertEquals(rig.scheduler.list(), []);
  for (const ms of [0, 30_000, 30_000]) { // as late as it could run still
    await rig.pass(ms);
    assertEquals(rig.create(atTime(1000, 2000), MINE), uuid(1));
    await rig.pass(0);
  }
  assertEquals(rig.ranAt, [1000, 2000]);
  assertEquals([rig.scheduler.list(), rig.scheduler.describe()], [[], []]);
  assertEquals(rig.scheduler.cancel(uuid(1)), false);
  await rig.pass(1);
  assertThrows(() => rig.create(atTime(1000, 2000), MINE), InitializationError, "never run");
});

for (const ends of [true, false]) {
  const when = ends ? "after" : "in the middle of";
  Deno.test(`Scheduler.create() does so in a process after one that was killed ${when} the run`, async () => {
    using rig = new Rig();
    if (!ends) rig.onRun = () => {};
    rig.create(atTime(1000), MINE);
    await rig.pass(1500);
    rig.onRun = (run) => run.end();
    rig.restart();
    assertEquals(rig.scheduler.list(), []);
    assertEquals(rig.create(atTime(1000), MINE), uuid(1));
    await rig.pass(1000);
    assertEquals(rig.ranAt, [1000]);
    rig.restart();
    assertEquals(rig.create(atTime(1000), MINE), uuid(1));
    await rig.pass(1000);
    assertEquals(rig.ranAt, [1000]);
  });
}

Deno.test("Scheduler.create() refuses the uuid of an ended task for another callback", async () => {
  using rig = new Rig();
  rig.create(atTime(1000), MINE);
  await rig.pass(1000);
  assertThrows(
    () => rig.create(atTime(1000), { ...MINE, callbackName: "h" }),
    InitializationError,
    "another callback",
  );
});

Deno.test("Scheduler.create() runs no listed time that maxRuns has left out before", async () => {
  using rig = new Rig();
  const again = () => rig.create(atTime(1000, 50_000), { ...MINE, maxRuns: 1, catchUpMs: 5000 });
  again();
  await rig.pass(20_000);
  assertEquals(again(), uuid(1));
  await rig.pass(34_000);
  assertEquals(again(), uuid(1));
  await rig.pass(1000);
  assertEquals(rig.ranAt, [1000]);
});

Deno.test("Scheduler.create() gives a listed time that has run late by its uuid, as long as after one in time", async () => {
  using rig = new Rig();
  rig.create(atTime(1000), MINE);
  rig.setClock(50_000);
  await rig.pass(1000);
  await rig.pass(60_000);
  assertEquals(rig.create(atTime(1000), MINE), uuid(1));
  await rig.pass(1);
  assertThrows(() => rig.create(atTime(1000), MINE), InitializationError, "never run");
  assertEquals(rig.ranAt, [51_000]);
});

Deno.test("Scheduler.create() starts a task that maxRuns has ended anew when catchUp is over, and not before", async () => {
  using rig = new Rig();
  const again = () => rig.create(interval(1000), { ...MINE, maxRuns: 2 });
  again();
  await rig.pass(62_000);
  assertEquals(again(), uuid(1));
  await rig.pass(1);
  assertEquals(rig.ranAt, [1000, 2000]);
  again();
  assertEquals(rig.scheduler.list(), [uuid(1)]);
  await rig.pass(2000);
  assertEquals(rig.ranAt, [1000, 2000, 63_001, 64_001]);
});

Deno.test("Scheduler.create() schedules a task that was cancelled anew", async () => {
  using rig = new Rig();
  rig.onRun = () => {};
  rig.create(atTime(1000), MINE);
  await rig.pass(1000);
  assertEquals(rig.scheduler.cancel(uuid(1)), true); // in its last run
  assertEquals(rig.store.load(), []);
  rig.create(atTime(5000), MINE);
  assertEquals(rig.scheduler.list(), [uuid(1)]);
});

Deno.test("nothing is kept of a task that has a uuid of the scheduler's own", async () => {
  using rig = new Rig();
  rig.create(atTime(1000));
  await rig.pass(1000);
  assertEquals(rig.store.load(), []);
});

Deno.test("what is kept of an ended task are neither its arguments nor its times", async () => {
  using rig = new Rig();
  rig.create(atTime(1000, 2000), { ...MINE, args: new Uint8Array(5000) });
  await rig.pass(2000);
  const [kept, ...others] = rig.store.load();
  assertEquals(others, []);
  assertEquals([kept!.args.length, kept!.trigger], [0, atTime(2000)]);
});

Deno.test("Scheduler forgets ended tasks when others end", async () => {
  using rig = new Rig();
  for (let n = 0; n < 20; n++) rig.create(atTime(1000), { uuid: uuid(n) });
  rig.create(atTime(80_000, 80_100, 80_200), { uuid: uuid(90) });
  await rig.pass(70_000);
  rig.restart();
  assertEquals(rig.store.load().length, 21);
  for (let n = 30; n < 40; n++) rig.create(atTime(75_000), { uuid: uuid(n) });
  await rig.pass(30_000);
  assertEquals(
    rig.store.load().map((kept) => kept.uuid).sort(),
    [...Array.from({ length: 10 }, (_, n) => uuid(30 + n)), uuid(90)],
  );
});

Deno.test("a run is recorded though what should be forgotten cannot be", async () => {
  using rig = new Rig();
  rig.create(atTime(1000), { uuid: uuid(1) });
  rig.create(atTime(70_000), { uuid: uuid(2) });
  const { remove } = rig.store;
  rig.store.remove = () => {
    throw new Error("the disk is full");
  };
  await rig.pass(70_000);
  rig.store.remove = remove;
  assertEquals(rig.ranAt, [1000, 70_000]);
  assertEquals(rig.store.load().map((kept) => kept.uuid), [uuid(1), uuid(2)]);
  rig.restart();
  rig.create(atTime(140_000), { uuid: uuid(3) });
  await rig.pass(70_000);
  assertEquals(rig.store.load().map((kept) => kept.uuid), [uuid(3)]);
});

Deno.test("Scheduler.create() takes the place of an ended task that nobody can mean any more, for good", async () => {
  using rig = new Rig();
  rig.create(atTime(1000), MINE);
  await rig.pass(70_000);
  rig.create(atTime(200_000), MINE);
  rig.create(atTime(71_000), { uuid: uuid(2) });
  await rig.pass(10_000); // the second ends, and what is too old is forgotten
  rig.restart();
  assertEquals(rig.scheduler.list(), [uuid(1)]);
});

Deno.test("RememberingTaskStore remembers so many ended tasks, and of more those that have ended last", () => {
  const inner = new MemoryTaskStore();
  let now = START;
  const store = new RememberingTaskStore(inner, () => now);
  const end = (n: number) =>
    store.remove(
      uuid(n),
      record(n, {
        ...{
          uuidGiven: true,
          nextMs: undefined,
          catchUpMs: n === 2 ? 1000 : n < 9 ? 1e300 : 60_000,
        },
        trigger: atTime(n),
      }),
    );
  for (let n = 0; n <= MAX_ENDED_TASKS; n++) end(n);
  assertEquals(inner.load().length, MAX_ENDED_TASKS);
  const isThere = (n: number) => store.endedTask(uuid(n)) !== undefined;
  assertEquals([0, 1, 2, 3, MAX_ENDED_TASKS].map(isThere), [false, true, true, true, true]);
  now += 2000; // one is over
  end(MAX_ENDED_TASKS + 1);
  assertEquals([1, 2, 3, MAX_ENDED_TASKS + 1].map(isThere), [true, false, true, true]);
  end(MAX_ENDED_TASKS + 2);
  assertEquals([1, 3, MAX_ENDED_TASKS + 2].map(isThere), [false, true, true]);
  assertEquals(inner.load().length, MAX_ENDED_TASKS);
  assertEquals(store.load(), []);
});
