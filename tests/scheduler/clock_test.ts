import { assert, assertEquals } from "@std/assert";
import { atTime, cron, interval, Rig, START } from "./rig.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

Deno.test("a clock set forward is noticed within half a minute", async () => {
  using rig = new Rig();
  rig.create(atTime(2 * HOUR));
  rig.setClock(2 * HOUR - 10 * SECOND);
  await rig.pass(30 * SECOND);
  assertEquals(rig.runs.length, 1);
});

Deno.test("a suspended machine runs the latest missed time of an interval, and counts the others", async () => {
  using rig = new Rig();
  const task = rig.create(interval(10 * SECOND));
  await rig.pass(25 * SECOND);
  rig.setClock(HOUR);
  await rig.pass(5 * SECOND);
  assertEquals(rig.runs.length, 3);
  assertEquals(rig.info(task)!.skipped, 360);
  await rig.pass(20 * SECOND);
  assertEquals(rig.ranAt.slice(3), [HOUR + 40 * SECOND, HOUR + 50 * SECOND]);
});

Deno.test("a missed run that is older than catchUp is skipped and counted", async () => {
  using rig = new Rig();
  const task = rig.create(interval(HOUR), { catchUpMs: MINUTE });
  rig.setClock(2 * HOUR + 90 * SECOND);
  await rig.pass(30 * SECOND);
  assertEquals(rig.runs.length, 0);
  assertEquals(rig.info(task)!.skipped, 2);
  assertEquals(rig.info(task)!.nextRun, new Date(START + 3 * HOUR));
});

Deno.test("a missed run that is not older than catchUp runs once", async () => {
  using rig = new Rig();
  const task = rig.create(interval(HOUR), { catchUpMs: 5 * MINUTE });
  rig.setClock(2 * HOUR + 90 * SECOND);
  await rig.pass(30 * SECOND);
  assertEquals(rig.runs.length, 1);
  assertEquals(rig.info(task)!.skipped, 1);
});

Deno.test("each listed time that was missed within catchUp runs, older ones are skipped", async () => {
  using rig = new Rig();
  const task = rig.create(atTime(HOUR, 2 * HOUR, 2 * HOUR + 5 * SECOND, 3 * HOUR), {
    overlap: "allow",
  });
  rig.setClock(2 * HOUR + 10 * SECOND);
  await rig.pass(30 * SECOND);
  assertEquals(rig.runs.length, 2);
  assertEquals(rig.info(task)!.skipped, 1);
  assertEquals(rig.info(task)!.nextRun, new Date(START + 3 * HOUR));
});

Deno.test("a task ends when all its times were missed", async () => {
  using rig = new Rig();
  rig.create(atTime(HOUR, 2 * HOUR));
  rig.setClock(DAY);
  await rig.pass(30 * SECOND);
  assertEquals(rig.runs, []);
  assertEquals(rig.scheduler.list(), []);
  assertEquals(rig.store.load(), []);
});

Deno.test("an interval goes on in its rhythm when the clock is set back", async () => {
  using rig = new Rig();
  const task = rig.create(interval(10 * SECOND));
  await rig.pass(25 * SECOND);
  rig.setClock(-HOUR);
  await rig.pass(60 * SECOND);
  const count = rig.runs.length;
  assert(count >= 7 && count <= 9, `${count} runs within 85 seconds`);
  assertEquals(rig.info(task)!.skipped, 0);
});

Deno.test("an interval made after the clock was set back begins with its own length", async () => {
  using rig = new Rig();
  rig.setClock(-HOUR);
  const task = rig.create(interval(10 * SECOND));
  await rig.pass(35 * SECOND);
  assertEquals(rig.ranAt, [10, 20, 30].map((s) => s * SECOND - HOUR));
  assertEquals(rig.info(task)!.skipped, 0);
});

Deno.test("a clock set back does not hide that a run is under way", async () => {
  using rig = new Rig();
  rig.onRun = () => {};
  const task = rig.create(interval(10 * SECOND));
  await rig.pass(15 * SECOND);
  rig.setClock(-HOUR);
  await rig.pass(60 * SECOND);
  assertEquals(rig.runs.length, 1);
  assertEquals(rig.info(task)!.status, "running");
  rig.runs[0]!.fail(new Error("late"));
  await rig.pass(0);
  assertEquals(rig.info(task)!.lastError, "Error: late");
  assert(rig.info(task)!.skipped >= 4);
});

