/**
 * When there is something to do for which task.
 *
 * @module
 */

import { Alarm } from "./alarm.ts";
import { dueOf, type LiveTask, setBack } from "./live_task.ts";
import { LiveTasks } from "./live_tasks.ts";
import type { CompileCron } from "./trigger.ts";
import { WallClock } from "./wall_clock.ts";

/** What an agenda needs. */
export interface AgendaOptions {
  /** Whether the process offers a callback. */
  readonly offers: (callbackName: string) => boolean;
  readonly compileCron: CompileCron;
  /** Called when something is due, and now and then before. */
  readonly onWake: () => void;
  /** The wall clock, in epoch milliseconds. */
  readonly now: () => number;
}

/** The tasks of this process, a heap of their due times, and one timer for the earliest. */
export class Agenda {
  /** All tasks; they come and go by the methods of the agenda. */
  readonly tasks: LiveTasks = new LiveTasks();
  readonly #options: AgendaOptions;
  readonly #alarm: Alarm<LiveTask>;
  readonly #clock: WallClock;

  /** @param options What it needs. */
  constructor(options: AgendaOptions) {
    const { now, onWake } = options;
    this.#options = options;
    this.#clock = new WallClock(now);
    this.#alarm = new Alarm({ timeOf: dueOf, onWake, now });
  }

  /** Adds a task. */
  add(task: LiveTask): void {
    this.tasks.add(task);
    this.place(task);
  }

  /** Takes a task out: what waits of it does not begin any more. */
  remove(task: LiveTask): void {
    this.tasks.remove(task);
    this.#alarm.remove(task);
    task.record.waitingMs = [];
  }

  /** Whether a task was neither cancelled nor has ended. */
  has(task: LiveTask): boolean {
    return this.tasks.get(task.record.uuid) === task;
  }

  /** Puts a task that has changed into the heap if it has a time to wait for, and takes it out if not. */
  place(task: LiveTask): void {
    const { paused, callbackName } = task.record;
    if (dueOf(task) < Infinity && !paused && this.#options.offers(callbackName)) {
      this.#alarm.put(task);
    } else this.#alarm.remove(task);
  }

  /** Sets the timer. Called after tasks have changed. */
  set(): void {
    this.#alarm.set();
  }

  /** What the clock shows; called before anything is reckoned from it. */
  lookAtClock(): number {
    const { nowMs, setBackMs } = this.#clock.look();
    if (setBackMs === 0) return nowMs;
    for (const task of this.tasks.values()) {
      setBack(task, setBackMs, nowMs, this.#options.compileCron);
      this.place(task);
    }
    return nowMs;
  }

  /** The first task that is due by then; none once it is stopped. */
  due(nowMs: number): LiveTask | undefined {
    return this.#alarm.due(nowMs);
  }

  /** Wakes up no more. */
  stop(): void {
    this.#alarm.stop();
  }
}
