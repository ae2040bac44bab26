/**
 * Runs tasks when they are due: lists, cancels and keeps them.
 *
 * @module
 */

import { InitializationError, OverloadedError } from "../errors.ts";
import type { HeapItem } from "../internal/heap.ts";
import type { Logger } from "../internal/log.ts";
import { showError } from "../internal/show.ts";
import {
  infoOf,
  newRecord,
  type ScheduledTaskInfo,
  type TaskRecord,
  type TaskSpec,
  type TaskStatus,
} from "./task.ts";
import { SHOWN_ANEW_MS, WallClock } from "./wall_clock.ts";
import { Alarm } from "./alarm.ts";
import type { TaskStore } from "./task_store.ts";
import { type CompileCron, compileTrigger, dueBy, type NextDue } from "./trigger.ts";

/** Most tasks on one node. Stops callers from filling its memory. */
export const MAX_TASKS = 100_000;

/** When many tasks are due, other work has its turn after this time, and some of them. */
const MAX_TURN_MS = 10;
const MIN_FIRED = 8;

/** What the scheduler needs. */
export interface SchedulerOptions {
  /** Where tasks are kept. */
  readonly store: TaskStore;
  /** Whether the process offers a callback. */
  readonly offers: (callbackName: string) => boolean;
  /** Runs a task's callback; rejects with what it throws. */
  readonly run: (task: TaskRecord) => Promise<unknown>;
  /** Hears of each failed run. */
  readonly onFailure: (task: TaskRecord, error: unknown) => void;
  readonly logger: Logger;
  readonly compileCron: CompileCron;
  /** The wall clock, in epoch milliseconds. */
  readonly now?: () => number;
}

/** A task with what is known of it only while the process lives. */
interface LiveTask extends HeapItem {
  readonly record: TaskRecord;
  nextDue: NextDue;
  /** Runs under way. */
  running: number;
  /** Whether a run waits for the one before. */
  queued: boolean;
}

