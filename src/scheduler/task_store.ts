/**
 * Where tasks are kept.
 *
 * @module
 */

import type { TaskRecord } from "./task.ts";

/**
 * Keeps the tasks of one node. What a method has returned from is kept, whatever happens to the
 * process after it.
 */
export interface TaskStore {
  /** All tasks. @throws {InitializationError} when what is stored cannot be read. */
  load(): TaskRecord[];
  /**
   * Keeps a new task, or the present state of one that is kept already. A task may have ended: `nextMs` is
   * `undefined` and nothing waits. It is kept on for a while, so that its UUID is known.
   *
   * @param task The task. It is the scheduler's own, which changes it afterwards: keep a copy.
   * @throws When it cannot be kept. A new task is then refused, and pausing or resuming one, by an error with code
   * `TASK`; a run is left out and counted as skipped. What is told after a run goes on in memory, and the error is logged.
   */
  save(task: TaskRecord): void;
  /** Keeps a task no longer. Does nothing if it is not there. */
  remove(uuid: string): void;
  /** Frees the file. Idempotent. */
  close(): void;
}

/** A task store that may remember which tasks have ended. */
export interface SchedulerStore extends TaskStore {
  /**
   * Keeps a task no longer, or only that it has ended.
   *
   * @param ended The task, if it has nothing left to begin; otherwise it was cancelled.
   */
  remove(uuid: string, ended?: TaskRecord): void;
  /** The task of this UUID, if it has ended and might run once more if it were scheduled anew. */
  endedTask?(uuid: string): TaskRecord | undefined;
}

/** Keeps tasks as long as the process lives. */
export class MemoryTaskStore implements TaskStore {
  #records = new Map<string, TaskRecord>();

  /** See {@linkcode TaskStore.load}. */
  load(): TaskRecord[] {
    return Array.from(this.#records.values(), (record) => ({ ...record }));
  }

  /** See {@linkcode TaskStore.save}. */
  save(task: TaskRecord): void {
    this.#records.set(task.uuid, { ...task });
  }

  /** See {@linkcode TaskStore.remove}. */
  remove(uuid: string): void {
    this.#records.delete(uuid);
  }

  /** See {@linkcode TaskStore.close}. */
  close(): void {}
}
