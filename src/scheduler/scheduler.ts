/**
 * The tasks of a node: schedules, lists, changes and cancels them, and has them run.
 *
 * @module
 */

import { InitializationError, OverloadedError } from "../errors.ts";
import { Agenda } from "./agenda.ts";
import { type LiveTask, liveTask, takeClockAsItIs, takeDue } from "./live_task.ts";
import {
  infoOf,
  isOver,
  newRecord,
  type ScheduledTaskInfo,
  type TaskRecord,
  type TaskSpec,
  type TaskStatus,
} from "./task.ts";
import { TaskKeeper } from "./task_keeper.ts";
import { TaskRunner, type TaskRunnerOptions } from "./task_runner.ts";
import type { SchedulerStore } from "./task_store.ts";
import type { CompileCron } from "./trigger.ts";

/** Most tasks on one node. Stops callers from filling its memory. */
export const MAX_TASKS = 100_000;

/** When many tasks are due, other work has its turn after this time, and some of them. */
const MAX_TURN_MS = 10;
const MIN_FIRED = 8;

/** What the scheduler needs. */
export interface SchedulerOptions extends TaskRunnerOptions {
  /** Where tasks are kept. */
  readonly store: SchedulerStore;
  readonly compileCron: CompileCron;
  /** The wall clock, in epoch milliseconds. */
  readonly now?: () => number;
}

/** Does what is asked of tasks, and has them run when they are due. */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #now: () => number;
  readonly #agenda: Agenda;
  readonly #keeper: TaskKeeper;
  readonly #runner: TaskRunner;

  /** Takes up the tasks in the store. @throws {InitializationError} when they cannot be read. */
  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => Date.now());
    this.#agenda = new Agenda({ ...options, now: this.#now, onWake: () => this.#wake() });
    this.#keeper = new TaskKeeper(options.store, options.logger);
    this.#runner = new TaskRunner(options, this.#agenda, this.#keeper, this.#now);
    try {
      for (const record of options.store.load()) this.#takeUp(record);
    } catch (error) {
      this.#keeper.close();
      throw error;
    }
    this.#agenda.set();
  }

  /**
   * Schedules a task. A `uuid` that is there already gives that task, also if it has just ended.
   *
   * @returns Its uuid.
   * @throws {InitializationError} when it would never run, or its uuid is another callback's.
   * @throws {OverloadedError} when there are {@linkcode MAX_TASKS}.
   */
  create(spec: TaskSpec, owner: string): string {
    const now = this.#agenda.lookAtClock();
    const { uuid = "" } = spec;
    const present = this.#agenda.tasks.get(uuid)?.record ?? this.#options.store.endedTask?.(uuid);
    if (present !== undefined) {
      if (present.callbackName === spec.callbackName) return uuid;
      throw new InitializationError(
        `Cannot schedule: the task ${uuid} is there already, for another callback`,
      );
    }
    if (this.#agenda.tasks.size >= MAX_TASKS) {
      throw new OverloadedError(
        `Cannot schedule: there are ${MAX_TASKS} tasks, which is the limit`,
      );
    }
    const record = newRecord(spec, owner, now, this.#options.compileCron);
    this.#keeper.record(record); // before it is acknowledged
    this.#agenda.add(liveTask(record, this.#options.compileCron));
    this.#agenda.set();
    return record.uuid;
  }

  #takeUp(record: TaskRecord): void {
    // Killed in its last run, which is not repeated.
    if (isOver(record)) this.#keeper.remove(record.uuid);
    else {
      const task = liveTask(record, this.#options.compileCron);
      takeClockAsItIs(task, this.#now(), this.#options.compileCron);
      this.#agenda.add(task);
    }
  }

  /** The uuids of all tasks. */
  list(): string[] {
    return this.#agenda.tasks.uuids();
  }

  /** What is known of all tasks. */
  describe(): ScheduledTaskInfo[] {
    return Array.from(
      this.#agenda.tasks.values(),
      (task) => infoOf(task.record, this.#statusOf(task)),
    );
  }

  #statusOf({ record, running }: LiveTask): TaskStatus {
    if (running > 0) return "running";
    if (record.paused) return "paused";
    return this.#options.offers(record.callbackName) ? "scheduled" : "waiting";
  }

  /** Takes a task away; false if there is none. A run under way goes on. */
  cancel(uuid: string): boolean {
    const task = this.#agenda.tasks.get(uuid);
    if (task === undefined) return false;
    this.#keeper.remove(uuid); // before it is acknowledged
    this.#agenda.remove(task);
    this.#agenda.set();
    return true;
  }

  /** Lets a task rest; false if there is none, or it does already. */
  pause(uuid: string): boolean {
    const task = this.#agenda.tasks.get(uuid);
    if (task === undefined || task.record.paused) return false;
    return this.#change(task, { paused: true, waitingMs: [] });
  }

  /** Lets a task go on from now; false if there is none, or it was not paused. */
  resume(uuid: string): boolean {
    const task = this.#agenda.tasks.get(uuid);
    if (task === undefined || !task.record.paused) return false;
    const { record } = task;
    const now = this.#agenda.lookAtClock();
    // What was missed meanwhile is not made up for.
    const nextMs = (record.nextMs ?? Infinity) <= now ? task.nextDue(now) : record.nextMs;
    return this.#change(task, { paused: false, failures: 0, nextMs });
  }

  #change(task: LiveTask, change: Partial<TaskRecord>): true {
    this.#keeper.change(task.record, change);
    this.#agenda.place(task);
    this.#runner.settle(task);
    this.#agenda.set();
    return true;
  }

  /** Runs a task now, besides its schedule; false if there is none, or it cannot run now. */
  run(uuid: string): boolean {
    const task = this.#agenda.tasks.get(uuid);
    if (task === undefined || !this.#options.offers(task.record.callbackName)) return false;
    if (task.record.runs === task.record.maxRuns) return false;
    this.#runner.begin(task, [this.#agenda.lookAtClock()]);
    this.#agenda.set();
    return true;
  }

  /** Called when the process offers other callbacks than before: these, or, if there are none, whichever. */
  callbacksChanged(names: readonly string[] = []): void {
    for (const task of this.#agenda.tasks.of(names)) this.#agenda.place(task);
    this.#agenda.set();
  }

  /** Starts nothing any more. Tasks in a durable store, and runs that wait, go on at the next start. */
  stop(): void {
    this.#runner.stop();
    this.#agenda.stop();
  }

  /** Frees the store, once the last run has finished. Idempotent. */
  close(): void {
    this.stop();
    for (const task of this.#agenda.tasks.values()) {
      if (isOver(task.record)) this.#runner.settle(task);
    }
    this.#keeper.close();
  }

  #wake(): void {
    const now = this.#agenda.lookAtClock();
    const endAt = performance.now() + MAX_TURN_MS;
    for (let fired = 0; fired < MIN_FIRED || performance.now() < endAt; fired++) {
      const task = this.#agenda.due(now);
      if (task === undefined) break;
      this.#fire(task, now);
    }
    this.#agenda.set(); // at once, if something is due still
  }

  #fire(task: LiveTask, now: number): void {
    const due = takeDue(task, now);
    this.#agenda.place(task);
    this.#runner.begin(task, due);
  }
}
