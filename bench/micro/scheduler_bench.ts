import { compileCron } from "../../src/scheduler/cron.ts";
import { Scheduler } from "../../src/scheduler/scheduler.ts";
import type { TaskSpec } from "../../src/scheduler/task.ts";
import { MemoryTaskStore } from "../../src/scheduler/task_store.ts";
import type { Trigger } from "../../src/scheduler/trigger.ts";

const TASKS = 10_000;
const HOUR_MS = 3_600_000;

const armed = new Set<unknown>();
let mostArmed = 0;

/** Counts the timers that are armed, from now on. */
function countTimers(): void {
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  globalThis.setTimeout = ((fn: () => void, ms?: number) => {
    const id = set(() => {
      armed.delete(id);
      fn();
    }, ms);
    mostArmed = Math.max(mostArmed, armed.add(id).size);
    return id;
  }) as typeof setTimeout;
  globalThis.clearTimeout = (id) => {
    if (id !== undefined) armed.delete(id);
    clear(id);
  };
}

let now = Date.now();

function makeScheduler(): Scheduler {
  return new Scheduler({
    store: new MemoryTaskStore(),
    offers: () => true,
    run: () => Promise.resolve(),
    onFailure: () => {},
    logger: console,
    compileCron,
    now: () => now,
  });
}

function spec(trigger: Trigger): TaskSpec {
  return {
    uuid: undefined,
    callbackName: "f",
    args: new Uint8Array([0x91, 0x01]),
    trigger,
    overlap: "skip",
    maxRuns: undefined,
    catchUpMs: 60_000,
    pauseAfterFailures: undefined,
  };
}

function interval(n: number): TaskSpec {
  return spec({ type: "interval", everyMs: HOUR_MS + n, startMs: 0 });
}

function fill(scheduler: Scheduler, makeSpec: (n: number) => TaskSpec): void {
  for (let n = 0; n < TASKS; n++) scheduler.create(makeSpec(n), "owner");
}

/** In MiB: objects, and all memory of the process, formatters of the runtime among them. */
function memory(): { heap: number; rss: number } {
  // Only with --v8-flags=--expose-gc; without it the numbers are too high rather than too low.
  (globalThis as { gc?: () => void }).gc?.();
  const { heapUsed, rss } = Deno.memoryUsage();
  return { heap: heapUsed / 1024 ** 2, rss: rss / 1024 ** 2 };
}

function report(what: string, makeSpec: (n: number) => TaskSpec): void {
  mostArmed = 0;
  const before = memory();
  const scheduler = makeScheduler();
  fill(scheduler, makeSpec);
  const after = memory();
  console.log(
    `${TASKS} tasks by ${what}: ${(after.heap - before.heap).toFixed(1)} MiB of objects, ` +
      `${(after.rss - before.rss).toFixed(1)} MiB in all, ${armed.size} timer armed, ` +
      `at most ${mostArmed} at a time`,
  );
  scheduler.close();
}

countTimers();
report("interval", interval);
report("atTime", (n) => spec({ type: "atTime", timesMs: [now + HOUR_MS + n] }));
report(
  "cron",
  (n) => spec({ type: "cron", expression: `${n % 60} ${n % 24} * * *`, timezone: "Europe/Berlin" }),
);

Deno.bench(`schedule ${TASKS} tasks`, (b) => {
  const scheduler = makeScheduler();
  b.start();
  fill(scheduler, interval);
  b.end();
  scheduler.close();
});

const full = makeScheduler();
fill(full, interval);

Deno.bench(`schedule and cancel one beside ${TASKS}`, () => {
  full.cancel(full.create(interval(0), "owner"));
});

Deno.bench(`list ${TASKS}`, () => {
  full.list();
});

Deno.bench(`run ${TASKS} that are due`, async (b) => {
  const scheduler = makeScheduler();
  fill(scheduler, interval);
  b.start();
  now += 2 * HOUR_MS;
  scheduler.callbacksChanged(); // looks at the clock at once
  await new Promise((resolve) => setTimeout(resolve, 0));
  b.end();
  scheduler.close();
});
