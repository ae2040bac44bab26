/**
 * What every task store does.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { TaskRecord } from "../../src/scheduler/task.ts";
import type { TaskStore } from "../../src/scheduler/task_store.ts";
import { atTime, cron, interval, spec, uuid } from "./rig.ts";

/** A task as it is kept, as much of it as a test does not care about filled in. */
export function record(n: number, fields: Partial<TaskRecord> = {}): TaskRecord {
  return {
    ...spec({ type: "interval", everyMs: 1500.25, startMs: 1_700_000_000_123 }),
    uuid: uuid(n),
    uuidGiven: false,
    owner: "owner",
    createdMs: 1_700_000_000_000,
    nextMs: 1_700_000_001_000,
    waitingMs: [],
    lastRunMs: undefined,
    runs: 0,
    skipped: 0,
    failures: 0,
    lastError: undefined,
    paused: false,
    ...fields,
  };
}

/** Every field with something in it. */
const FULL = record(1, {
  uuidGiven: true,
  callbackName: "ümläut 日本",
  args: crypto.getRandomValues(new Uint8Array(10_000)),
  overlap: "queue",
  maxRuns: 7,
  catchUpMs: 0.5,
  pauseAfterFailures: 3,
  owner: 'a "quoted" \\ name',
  waitingMs: [1_700_000_000_600, 1_700_000_000_700.25],
  lastRunMs: 1_700_000_000_500.5,
  runs: 5,
  skipped: 4,
  failures: 2,
  lastError: "Error: line\nbreak \0 👩‍👩‍👧",
  paused: true,
});

function byUuid(records: TaskRecord[]): TaskRecord[] {
  return records.sort((a, b) => a.uuid < b.uuid ? -1 : 1);
}

/**
 * Runs the tests.
 *
 * @param name What is tested.
 * @param open Gives a store without tasks.
 */
export function testTaskStore(name: string, open: () => TaskStore): void {
  const test = (what: string, fn: (store: TaskStore) => void | Promise<void>) =>
    Deno.test(`${name} ${what}`, async () => {
      const store = open();
      try {
        await fn(store);
      } finally {
        store.close();
      }
    });

  test("is empty at first", (store) => {
    assertEquals(store.load(), []);
  });

  test("gives back every field of what it was given", (store) => {
    const others = [record(2), record(3, { trigger: atTime(1, 2.5, 1e12) })];
    const last = record(4, { trigger: cron("*/5 * * * 1-5"), args: new Uint8Array(0) });
    for (const task of [FULL, ...others, last]) store.save(task);
    assertEquals(byUuid(store.load()), [FULL, ...others, last]);
  });

  test("keeps the latest state of a task", (store) => {
    store.save(record(1));
    const latest = record(1, { runs: 1, nextMs: undefined, waitingMs: [1], lastError: "x" });
    store.save(latest);
    assertEquals(store.load(), [latest]);
  });

  test("keeps the arguments of a task that takes the place of one that was not removed", (store) => {
    store.save(record(1));
    const anew = record(1, { args: new Uint8Array([0x91, 7]), callbackName: "h" });
    store.save(anew);
    assertEquals(store.load(), [anew]);
  });

  test("does not change with what it was given or has given", (store) => {
    const task = record(1);
    store.save(task);
    task.runs = 99;
    assertEquals(store.load(), [record(1)]);
    store.load()[0]!.runs = 99;
    assertEquals(store.load(), [record(1)]);
  });

  test("removes what it is asked to, and nothing else", (store) => {
    store.save(record(1));
    store.save(record(2));
    store.remove(uuid(1));
    store.remove(uuid(1));
    store.remove(uuid(3));
    assertEquals(store.load(), [record(2)]);
  });

  test("can be closed more than once", (store) => {
    store.close();
    store.close();
  });

  test("does what a map does", (store) => {
    const present = new Map<string, TaskRecord>();
    const step = fc.record({ n: fc.nat(5), runs: fc.nat(), removes: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        for (const { n, runs, removes } of steps) {
          const task = record(n, { runs, trigger: interval(1 + n) });
          if (removes) {
            store.remove(task.uuid);
            present.delete(task.uuid);
          } else {
            store.save(task);
            present.set(task.uuid, task);
          }
        }
        assertEquals(byUuid(store.load()), byUuid([...present.values()]));
      }),
      { numRuns: 20 },
    );
  });
}
