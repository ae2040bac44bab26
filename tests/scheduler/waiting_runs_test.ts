import { assertEquals } from "@std/assert";
import { atTime, interval, Rig, START } from "./rig.ts";

/** A process that is killed in the middle of each of its first runs, so many of them. */
function killedIn(runs: number): Rig {
  const rig = new Rig();
  rig.onRun = (run) => {
    if (rig.runs.length > runs) run.end();
  };
  return rig;
}

Deno.test("a listed time that waits for a run before it is not lost when the process is killed", async () => {
  using rig = killedIn(1);
  const task = rig.create(atTime(500, 1000), { overlap: "queue" });
  await rig.pass(2000);
  assertEquals(rig.ranAt, [500]);
  rig.restart();
  assertEquals(rig.scheduler.list(), [task]);
  await rig.pass(0);
  assertEquals(rig.ranAt, [500, 2000]);
  rig.restart();
  await rig.pass(60_000);
  assertEquals(rig.ranAt, [500, 2000]);
  assertEquals(rig.scheduler.list(), []);
  assertEquals(rig.store.load(), []);
});

for (const overlap of ["skip", "queue"] as const) {
  Deno.test(`listed times that were missed together survive that the first is killed under ${overlap}`, async () => {
    using rig = killedIn(2);
    const task = rig.create(atTime(1000, 1010, 1020, 90_000), { overlap });
    rig.offered.clear();
    rig.restart();
    await rig.pass(2000);
    rig.offered.add("f");
    for (const begun of [1, 2, 3]) {
      rig.restart();
      await rig.pass(0);
      assertEquals(rig.runs.length, begun);
    }
    assertEquals(rig.info(task)!.skipped, 0);
    await rig.pass(88_000);
    assertEquals(rig.ranAt, [2000, 2000, 2000, 90_000]);
    assertEquals(rig.store.load(), []);
  });
}

Deno.test("listed times that were missed together are kept while the first begins under allow", async () => {
  using rig = new Rig();
  const left: number[] = [];
  rig.onRun = () => left.push(...rig.store.load().map(({ runs }) => runs));
  rig.create(atTime(1000, 1010, 1020), { overlap: "allow" });
  rig.setClock(2000);
  await rig.pass(0);
  await rig.pass(30_000);
  assertEquals(rig.runs.length, 3);
  assertEquals(left, [1, 2]); // what a process would have that is killed in the first, the second, the third
  rig.restart();
  await rig.pass(0);
  assertEquals(rig.runs.length, 3);
});

Deno.test("a listed time that was skipped because another one waits does not run after a restart", async () => {
  using rig = killedIn(1);
  const task = rig.create(atTime(500, 1000, 1500, 9000), { overlap: "queue" });
  await rig.pass(2000);
  assertEquals(rig.info(task)!.skipped, 1);
  rig.restart();
  await rig.pass(1000);
  assertEquals(rig.ranAt, [500, 2000]);
  assertEquals(rig.info(task)!.skipped, 1);
  assertEquals(rig.info(task)!.nextRun, new Date(START + 9000));
});

Deno.test("a listed time that was skipped because another one runs is recorded as done", async () => {
  using rig = killedIn(1);
  rig.create(atTime(500, 1000));
  await rig.pass(1000);
  rig.restart();
  await rig.pass(1000);
  assertEquals(rig.ranAt, [500]);
  assertEquals(rig.store.load(), []);
});

Deno.test("a run that waits is skipped after a restart when it is older than catchUp", async () => {
  using rig = killedIn(1);
  const task = rig.create(atTime(500, 1000, 90_000), { overlap: "queue", catchUpMs: 5000 });
  await rig.pass(1000);
  rig.scheduler.stop();
  await rig.pass(6000);
  rig.restart();
  await rig.pass(0);
  assertEquals(rig.ranAt, [500]);
  assertEquals(rig.info(task)!.skipped, 1);
  await rig.pass(83_000);
  assertEquals(rig.ranAt, [500, 90_000]);
});

Deno.test("a waiting run of an interval and what was missed after it are one run after a restart", async () => {
  using rig = killedIn(1);
  const task = rig.create(interval(1000), { overlap: "queue" });
  await rig.pass(2500);
  rig.scheduler.stop();
  await rig.pass(3000);
  rig.restart();
  await rig.pass(0);
  assertEquals(rig.ranAt, [1000, 5500]);
  assertEquals(rig.info(task)!.skipped, 3); // those of 2000, 3000 and 4000
  await rig.pass(500);
  assertEquals(rig.ranAt, [1000, 5500, 6000]);
});

Deno.test("a waiting run of an interval comes after a restart before the next one is due", async () => {
  using rig = killedIn(1);
  const task = rig.create(interval(10_000), { overlap: "queue", maxRuns: 2 });
  await rig.pass(20_000);
  rig.restart();
  await rig.pass(0);
  assertEquals(rig.ranAt, [10_000, 20_000]);
  assertEquals(rig.info(task), undefined);
  assertEquals(rig.store.load(), []);
});

