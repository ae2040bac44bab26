/**
 * A task of this process, and what the clock does to it.
 *
 * @module
 */

import type { HeapItem } from "../internal/heap.ts";
import type { TaskRecord } from "./task.ts";
import { type CompileCron, compileTrigger, type NextDue } from "./trigger.ts";
import { SHOWN_ANEW_MS } from "./wall_clock.ts";

/** A task with what is known of it only while the process lives. */
export interface LiveTask extends HeapItem {
  readonly record: TaskRecord;
  nextDue: NextDue;
  /** Runs under way. */
  running: number;
  /** Runs that wait for the one before, or for their callback. */
  waiting: number;
}

/**
 * Prepares a task.
 *
 * @throws {InitializationError} when its trigger cannot be read.
 */
export function liveTask(record: TaskRecord, compileCron: CompileCron): LiveTask {
  const nextDue = compileTrigger(record.trigger, compileCron);
  return { record, nextDue, running: 0, waiting: 0, heapIndex: -1 };
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
  const { trigger } = task.record;
  const nextMs = task.record.nextMs!;
  // Cron may have run its next time already, just before a clock that went back a little.
  const byMs = trigger.type === "interval"
    ? (Math.ceil((nextMs - nowMs) / trigger.everyMs) - 1) * trigger.everyMs // in its rhythm
    : nextMs - task.nextDue(task.nextDue(nowMs) ?? nextMs)!;
  if (byMs > 0) setBack(task, byMs, nowMs, compileCron);
}
