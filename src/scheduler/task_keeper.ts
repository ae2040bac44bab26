/**
 * Keeps what becomes of tasks.
 *
 * @module
 */

import type { Logger } from "../internal/log.ts";
import { isOver, type TaskRecord } from "./task.ts";
import type { SchedulerStore } from "./task_store.ts";

/** Writes records to a store, and tells when it cannot. */
export class TaskKeeper {
  readonly #store: SchedulerStore;
  readonly #logger: Logger;
  /** Each record as it was last recorded: a run that ends as the one before has changed nothing. */
  readonly #kept = new WeakMap<TaskRecord, TaskRecord>();
  #closed = false;

  /**
   * @param store Where tasks are kept.
   * @param logger Hears of what cannot be recorded while nobody waits for it.
   */
  constructor(store: SchedulerStore, logger: Logger) {
    this.#store = store;
    this.#logger = logger;
  }

  /** Records a task that is new or has changed, or that one has nothing left to begin. */
  record(record: TaskRecord): void {
    if (isSame(record, this.#kept.get(record))) return;
    if (isOver(record)) this.#store.remove(record.uuid, record);
    else this.#store.save(record);
    this.#kept.set(record, { ...record });
  }

  /** Changes a task and records it; what the store refuses has not changed. */
  change(record: TaskRecord, change: Partial<TaskRecord>): void {
    const before = { ...record };
    try {
      this.record(Object.assign(record, change));
    } catch (error) {
      Object.assign(record, before);
      throw error;
    }
  }

  /** Like {@linkcode change}, and tells whether it could. */
  tryRecord(record: TaskRecord, change: Partial<TaskRecord> = {}): boolean {
    if (this.#closed) return false;
    try {
      this.change(record, change);
      return true;
    } catch (error) {
      this.#logger.error(`daffi: a task cannot be recorded: ${record.uuid}:`, error);
      return false;
    }
  }

  /** Keeps a task no longer. */
  remove(uuid: string): void {
    this.#store.remove(uuid);
  }

  /** Frees the store; nothing is recorded any more. */
  close(): void {
    this.#closed = true;
    this.#store.close();
  }
}

function isSame(record: TaskRecord, kept: TaskRecord | undefined): boolean {
  if (kept === undefined) return false;
  const { waitingMs, ...others } = record;
  return Object.entries(others).every(([name, value]) =>
    kept[name as keyof TaskRecord] === value
  ) &&
    waitingMs.length === kept.waitingMs.length &&
    waitingMs.every((dueMs, i) => dueMs === kept.waitingMs[i]);
}