Deno.test("a listed time that has run does not run again when the clock is set back", async () => {
  using rig = new Rig();
  const task = rig.create(atTime(10 * SECOND, 20 * SECOND));
  await rig.pass(15 * SECOND);
  rig.setClock(-15 * SECOND);
  await rig.pass(15 * SECOND);
  assertEquals(rig.runs.length, 1);
  rig.scheduler.pause(task);
  rig.scheduler.resume(task);
  await rig.pass(5 * SECOND);
  assertEquals(rig.runs.length, 2);
  assertEquals(rig.scheduler.list(), []);
});

Deno.test("a listed time that has run does not run again when the task is resumed before it", async () => {
  using rig = new Rig();
  const task = rig.create(atTime(10 * SECOND, HOUR));
  await rig.pass(15 * SECOND);
  rig.scheduler.pause(task);
  rig.setClock(-15 * SECOND);
  rig.scheduler.resume(task);
  await rig.pass(MINUTE);
  assertEquals(rig.runs.length, 1);
});

Deno.test("a cron time runs once when the clock is set back a little", async () => {
  using rig = new Rig();
  rig.create(cron("* * * * *"));
  await rig.pass(MINUTE);
  rig.setClock(-5);
  rig.create(atTime(HOUR)); // looks at the clock
  await rig.pass(30 * SECOND);
  assertEquals(rig.runs.length, 1);
  await rig.pass(30 * SECOND + 5);
  assertEquals(rig.ranAt, [MINUTE, 2 * MINUTE]);
});

for (const [expression, everyMs] of [["* * * * * *", SECOND], ["* * * * *", MINUTE]] as const) {
  Deno.test(`a cron task ("${expression}") goes on when the clock is set back by an hour`, async () => {
    using rig = new Rig();
    rig.create(cron(expression));
    await rig.pass(MINUTE + 29.5 * SECOND);
    const count = rig.runs.length;
    rig.setClock(-HOUR);
    await rig.pass(3 * everyMs);
    assert(rig.runs.length >= count + 2, `${rig.runs.length - count} runs`);
  });
}

Deno.test("a cron task goes on when a clock that was wrong by a year is set right", async () => {
  using rig = new Rig();
  rig.create(cron("* * * * *"));
  await rig.pass(90 * SECOND);
  rig.setClock(-365 * DAY);
  await rig.pass(5 * MINUTE);
  assert(rig.runs.length >= 5);
});

Deno.test("a clock that goes back by a millisecond costs no write for each task", async () => {
  using rig = new Rig();
  for (let n = 0; n < 50; n++) rig.create(interval(HOUR));
  rig.create(interval(10 * SECOND));
  await rig.pass(10 * SECOND);
  let writes = 0;
  const { save } = rig.store;
  rig.store.save = (record) => {
    writes++;
    save.call(rig.store, record);
  };
  rig.setClock(-1);
  rig.create(atTime(HOUR)); // looks at the clock
  await rig.pass(12 * SECOND);
  assert(writes < 10, `${writes} writes`);
});

for (
  const [what, trigger, due] of [
    ["an interval", interval(10 * SECOND), [10 * SECOND, 20 * SECOND]],
    ["a cron expression", cron("*/30 * * * * *"), [30 * SECOND]],
  ] as const
) {
  Deno.test(`${what} goes on after a restart when the clock was a day ahead before it`, async () => {
    using rig = new Rig();
    rig.setClock(DAY);
    rig.create(trigger);
    await rig.pass(MINUTE);
    rig.runs.length = 0;
    rig.setClock(-DAY - MINUTE);
    rig.restart();
    await rig.pass(29 * SECOND);
    await rig.pass(SECOND);
    assertEquals(rig.ranAt.slice(0, due.length), [...due]);
  });
}

Deno.test("a cron time that has run does not run again after a restart with a clock set back a little", async () => {
  using rig = new Rig();
  rig.create(cron("0 * * * *"));
  await rig.pass(HOUR);
  rig.setClock(-10 * SECOND);
  rig.restart();
  await rig.pass(MINUTE);
  assertEquals(rig.ranAt, [HOUR]);
});

Deno.test("a clock set back lets no task wait for one whose time was the first before", async () => {
  using rig = new Rig();
  rig.create(atTime(5 * SECOND));
  rig.create(interval(10 * SECOND));
  rig.setClock(-HOUR);
  await rig.pass(20 * SECOND);
  assertEquals(rig.ranAt, [15 * SECOND - HOUR]); // it was noticed after five seconds
});

Deno.test("a cron time that has run does not run again when the clock is set back a little", async () => {
  using rig = new Rig();
  rig.create(cron("0 * * * *"));
  await rig.pass(HOUR);
  rig.setClock(-10 * MINUTE);
  await rig.pass(20 * MINUTE);
  assertEquals(rig.ranAt, [HOUR]);
});
