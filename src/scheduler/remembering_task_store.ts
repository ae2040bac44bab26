/**
 * Remembers which tasks have ended, for those that may be asked for again.
 *
 * @module
 */

import { Heap, type HeapItem } from "../internal/heap.ts";
import { isOver, type TaskRecord } from "./task.ts";
import type { SchedulerStore, TaskStore } from "./task_store.ts";
import { oldestToRun } from "./trigger.ts";

/** Most ended tasks that are remembered. Stops callers from filling memory with tasks that end. */
export const MAX_ENDED_TASKS = 100_000;

/** When something is remembered, so many are looked at that may be forgotten: each is a write. */
const MAX_FORGOTTEN = 2;

/** A task that has ended. */
interface EndedTask extends HeapItem {
  readonly record: TaskRecord;
  /** Until then it is told from a new one. */
  readonly untilMs: number;
}

/**
 * A task store that also keeps, of tasks with a UUID from who asked for them, that they have ended: until none of
 * their times could run any more. What a process before this one has left there to be forgotten goes little by
 * little, when others end.
 */
export class RememberingTaskStore implements SchedulerStore {
  readonly #store: TaskStore;
  readonly #now: () => number;
  /** In the order in which they have ended. */
  readonly #byUuid = new Map<string, EndedTask>();
  readonly #byTime = new Heap<EndedTask>((a, b) => a.untilMs < b.untilMs);

  /**
   * @param store Where tasks are kept, ended ones included.
   * @param now The wall clock, in epoch milliseconds.
   */
  constructor(store: TaskStore, now: () => number = () => Date.now()) {
    this.#store = store;
    this.#now = now;
  }

  /** The tasks that have not ended. @throws {InitializationError} when what is stored cannot be read. */
  load(): TaskRecord[] {
    const records = this.#store.load().map((record) => ({ ...record })); // the store's own may be frozen
    for (const record of records.filter(isOver)) this.#remember(record);
    return records.filter((record) => !isOver(record));
  }

  /** See {@linkcode TaskStore.save}. */
  save(task: TaskRecord): void {
    this.#store.save(task);
    this.#drop(task.uuid);
  }

  /** See {@linkcode SchedulerStore.remove}. */
  remove(uuid: string, ended?: TaskRecord): void {
    if (ended?.uuidGiven !== true) {
      this.#store.remove(uuid);
      return this.#drop(uuid);
    }
    const record = endOf(ended);
    this.#store.save(record);
    this.#drop(uuid);
    this.#remember(record);
    for (let n = 0; n < MAX_FORGOTTEN; n++) this.#forgetOne();
  }

  /** See {@linkcode TaskStore.close}. */
  close(): void {
    this.#store.close();
  }

  /** See {@linkcode SchedulerStore.endedTask}. */
  endedTask(uuid: string): TaskRecord | undefined {
    const ended = this.#byUuid.get(uuid);
    return ended !== undefined && ended.untilMs >= this.#now() ? ended.record : undefined;
  }

  #remember(record: TaskRecord): void {
    const ended = { record, untilMs: untilOf(record), heapIndex: -1 };
    this.#byUuid.set(record.uuid, ended);
    this.#byTime.put(ended);
  }

  #drop(uuid: string): void {
    const ended = this.#byUuid.get(uuid);
    if (ended === undefined) return;
    this.#byUuid.delete(uuid);
    this.#byTime.remove(ended);
  }

  #forgetOne(): void {
    const { top } = this.#byTime;
    if (top === undefined) return;
    let { uuid } = top.record;
    if (top.untilMs >= this.#now()) {
      if (this.#byUuid.size <= MAX_ENDED_TASKS) return;
      // Not those whose time is over first: tasks of many years would keep all others out.
      uuid = this.#byUuid.keys().next().value!;
    }
    this.#drop(uuid);
    try {
      this.#store.remove(uuid);
    } catch {
      // What was to be recorded is. The next process finds this one, and forgets it anew.
    }
  }
}

/** What is kept of a task that has ended: neither its arguments nor all of its times. */
function endOf(record: TaskRecord): TaskRecord {
  const { trigger } = record;
  return {
    ...record,
    args: new Uint8Array(0),
    trigger: trigger.type === "atTime"
      ? { ...trigger, timesMs: trigger.timesMs.slice(-1) }
      : trigger,
  };
}

/** Until when a task that has ended, asked for once more, would have something to run. */
function untilOf({ trigger, lastRunMs = 0, catchUpMs }: TaskRecord): number {
  const lastMs = trigger.type === "atTime" ? trigger.timesMs.at(-1)! : lastRunMs;
  return Math.max(lastMs, lastRunMs) - oldestToRun(0, catchUpMs);
}
