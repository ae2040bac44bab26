/**
 * What a task should do, in the plainest way: every due time is listed, and looked at one by one.
 *
 * @module
 */

import type { Overlap } from "../../src/scheduler/task.ts";
import type { Trigger } from "../../src/scheduler/trigger.ts";

/** A task as a model has it. */
export interface ModelOptions {
  readonly trigger: Trigger;
  readonly overlap: Overlap;
  readonly maxRuns: number | undefined;
  readonly catchUpMs: number;
  /** How long each run takes, in turn. */
  readonly durations: readonly number[];
}

/** Due times are listed so far ahead. */
const HORIZON_MS = 20 * 3_600_000;

/** One task. Times are what the clock shows; runs take their time whatever it shows. */
export class Model {
  readonly #options: ModelOptions;
  #due: number[];
  #clock: number;
  #passed = 0;
  /** When each run that goes on will end, in time that passed. */
  #ends: number[] = [];
  #waiting = 0;
  #paused = false;
  #over = false;
  /** What the clock showed when each run began. */
  readonly ranAt: number[] = [];
  skipped = 0;

  /** @param startMs What the clock shows at the beginning. */
  constructor(options: ModelOptions, startMs: number) {
    this.#options = options;
    this.#clock = startMs;
    this.#due = listDue(options.trigger, startMs);
  }

  /** Whether it is still listed. */
  get listed(): boolean {
    return !this.#over;
  }

  /** Lets time pass. */
  pass(ms: number): void {
    const until = this.#passed + ms;
    for (;;) {
      const nextEnd = Math.min(...this.#ends);
      const nextDue = this.#next() - this.#clock + this.#passed;
      const next = Math.min(nextEnd, nextDue);
      if (next > until) break;
      this.#clock += next - this.#passed;
      this.#passed = next;
      if (next === nextEnd) this.#end();
      else this.#wake();
    }
    this.#clock += until - this.#passed;
    this.#passed = until;
  }

  #next(): number {
    return this.#paused || this.#over ? Infinity : this.#due[0] ?? Infinity;
  }

  /** Sets the clock forward, which is noticed at once. */
  jump(ms: number): void {
    this.#clock += ms;
    if (this.#next() <= this.#clock) this.#wake();
  }

  #wake(): void {
    const { trigger, catchUpMs } = this.#options;
    const passed = this.#due.filter((time) => time <= this.#clock);
    this.#due = this.#due.slice(passed.length);
    const young = passed.filter((time) => time >= this.#clock - Math.max(catchUpMs, 1_000));
    const run = trigger.type === "atTime" ? young : young.slice(-1);
    this.skipped += passed.length - run.length;
    this.#begin(run.length);
    this.#endIfOver();
  }

  /** What is due at once is one after the other, and not in its own way. */
  #begin(count: number): void {
    const { overlap } = this.#options;
    if (overlap === "allow") {
      for (let n = 0; n < count; n++) this.#start();
    } else if (this.#waiting > 0 || (this.#ends.length > 0 && overlap === "skip")) {
      this.skipped += count;
    } else this.#waiting = count;
    this.#goOn();
  }

  #goOn(): void {
    while (this.#waiting > 0 && this.#ends.length === 0) {
      this.#waiting--;
      this.#start();
    }
  }

  #start(): void {
    const { maxRuns, durations } = this.#options;
    if (this.ranAt.length === maxRuns) return;
    const duration = durations[this.ranAt.length % durations.length]!;
    this.ranAt.push(this.#clock);
    if (this.ranAt.length === maxRuns) this.#due = [];
    this.#ends.push(this.#passed + duration);
  }

  #end(): void {
    this.#ends.splice(this.#ends.indexOf(Math.min(...this.#ends)), 1);
    this.#goOn();
    this.#endIfOver();
  }

  #endIfOver(): void {
    if (this.#due.length === 0 && this.#ends.length === 0 && this.#waiting === 0) this.#over = true;
  }

  /** Lets it rest. */
  pause(): void {
    if (this.#over) return;
    this.#paused = true;
    this.#waiting = 0;
  }

  /** Lets it go on from now. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#due = this.#due.filter((time) => time > this.#clock);
    this.#endIfOver();
  }

  /** Runs it besides its schedule. */
  run(): void {
    if (!this.#over && this.ranAt.length !== this.#options.maxRuns) this.#begin(1);
  }

  /** Takes what is left. */
  cancel(): void {
    this.#over = true;
    this.#waiting = 0;
  }
}

function listDue(trigger: Trigger, startMs: number): number[] {
  if (trigger.type === "atTime") return [...trigger.timesMs];
  if (trigger.type === "cron") throw new Error("not listed");
  const due: number[] = [];
  for (let n = 1; n * trigger.everyMs < HORIZON_MS; n++) due.push(startMs + n * trigger.everyMs);
  return due;
}
