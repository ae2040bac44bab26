/**
 * Runs of tasks: begins them, records that before, and hears how they end.
 *
 * @module
 */

import type { Logger } from "../internal/log.ts";
import { showError } from "../internal/show.ts";
import type { Agenda } from "./agenda.ts";
import { isFree, type LiveTask } from "./live_task.ts";
import { isOver, type TaskRecord } from "./task.ts";
import type { TaskKeeper } from "./task_keeper.ts";

/** What running tasks needs. */
export interface TaskRunnerOptions {
  /** Whether the process offers a callback. */
  readonly offers: (callbackName: string) => boolean;
  /** Runs a task's callback; resolves when that has ended, rejects or calls `fail` before with what it throws. */
  readonly run: (task: TaskRecord, fail: (error: unknown) => void) => Promise<unknown>;
  /** Hears of each failed run. */
  readonly onFailure: (task: TaskRecord, error: unknown) => void;
  readonly logger: Logger;
}

/** Runs what is due, as far as `overlap` lets it. */
export class TaskRunner {
  readonly #options: TaskRunnerOptions;
  readonly #agenda: Agenda;
  readonly #keeper: TaskKeeper;
  readonly #now: () => number;
  #stopped = false;

  /**
   * @param options What it needs of its process.
   * @param agenda Where tasks are found again when they have changed.
   * @param keeper Records what becomes of them.
   * @param now The wall clock, in epoch milliseconds.
   */
  constructor(options: TaskRunnerOptions, agenda: Agenda, keeper: TaskKeeper, now: () => number) {
    this.#options = options;
    this.#agenda = agenda;
    this.#keeper = keeper;
    this.#now = now;
  }

  /** Begins nothing any more; what runs goes on. */
  stop(): void {
    this.#stopped = true;
  }

  /** Has what has become due at once wait for its turn, as far as `overlap` lets it. */
  begin(task: LiveTask, due: readonly number[]): void {
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
    if (!begun) this.settle(task);
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
    this.#agenda.place(task);
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
    const isHere = this.#agenda.has(task);
    if (isHere && record.failures === record.pauseAfterFailures) {
      Object.assign(record, { paused: true, waitingMs: [] });
      this.#agenda.place(task);
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
  settle(task: LiveTask): void {
    if (!this.#agenda.has(task)) return;
    // What the store still has would come back at the next start: it stays in sight.
    if (!this.#keeper.tryRecord(task.record)) return;
    if (isOver(task.record) && task.running === 0) this.#agenda.remove(task);
  }
}
