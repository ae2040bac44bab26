/**
 * A task of this process, and what the clock does to it.
 *
 * @module
 */

import type { HeapItem } from "../internal/heap.ts";
import type { TaskRecord } from "./task.ts";
import { type CompileCron, compileTrigger, dueBy, type NextDue } from "./trigger.ts";
import { SHOWN_ANEW_MS } from "./wall_clock.ts";

/** A task with what is known of it only while the process lives. */
export interface LiveTask extends HeapItem {
  readonly record: TaskRecord;
  nextDue: NextDue;
  /** Runs under way. */
  running: number;
}

/**
 * Prepares a task.
 *
 * @throws {InitializationError} when its trigger cannot be read.
 */
export function liveTask(record: TaskRecord, compileCron: CompileCron): LiveTask {
  const nextDue = compileTrigger(record.trigger, compileCron);
  return { record, nextDue, running: 0, heapIndex: -1 };
}

/** Whether a run of the task may begin, as far as the task itself is concerned. */
export function isFree({ record, running }: LiveTask): boolean {
  return running === 0 || record.overlap === "allow";
}

/**
 * When there is something to do for a task, or `Infinity`. What waits though the task is free was left by a
 * process before this one, or its callback was withdrawn: it is due still.
 */
export function dueOf(task: LiveTask): number {
  const { nextMs = Infinity, waitingMs: [first = Infinity] } = task.record;
  return isFree(task) ? Math.min(nextMs, first) : nextMs;
}

/** Takes what is due by now, and counts what is too old. @returns The due times to run, in order. */
export function takeDue(task: LiveTask, nowMs: number): readonly number[] {
  const { record, nextDue } = task;
  const { trigger, nextMs = Infinity, waitingMs, catchUpMs } = record;
  const left = isFree(task) ? waitingMs : [];
  const { run, skipped } = dueBy(trigger, nextDue, nextMs, nowMs, catchUpMs, left);
  record.skipped += skipped;
  if (nextMs <= nowMs) record.nextMs = nextDue(nowMs);
  if (isFree(task)) record.waitingMs = [];
  return run;
}

/** An interval is a length of time whatever the clock shows; cron is what the clock shows. */
export function setBack(
  task: LiveTask,
  byMs: number,
  nowMs: number,
  compileCron: CompileCron,
): void {
  const { record } = task;
  const { trigger } = record;
  if (record.nextMs === undefined) return;
  if (trigger.type === "interval") {
    record.trigger = { ...trigger, startMs: trigger.startMs - byMs };
    record.nextMs -= byMs;
    task.nextDue = compileTrigger(record.trigger, compileCron);
  } else if (trigger.type === "cron" && byMs >= SHOWN_ANEW_MS) {
    record.nextMs = task.nextDue(nowMs);
  }
}

/** Corrects a stored task whose next time is further ahead than it can be: the clock was wrong. */
export function takeClockAsItIs(task: LiveTask, nowMs: number, compileCron: CompileCron): void {
  const { trigger, nextMs } = task.record;
  if (nextMs === undefined) return;
  // Cron may have run its next time already, just before a clock that went back a little.
  const byMs = trigger.type === "interval"
    ? (Math.ceil((nextMs - nowMs) / trigger.everyMs) - 1) * trigger.everyMs // in its rhythm
    : nextMs - task.nextDue(task.nextDue(nowMs) ?? nextMs)!;
  if (byMs > 0) setBack(task, byMs, nowMs, compileCron);
}
