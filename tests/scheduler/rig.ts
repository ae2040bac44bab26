/**
 * A scheduler whose clock and runs are in a test's hands.
 *
 * @module
 */

import { compileCron } from "../../src/scheduler/cron.ts";
import { RememberingTaskStore } from "../../src/scheduler/remembering_task_store.ts";
import { Scheduler } from "../../src/scheduler/scheduler.ts";
import type { ScheduledTaskInfo, TaskRecord, TaskSpec } from "../../src/scheduler/task.ts";
import { MemoryTaskStore, type TaskStore } from "../../src/scheduler/task_store.ts";
import type { Trigger } from "../../src/scheduler/trigger.ts";
import { FakeTime } from "../helpers/fake_time.ts";
import { RecordingLogger } from "../helpers/recording_logger.ts";

/** When a rig's time begins. */
export const START = Date.UTC(2026, 0, 1);

/** A trigger of this length. */
export function interval(everyMs: number): Trigger {
  return { type: "interval", everyMs, startMs: 0 };
}

/** A trigger of these times, as milliseconds after {@linkcode START}. */
export function atTime(...offsets: number[]): Trigger {
  return { type: "atTime", timesMs: offsets.map((offset) => START + offset) };
}

/** A trigger by the clock of UTC. */
export function cron(expression: string): Trigger {
  return { type: "cron", expression, timezone: "UTC" };
}

/** What a caller asks for, as much of it as a test does not care about filled in. */
export function spec(trigger: Trigger, fields: Partial<TaskSpec> = {}): TaskSpec {
  return {
    uuid: undefined,
    callbackName: "f",
    args: new Uint8Array([0x90]),
    trigger,
    overlap: "skip",
    maxRuns: undefined,
    catchUpMs: 60_000,
    pauseAfterFailures: undefined,
    ...fields,
  };
}

/** A UUID for each number. */
export function uuid(n: number): string {
  return `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
}

/** A run that began. */
export interface Run {
  readonly uuid: string;
  /** What the clock showed, after {@linkcode START}. */
  readonly at: number;
  readonly end: () => void;
  /** It throws, which is its end. */
  readonly fail: (error: unknown) => void;
  /** It is given up, but goes on until its end. */
  readonly giveUp: (error: unknown) => void;
}

/** A scheduler in fake time. */
export class Rig implements Disposable {
  readonly time: FakeTime;
  readonly logger = new RecordingLogger();
  readonly store: TaskStore;
  /** All runs that began. */
  readonly runs: Run[] = [];
  /** What the owners heard: owner and text. */
  readonly failures: [owner: string, lastError: string | undefined][] = [];
  /** The callbacks that the process offers. */
  readonly offered = new Set(["f"]);
  /** What a run does when it begins; by itself it ends at once. */
  onRun: (run: Run, task: TaskRecord) => void = (run) => run.end();
  scheduler: Scheduler;
  #clockError = 0;

  /** @param store Where its tasks are. */
  constructor(store: TaskStore = new MemoryTaskStore()) {
    this.store = store;
    this.time = new FakeTime(START);
    try {
      this.scheduler = this.#start();
    } catch (error) {
      this.time.restore();
      throw error;
    }
  }

  #start(): Scheduler {
    const now = () => this.time.now + this.#clockError;
    return new Scheduler({
      store: new RememberingTaskStore(this.store, now),
      logger: this.logger,
      compileCron,
      offers: (name) => this.offered.has(name),
      now,
      onFailure: ({ owner, lastError }) => this.failures.push([owner, lastError]),
      run: (task, giveUp) =>
        new Promise((resolve, reject) => {
          const { uuid } = task;
          const end = () => resolve(undefined);
          const run = { uuid, at: this.clock, end, fail: reject, giveUp };
          this.runs.push(run);
          this.onRun(run, task);
        }),
    });
  }

  /** What the clock shows, after {@linkcode START}. */
  get clock(): number {
    return this.time.now + this.#clockError - START;
  }

  /** When runs began, after {@linkcode START}. */
  get ranAt(): number[] {
    return this.runs.map(({ at }) => at);
  }

  /** Lets time pass. */
  async pass(ms: number): Promise<void> {
    await this.time.tickAsync(ms);
  }

  /** Sets the clock, forward or back, while no time passes. */
  setClock(byMs: number): void {
    this.#clockError += byMs;
  }

  /** Ends the process without a word, and starts another one with the same store. */
  restart(): void {
    this.scheduler.stop();
    this.scheduler = this.#start();
  }

  /** Schedules a task for the owner `owner`. */
  create(trigger: Trigger, fields: Partial<TaskSpec> = {}): string {
    return this.scheduler.create(spec(trigger, fields), "owner");
  }

  /** What is told of a task. */
  info(uuid: string): ScheduledTaskInfo | undefined {
    return this.scheduler.describe().find((task) => task.uuid === uuid);
  }

  [Symbol.dispose](): void {
    this.scheduler.close();
    this.time.restore();
  }
}
