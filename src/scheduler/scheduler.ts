/**
 * Runs tasks when they are due: lists, cancels and keeps them.
 *
 * @module
 */

import { InitializationError, OverloadedError } from "../errors.ts";
import type { Logger } from "../internal/log.ts";
import { showError } from "../internal/show.ts";
import {
  infoOf,
  isOver,
  newRecord,
  type ScheduledTaskInfo,
  type TaskRecord,
  type TaskSpec,
  type TaskStatus,
} from "./task.ts";
import { WallClock } from "./wall_clock.ts";
import { Alarm } from "./alarm.ts";
import {
  dueOf,
  isFree,
  type LiveTask,
  liveTask,
  setBack,
  takeClockAsItIs,
  takeDue,
} from "./live_task.ts";
import { LiveTasks } from "./live_tasks.ts";
import { TaskKeeper } from "./task_keeper.ts";
import type { SchedulerStore } from "./task_store.ts";
import type { CompileCron } from "./trigger.ts";

/** Most tasks on one node. Stops callers from filling its memory. */
export const MAX_TASKS = 100_000;

/** When many tasks are due, other work has its turn after this time, and some of them. */
const MAX_TURN_MS = 10;
const MIN_FIRED = 8;

/** What the scheduler needs. */
export interface SchedulerOptions {
  /** Where tasks are kept. */
  readonly store: SchedulerStore;
  /** Whether the process offers a callback. */
  readonly offers: (callbackName: string) => boolean;
  /** Runs a task's callback; resolves when that has ended, rejects or calls `fail` before with what it throws. */
  readonly run: (task: TaskRecord, fail: (error: unknown) => void) => Promise<unknown>;
  /** Hears of each failed run. */
  readonly onFailure: (task: TaskRecord, error: unknown) => void;
  readonly logger: Logger;
  readonly compileCron: CompileCron;
  /** The wall clock, in epoch milliseconds. */
  readonly now?: () => number;
}