/** The tasks of one node: a heap of due times, and one timer for the earliest. */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #now: () => number;
  readonly #tasks = new Map<string, LiveTask>();
  readonly #alarm: Alarm<LiveTask>;
  readonly #clock: WallClock;
  #stopped = false;
  #closed = false;

  /**
   * Takes up the tasks in the store.
   *
   * @throws {InitializationError} when they cannot be read.
   */
  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => Date.now());
    this.#clock = new WallClock(this.#now);
    this.#alarm = new Alarm({
      timeOf: ({ record }) => record.nextMs!,
      onWake: () => this.#wake(),
      now: this.#now,
    });
    try {
      for (const record of options.store.load()) this.#takeUp(record);
    } catch (error) {
      options.store.close();
      throw error;
    }
    this.#alarm.set();
  }

  /**
   * Schedules a task. A `uuid` that is there already gives that task.
   *
   * @returns Its uuid.
   * @throws {InitializationError} when it would never run, or its uuid is another callback's.
   * @throws {OverloadedError} when there are {@linkcode MAX_TASKS}.
   */
  create(spec: TaskSpec, owner: string): string {
    this.#lookAtClock();
    const present = spec.uuid === undefined ? undefined : this.#tasks.get(spec.uuid);
    if (present !== undefined) {
      if (present.record.callbackName === spec.callbackName) return present.record.uuid;
      throw new InitializationError(
        `Cannot schedule: the task ${spec.uuid} is there already, for another callback`,
      );
    }
    if (this.#tasks.size >= MAX_TASKS) {
      throw new OverloadedError(
        `Cannot schedule: there are ${MAX_TASKS} tasks, which is the limit`,
      );
    }
    const record = newRecord(spec, owner, this.#now(), this.#options.compileCron);
    this.#options.store.save(record); // before it is acknowledged
    this.#adopt(record);
    this.#alarm.set();
    return record.uuid;
  }

  #takeUp(record: TaskRecord): void {
    // Killed in its last run, which is not repeated.
    if (record.nextMs === undefined) this.#options.store.remove(record.uuid);
    else this.#adopt(record);
  }

  #adopt(record: TaskRecord): void {
    const nextDue = compileTrigger(record.trigger, this.#options.compileCron);
    const task: LiveTask = { record, nextDue, running: 0, queued: false, heapIndex: -1 };
    this.#tasks.set(record.uuid, task);
    this.#place(task);
  }

  /** Into the heap if it has a time to wait for, out of it if not. */
  #place(task: LiveTask): void {
    const { record } = task;
    const waits = record.nextMs !== undefined && !record.paused &&
      this.#options.offers(record.callbackName);
    if (waits) this.#alarm.put(task);
    else this.#alarm.remove(task);
  }

  /** The uuids of all tasks. */
  list(): string[] {
    return [...this.#tasks.keys()];
  }

  /** What is known of all tasks. */
  describe(): ScheduledTaskInfo[] {
    return Array.from(this.#tasks.values(), (task) => infoOf(task.record, this.#statusOf(task)));
  }

  #statusOf({ record, running }: LiveTask): TaskStatus {
    if (running > 0) return "running";
    if (record.paused) return "paused";
    return this.#options.offers(record.callbackName) ? "scheduled" : "waiting";
  }

  /** Takes a task away; false if there is none. A run under way goes on. */
  cancel(uuid: string): boolean {
    const task = this.#tasks.get(uuid);
    if (task === undefined) return false;
    this.#options.store.remove(uuid); // before it is acknowledged
    this.#forget(task);
    this.#alarm.set();
    return true;
  }

  #forget(task: LiveTask): void {
    this.#tasks.delete(task.record.uuid);
    this.#alarm.remove(task);
    task.queued = false;
  }

  /** Lets a task rest; false if there is none, or it does already. */
  pause(uuid: string): boolean {
    const task = this.#tasks.get(uuid);
    if (task === undefined || task.record.paused) return false;
    this.#pause(task);
    this.#alarm.set();
    return true;
  }

  #pause(task: LiveTask): void {
    task.record.paused = true;
    task.queued = false;
    this.#keep(task);
    this.#place(task);
  }

  /** Lets a task go on from now; false if there is none, or it was not paused. */
  resume(uuid: string): boolean {
    const task = this.#tasks.get(uuid);
    if (task === undefined || !task.record.paused) return false;
    const { record } = task;
    const now = this.#lookAtClock();
    record.paused = false;
    record.failures = 0;
    // What was missed meanwhile is not made up for.
    if (record.nextMs !== undefined && record.nextMs <= now) record.nextMs = task.nextDue(now);
    this.#place(task);
    this.#settle(task);
    this.#alarm.set();
    return true;
  }

  /** Runs a task now, besides its schedule; false if there is none, or it cannot run now. */
  runNow(uuid: string): boolean {
    const task = this.#tasks.get(uuid);
    if (task === undefined || !this.#options.offers(task.record.callbackName)) return false;
    this.#lookAtClock();
    this.#begin(task);
    this.#alarm.set();
    return true;
  }

  /** Called when the process offers other callbacks than before. */
  callbacksChanged(): void {
    for (const task of this.#tasks.values()) this.#place(task);
    this.#alarm.set();
  }

  /** Starts nothing any more. Tasks in a durable store go on at the next start. */
  stop(): void {
    this.#stopped = true;
    this.#alarm.stop();
    for (const task of this.#tasks.values()) task.queued = false;
  }

  /** Frees the store, once the last run has finished. Idempotent. */
  close(): void {
    this.stop();
    this.#closed = true;
    this.#options.store.close();
  }

  #wake(): void {
    const now = this.#lookAtClock();
    const endAt = performance.now() + MAX_TURN_MS;
    for (let fired = 0; fired < MIN_FIRED || performance.now() < endAt; fired++) {
      const task = this.#alarm.due(now);
      if (task === undefined) break;
      this.#fire(task, now);
    }
    this.#alarm.set(); // at once, if something is due still
  }

  /** What the clock shows; called before anything is reckoned from it. */
  #lookAtClock(): number {
    const { nowMs, setBackMs } = this.#clock.look();
    if (setBackMs > 0) { for (const task of this.#tasks.values()) this.#setBack(task, setBackMs); }
    return nowMs;
  }

  /** An interval is a length of time whatever the clock shows; cron is what the clock shows. */
  #setBack(task: LiveTask, byMs: number): void {
    const { record } = task;
    const { trigger } = record;
    if (record.nextMs === undefined) return;
    if (trigger.type === "interval") {
      record.trigger = { ...trigger, startMs: trigger.startMs - byMs };
      record.nextMs -= byMs;
      task.nextDue = compileTrigger(record.trigger, this.#options.compileCron);
    } else if (trigger.type === "cron" && byMs >= SHOWN_ANEW_MS) {
      record.nextMs = task.nextDue(this.#now());
    }
    this.#place(task);
  }

  #fire(task: LiveTask, now: number): void {
    const { record } = task;
    const { run, skipped } = dueBy(
      record.trigger,
      task.nextDue,
      record.nextMs!,
      now,
      record.catchUpMs,
    );
    record.skipped += skipped;
    record.nextMs = task.nextDue(now);
    this.#place(task);
    if (run.length === 0) this.#settle(task);
    for (const _ of run) this.#begin(task);
  }

  /** Starts a run, unless something forbids it. */
  #begin(task: LiveTask): void {
    const { record } = task;
    if (this.#stopped || this.#tasks.get(record.uuid) !== task) return; // cancelled just now
    if (record.runs === record.maxRuns) return;
    if (task.running > 0 && record.overlap !== "allow") {
      if (record.overlap === "queue" && !task.queued) task.queued = true;
      else record.skipped++;
      return this.#settle(task);
    }
    record.runs++;
    record.lastRunMs = this.#now();
    if (record.runs === record.maxRuns) {
      record.nextMs = undefined;
      this.#place(task);
    }
    // Before it runs: a crash must not make it run twice. What cannot be recorded is not run.
    if (!this.#keep(task)) {
      record.runs--;
      record.skipped++;
      return this.#settle(task);
    }
    task.running++;
    this.#run(task);
  }

  async #run(task: LiveTask): Promise<void> {
    const { record } = task;
    try {
      await this.#options.run(record);
      record.failures = 0;
    } catch (error) {
      this.#failed(task, error);
    }
    task.running--;
    if (task.queued) {
      task.queued = false;
      this.#begin(task);
    } else this.#settle(task);
  }

  #failed(task: LiveTask, error: unknown): void {
    const { record } = task;
    record.failures++;
    record.lastError = showError(error);
    this.#options.logger.warn(
      `daffi: task ${record.uuid} of callback ${record.callbackName} failed: ${record.lastError}`,
    );
    if (!this.#tasks.has(record.uuid)) return;
    if (record.failures === record.pauseAfterFailures) this.#pause(task);
    this.#options.onFailure(record, error);
  }

  /** Keeps the state of a task between runs, or ends a task that has none before it. */
  #settle(task: LiveTask): void {
    if (!this.#tasks.has(task.record.uuid)) return;
    this.#keep(task);
    if (task.record.nextMs === undefined && task.running === 0) this.#forget(task);
  }

  /** Records a task's state; false, and it is told, if the store cannot. */
  #keep({ record }: LiveTask): boolean {
    if (this.#closed || !this.#tasks.has(record.uuid)) return !this.#closed;
    try {
      if (record.nextMs === undefined) this.#options.store.remove(record.uuid);
      else this.#options.store.save(record);
      return true;
    } catch (error) {
      this.#options.logger.error(`daffi: task ${record.uuid} cannot be recorded:`, error);
      return false;
    }
  }
}
