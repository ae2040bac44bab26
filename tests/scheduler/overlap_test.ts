import { assertEquals } from "@std/assert";
import { atTime, interval, Rig } from "./rig.ts";

/** Runs that take so many milliseconds. */
function taking(ms: number): Rig {
  const rig = new Rig();
  rig.onRun = (run) => setTimeout(run.end, ms);
  return rig;
}

Deno.test("overlap skip leaves out and counts what is due during a run", async () => {
  using rig = taking(2_500);
  const task = rig.create(interval(1000));
  await rig.pass(8_400);
  assertEquals(rig.ranAt, [1000, 4000, 7000]);
  assertEquals(rig.info(task)!.skipped, 5);
});

Deno.test("overlap queue lets one run wait, and counts the others as skipped", async () => {
  using rig = taking(3_500);
  const task = rig.create(interval(1000), { overlap: "queue" });
  await rig.pass(4_400);
  assertEquals(rig.ranAt, [1000]);
  await rig.pass(100);
  assertEquals(rig.ranAt, [1000, 4500]);
  assertEquals(rig.info(task)!.skipped, 2);
  await rig.pass(3_500);
  assertEquals(rig.ranAt, [1000, 4500, 8000]);
});

Deno.test("overlap allow runs whenever it is due", async () => {
  using rig = taking(2_500);
  const task = rig.create(interval(1000), { overlap: "allow" });
  await rig.pass(5_000);
  assertEquals(rig.ranAt, [1000, 2000, 3000, 4000, 5000]);
  assertEquals(rig.info(task)!.skipped, 0);
});

Deno.test("overlap is a task's own: others run beside it", async () => {
  using rig = taking(10_000);
  rig.create(atTime(1000));
  rig.create(atTime(1000));
  await rig.pass(1000);
  assertEquals(rig.ranAt, [1000, 1000]);
});

Deno.test("maxRuns counts runs, not what was skipped", async () => {
  using rig = taking(2_500);
  rig.create(interval(1000), { maxRuns: 2 });
  await rig.pass(10_000);
  assertEquals(rig.ranAt, [1000, 4000]);
  assertEquals(rig.scheduler.list(), []);
});

Deno.test("a task whose last time is over stays listed until its last run has ended", async () => {
  using rig = taking(500);
  const task = rig.create(atTime(1000));
  await rig.pass(1400);
  assertEquals(rig.info(task)!.status, "running");
  await rig.pass(100);
  assertEquals(rig.scheduler.list(), []);
});

Deno.test("a run that waits still comes when no time is left", async () => {
  using rig = taking(3_000);
  rig.create(atTime(1000, 2000), { overlap: "queue" });
  await rig.pass(10_000);
  assertEquals(rig.ranAt, [1000, 4000]);
  assertEquals(rig.scheduler.list(), []);
});

for (const overlap of ["skip", "queue"] as const) {
  Deno.test(`listed times that are due together run one after the other under ${overlap}`, async () => {
    using rig = taking(300);
    const task = rig.create(atTime(1000, 1001, 1002, 1003, 9000), { overlap });
    rig.setClock(1500);
    await rig.pass(3000);
    assertEquals(rig.runs.length, 4);
    const [first, ...later] = rig.ranAt;
    assertEquals(later.map((at) => at - first!), [300, 600, 900]);
    assertEquals(rig.info(task)!.skipped, 0);
  });
}

Deno.test("listed times that are due while a run really goes on are skipped", async () => {
  using rig = taking(2_500);
  const task = rig.create(atTime(1000, 2000, 3000, 4000, 9000));
  await rig.pass(5_000);
  assertEquals(rig.ranAt, [1000, 4000]);
  assertEquals(rig.info(task)!.skipped, 2);
});

Deno.test("a run that waits waits on when its callback is withdrawn", async () => {
  using rig = taking(1_500);
  const task = rig.create(interval(1000), { overlap: "queue", maxRuns: 2 });
  await rig.pass(2_200);
  rig.offered.clear();
  rig.scheduler.callbacksChanged();
  await rig.pass(3_000);
  assertEquals(rig.ranAt, [1000]);
  assertEquals(rig.info(task)!.status, "waiting");
  assertEquals(rig.info(task)!.runs, 1);
  rig.offered.add("f");
  rig.scheduler.callbacksChanged();
  await rig.pass(0);
  assertEquals(rig.ranAt, [1000, 5200]);
  await rig.pass(1_500);
  assertEquals(rig.scheduler.list(), []);
});

Deno.test("Scheduler records a run when it begins, and when it ends only what has changed", async () => {
  using rig = taking(500);
  rig.create(interval(1000));
  let writes = 0;
  const { save } = rig.store;
  rig.store.save = (record) => {
    writes++;
    save.call(rig.store, record);
  };
  await rig.pass(2_700);
  assertEquals(writes, 2);
  rig.onRun = (run) => run.fail(new Error("no"));
  await rig.pass(1_000);
  assertEquals(writes, 4);
  assertEquals(rig.store.load()[0]!.lastError, "Error: no");
  await rig.pass(1_000);
  assertEquals(writes, 6, "there is one more failure in a row");
});

Deno.test("a run that was given up counts as one until its callback has ended", async () => {
  using rig = new Rig();
  rig.onRun = (run) => {
    if (rig.runs.length === 1) run.giveUp(new Error("too slow"));
  };
  const task = rig.create(interval(1000));
  await rig.pass(3000);
  assertEquals([rig.ranAt, rig.failures.length, rig.info(task)!.skipped], [[1000], 1, 2]);
  rig.runs[0]!.end();
  await rig.pass(1000);
  assertEquals([rig.ranAt, rig.info(task)!.lastError], [[1000, 4000], "Error: too slow"]);
});