/** The tasks of one node: a heap of due times, and one timer for the earliest. */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #now: () => number;
  readonly #tasks = new LiveTasks();
  readonly #alarm: Alarm<LiveTask>;
  readonly #clock: WallClock;
  readonly #keeper: TaskKeeper;
  #stopped = false;

  /** Takes up the tasks in the store. @throws {InitializationError} when they cannot be read. */
  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => Date.now());
    this.#clock = new WallClock(this.#now);
    this.#keeper = new TaskKeeper(options.store, options.logger);
    this.#alarm = new Alarm({
      timeOf: dueOf,
      onWake: () => this.#wake(),
      now: this.#now,
    });
    try {
      for (const record of options.store.load()) this.#takeUp(record);
    } catch (error) {
      this.#keeper.close();
      throw error;
    }
    this.#alarm.set();
  }

  /**
   * Schedules a task. A `uuid` that is there already gives that task, also if it has just ended.
   *
   * @returns Its uuid.
   * @throws {InitializationError} when it would never run, or its uuid is another callback's.
   * @throws {OverloadedError} when there are {@linkcode MAX_TASKS}.
   */
  create(spec: TaskSpec, owner: string): string {
    const now = this.#lookAtClock();
    const { uuid = "" } = spec;
    const present = this.#tasks.get(uuid)?.record ?? this.#options.store.endedTask?.(uuid);
    if (present !== undefined) {
      if (present.callbackName === spec.callbackName) return uuid;
      throw new InitializationError(
        `Cannot schedule: the task ${uuid} is there already, for another callback`,
      );
    }
    if (this.#tasks.size >= MAX_TASKS) {
      throw new OverloadedError(
        `Cannot schedule: there are ${MAX_TASKS} tasks, which is the limit`,
      );
    }
    const record = newRecord(spec, owner, now, this.#options.compileCron);
    this.#keeper.record(record); // before it is acknowledged
    this.#adopt(liveTask(record, this.#options.compileCron));
    this.#alarm.set();
    return record.uuid;
  }

  #takeUp(record: TaskRecord): void {
    // Killed in its last run, which is not repeated.
    if (isOver(record)) this.#keeper.remove(record.uuid);
    else {
      const task = liveTask(record, this.#options.compileCron);
      takeClockAsItIs(task, this.#now(), this.#options.compileCron);
      this.#adopt(task);
    }
  }

  #adopt(task: LiveTask): void {
    this.#tasks.add(task);
    this.#place(task);
  }

  /** Into the heap if it has a time to wait for, out of it if not. */
  #place(task: LiveTask): void {
    const { paused, callbackName } = task.record;
    if (dueOf(task) < Infinity && !paused && this.#options.offers(callbackName)) {
      this.#alarm.put(task);
    } else this.#alarm.remove(task);
  }

  /** The uuids of all tasks. */
  list(): string[] {
    return this.#tasks.uuids();
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
    this.#keeper.remove(uuid); // before it is acknowledged
    this.#forget(task);
    this.#alarm.set();
    return true;
  }

  #forget(task: LiveTask): void {
    this.#tasks.remove(task);
    this.#alarm.remove(task);
    task.record.waitingMs = [];
  }

  /** Lets a task rest; false if there is none, or it does already. */
  pause(uuid: string): boolean {
    const task = this.#tasks.get(uuid);
    if (task === undefined || task.record.paused) return false;
    return this.#change(task, { paused: true, waitingMs: [] });
  }

  /** Lets a task go on from now; false if there is none, or it was not paused. */
  resume(uuid: string): boolean {
    const task = this.#tasks.get(uuid);
    if (task === undefined || !task.record.paused) return false;
    const { record } = task;
    const now = this.#lookAtClock();
    // What was missed meanwhile is not made up for.
    const nextMs = (record.nextMs ?? Infinity) <= now ? task.nextDue(now) : record.nextMs;
    return this.#change(task, { paused: false, failures: 0, nextMs });
  }

  #change(task: LiveTask, change: Partial<TaskRecord>): true {
    this.#keeper.change(task.record, change);
    this.#place(task);
    this.#settle(task);
    this.#alarm.set();
    return true;
  }

  /** Runs a task now, besides its schedule; false if there is none, or it cannot run now. */
  run(uuid: string): boolean {
    const task = this.#tasks.get(uuid);
    if (task === undefined || !this.#options.offers(task.record.callbackName)) return false;
    if (task.record.runs === task.record.maxRuns) return false;
    this.#begin(task, [this.#lookAtClock()]);
    this.#alarm.set();
    return true;
  }

  /** Called when the process offers other callbacks than before: these, or, if there are none, whichever. */
  callbacksChanged(names: readonly string[] = []): void {
    for (const task of this.#tasks.of(names)) this.#place(task);
    this.#alarm.set();
  }

  /** Starts nothing any more. Tasks in a durable store, and runs that wait, go on at the next start. */
  stop(): void {
    this.#stopped = true;
    this.#alarm.stop();
  }

  /** Frees the store, once the last run has finished. Idempotent. */
  close(): void {
    this.stop();
    for (const task of this.#tasks.values()) if (isOver(task.record)) this.#settle(task);
    this.#keeper.close();
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
    if (setBackMs === 0) return nowMs;
    for (const task of this.#tasks.values()) {
      setBack(task, setBackMs, nowMs, this.#options.compileCron);
      this.#place(task);
    }
    return nowMs;
  }

  #fire(task: LiveTask, now: number): void {
    const due = takeDue(task, now);
    this.#place(task);
    this.#begin(task, due);
  }

  /** Has what has become due at once wait for its turn, as far as `overlap` lets it. */
  #begin(task: LiveTask, due: readonly number[]): void {
    const { record, running } = task;
    const { overlap, waitingMs } = record;
    const others = overlap === "skip" ? running + waitingMs.length : waitingMs.length;
    if (overlap !== "allow" && others > 0) record.skipped += due.length;
    else record.waitingMs = [...waitingMs, ...due];
    this.#goOn(task);
  }

  /** Starts what waits, unless something keeps it waiting. */
  #goOn(task: LiveTask): void {
    const { record } = task;
    let begun = false;
    while (
      record.waitingMs.length > 0 && isFree(task) && !this.#stopped &&
      this.#options.offers(record.callbackName)
    ) begun = this.#start(task) || begun;
    if (!begun) this.#settle(task);
  }

  /** Starts the run that has waited longest, and tells whether it could be recorded. */
  #start(task: LiveTask): boolean {
    const { record } = task;
    const runs = record.runs + 1;
    const others = record.waitingMs.slice(1);
    // Before it runs: a crash must not make it run twice. What cannot be recorded is not run.
    const begins = this.#keeper.tryRecord(record, {
      runs,
      lastRunMs: this.#now(),
      ...(runs === record.maxRuns ? { nextMs: undefined, waitingMs: [] } : { waitingMs: others }),
    });
    if (begins) task.running++;
    else {
      record.skipped++;
      record.waitingMs = others;
    }
    this.#place(task);
    if (begins) this.#run(task);
    return begins;
  }

  async #run(task: LiveTask): Promise<void> {
    const { record } = task;
    let failed = false;
    const fail = (error: unknown) => {
      failed = true;
      // What a stop puts an end to has not failed.
      if (!this.#stopped) this.#failed(task, error);
    };
    try {
      await this.#options.run(record, fail);
      if (!failed) record.failures = 0;
    } catch (error) {
      fail(error);
    }
    task.running--;
    this.#goOn(task);
  }

  #failed(task: LiveTask, error: unknown): void {
    const { record } = task;
    const { uuid, callbackName } = record;
    const { logger, onFailure } = this.#options;
    record.failures++;
    record.lastError = showError(error);
    const isHere = this.#isHere(task);
    if (isHere && record.failures === record.pauseAfterFailures) {
      Object.assign(record, { paused: true, waitingMs: [] });
      this.#place(task);
    }
    try {
      logger.warn(
        `daffi: a task has failed: ${uuid} of callback ${callbackName}: ${record.lastError}`,
      );
      if (isHere) onFailure(record, error);
    } catch {
      // Nobody waits for a run: what is thrown here would end the process.
    }
  }

  /** Keeps the state of a task between runs, or ends a task that has none before it. */
  #settle(task: LiveTask): void {
    if (!this.#isHere(task)) return;
    // What the store still has would come back at the next start: it stays in sight.
    if (!this.#keeper.tryRecord(task.record)) return;
    if (isOver(task.record) && task.running === 0) this.#forget(task);
  }

  /** Whether a task was neither cancelled nor has ended. */
  #isHere(task: LiveTask): boolean {
    return this.#tasks.get(task.record.uuid) === task;
  }
}