Deno.test("nothing waits behind the run that reaches maxRuns, also after a restart", async () => {
  using rig = killedIn(9);
  rig.create(atTime(1000, 1010, 1020), { maxRuns: 1 });
  rig.setClock(2000);
  await rig.pass(30_000);
  assertEquals(rig.runs.length, 1);
  assertEquals(rig.store.load(), []);
  rig.restart();
  assertEquals(rig.scheduler.list(), []);
});

Deno.test("a run that waits for its callback goes on waiting over a restart", async () => {
  using rig = killedIn(1);
  const task = rig.create(atTime(500, 1000), { overlap: "queue" });
  await rig.pass(1500);
  rig.offered.clear();
  rig.scheduler.callbacksChanged();
  rig.restart();
  await rig.pass(5000);
  assertEquals(rig.info(task)!.status, "waiting");
  assertEquals(rig.info(task)!.runs, 1);
  rig.offered.add("f");
  rig.scheduler.callbacksChanged();
  await rig.pass(0);
  assertEquals(rig.ranAt, [500, 6500]);
  assertEquals(rig.scheduler.list(), []);
});

Deno.test("Scheduler.stop() begins no run that waits, and a store keeps it", async () => {
  using rig = new Rig();
  rig.onRun = () => {};
  rig.create(atTime(500, 1000), { overlap: "queue" });
  await rig.pass(1500);
  rig.scheduler.stop();
  rig.runs[0]!.end();
  await rig.pass(1000);
  assertEquals(rig.runs.length, 1);
  rig.onRun = (run) => run.end();
  rig.restart();
  await rig.pass(0);
  assertEquals(rig.ranAt, [500, 2500]);
  assertEquals(rig.store.load(), []);
});

Deno.test("Scheduler.stop() within a run lets nothing begin that is due at the same moment", async () => {
  using rig = new Rig();
  rig.onRun = () => rig.scheduler.stop();
  for (const overlap of ["skip", "queue", "allow"] as const) {
    rig.create(atTime(1000, 1010), { overlap });
  }
  rig.setClock(2000);
  await rig.pass(30_000);
  assertEquals(rig.runs.length, 1);
  rig.onRun = (run) => run.end();
  rig.restart();
  await rig.pass(0);
  assertEquals(rig.runs.length, 6);
  assertEquals(rig.store.load(), []);
});

Deno.test("Scheduler.pause() drops a run that waits for good", async () => {
  using rig = killedIn(1);
  const task = rig.create(atTime(500, 1000, 90_000), { overlap: "queue" });
  await rig.pass(1500);
  rig.scheduler.pause(task);
  rig.restart();
  rig.scheduler.resume(task);
  await rig.pass(10_000);
  assertEquals(rig.ranAt, [500]);
  await rig.pass(80_000);
  assertEquals(rig.ranAt, [500, 90_000]);
});

Deno.test("Scheduler.pause() ends a task of which nothing is left but a run that waits for its callback", async () => {
  using rig = new Rig();
  rig.onRun = () => {};
  const task = rig.create(atTime(500, 1000), { overlap: "queue" });
  await rig.pass(1500);
  rig.offered.clear();
  rig.scheduler.callbacksChanged();
  rig.runs[0]!.end();
  await rig.pass(0);
  assertEquals(rig.info(task)!.status, "waiting");
  assertEquals(rig.scheduler.pause(task), true);
  assertEquals(rig.scheduler.list(), []);
  assertEquals(rig.store.load(), []);
});

Deno.test("Scheduler.cancel() takes a run that waits, also after a restart", async () => {
  using rig = killedIn(1);
  const task = rig.create(atTime(500, 1000), { overlap: "queue" });
  await rig.pass(1500);
  rig.scheduler.cancel(task);
  rig.restart();
  await rig.pass(10_000);
  assertEquals(rig.ranAt, [500]);
  assertEquals(rig.store.load(), []);
});

Deno.test("a run that waits when the clock is set back while the process is away comes within an interval", async () => {
  using rig = killedIn(1);
  const DAY = 86_400_000;
  rig.setClock(DAY);
  rig.create(interval(10_000), { overlap: "queue" });
  await rig.pass(20_000);
  assertEquals(rig.runs.length, 1);
  rig.setClock(-DAY - 20_000);
  rig.restart();
  await rig.pass(10_000);
  assertEquals(rig.runs.length, 2);
  await rig.pass(10_000);
  assertEquals(rig.runs.length, 3);
});

Deno.test("a run that waits is left out and counted when it cannot be recorded", async () => {
  using rig = new Rig();
  rig.onRun = () => {};
  const task = rig.create(atTime(500, 1000, 5000), { overlap: "queue" });
  await rig.pass(1500);
  const { save } = rig.store;
  rig.store.save = () => {
    throw new Error("the disk is full");
  };
  rig.runs[0]!.end();
  await rig.pass(0);
  rig.store.save = save;
  assertEquals(rig.runs.length, 1);
  assertEquals(rig.info(task)!.skipped, 1);
  await rig.pass(3500);
  assertEquals(rig.ranAt, [500, 5000]);
});
