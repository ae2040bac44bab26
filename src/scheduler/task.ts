/**
 * A scheduled task: what is asked for, what is kept, and what is told.
 *
 * @module
 */

import { InitializationError } from "../errors.ts";
import { type CompileCron, compileTrigger, oldestToRun, type Trigger } from "./trigger.ts";
import { makeUuid } from "../internal/uuid.ts";

/** What happens when a run is due while the one before still goes on. */
export type Overlap = "skip" | "queue" | "allow";

/** Each {@linkcode Overlap}. */
export const OVERLAPS: readonly Overlap[] = ["skip", "queue", "allow"];

/** What a caller asks for. */
export interface TaskSpec {
  /** What tells the task from all others; one is made if none is given. */
  readonly uuid: string | undefined;
  /** The callback to run. */
  readonly callbackName: string;
  /** The encoded list of arguments. */
  readonly args: Uint8Array;
  /** When it fires. */
  readonly trigger: Trigger;
  /** What happens when a run is due while the one before still goes on. */
  readonly overlap: Overlap;
  /** Runs after which the task ends. */
  readonly maxRuns: number | undefined;
  /** How late a missed run may still start, in milliseconds; a second at least, whatever it is. */
  readonly catchUpMs: number;
  /** Failed runs in a row after which the task is paused. */
  readonly pauseAfterFailures: number | undefined;
}

/** What is kept of a task, so that it can go on after a restart. */
export interface TaskRecord extends Omit<TaskSpec, "trigger"> {
  /** What tells the task from all others. */
  readonly uuid: string;
  /** Whether that is from who asked for it, so that it may be asked for again. */
  readonly uuidGiven: boolean;
  /** When it fires. */
  trigger: Trigger;
  /** The process that asked for it. */
  readonly owner: string;
  /** When it was scheduled, in epoch milliseconds. */
  readonly createdMs: number;
  /** The first due time that was not dealt with yet; `undefined` if none is left. */
  nextMs: number | undefined;
  /** Due times of runs that wait to begin, in order: for the run before them, or for the callback. */
  waitingMs: readonly number[];
  /** When it last began to run. */
  lastRunMs: number | undefined;
  /** How often it has run. */
  runs: number;
  /** How many due times passed without a run. */
  skipped: number;
  /** Failed runs in a row. */
  failures: number;
  /** What its last failed run threw. */
  lastError: string | undefined;
  /** Whether it rests until it is resumed. */
  paused: boolean;
}

/**
 * Where a task stands: waiting for its time, running, paused, or waiting until its process offers
 * the callback (again).
 */
export type TaskStatus = "scheduled" | "running" | "paused" | "waiting";

/** What `describeScheduledTasks` tells of a task. */
export interface ScheduledTaskInfo {
  /** What tells the task from all others. */
  uuid: string;
  /** The callback that it runs. */
  callbackName: string;
  /** The process that scheduled it. */
  owner: string;
  /** When it fires. */
  trigger: Trigger;
  /** Where it stands. */
  status: TaskStatus;
  /** When it is due next; `undefined` if it is not, or is paused. */
  nextRun: Date | undefined;
  /** When it last began to run. */
  lastRun: Date | undefined;
  /** How often it has run. */
  runs: number;
  /** How many due times passed without a run. */
  skipped: number;
  /** What its last failed run threw. */
  lastError: string | undefined;
}

/** A run of a scheduled task that failed. */
export interface TaskFailureInfo {
  /** The task. */
  readonly uuid: string;
  /** The process that ran it. */
  readonly processName: string;
  /** The callback. */
  readonly callbackName: string;
  /** What it threw. */
  readonly message: string;
}

/**
 * The record of a task that has not run yet.
 *
 * @throws {InitializationError} when it would never run.
 */
export function newRecord(
  spec: TaskSpec,
  owner: string,
  now: number,
  compileCron: CompileCron,
): TaskRecord {
  const { type } = spec.trigger;
  const trigger = type === "interval" ? { ...spec.trigger, startMs: now } : spec.trigger;
  // The clocks of two machines differ: a time that has just passed here is a missed run.
  const nextMs = compileTrigger(trigger, compileCron)(
    type === "atTime" ? oldestToRun(now, spec.catchUpMs) - 1 : now,
  );
  if (nextMs === undefined) {
    throw new InitializationError(
      "Cannot schedule: the task would never run; its times have passed",
    );
  }
  return {
    ...spec,
    uuid: spec.uuid ?? makeUuid(),
    uuidGiven: spec.uuid !== undefined,
    ...{ trigger, owner, createdMs: now, nextMs },
    waitingMs: [],
    lastRunMs: undefined,
    runs: 0,
    skipped: 0,
    failures: 0,
    lastError: undefined,
    paused: false,
  };
}

/** Whether a task has nothing left to begin. */
export function isOver({ nextMs, waitingMs }: TaskRecord): boolean {
  return nextMs === undefined && waitingMs.length === 0;
}

/** What is told of a task. */
export function infoOf(record: TaskRecord, status: TaskStatus): ScheduledTaskInfo {
  const { uuid, callbackName, owner, trigger, runs, skipped, lastError, paused } = record;
  return {
    uuid,
    callbackName,
    owner,
    status,
    runs,
    skipped,
    lastError,
    trigger: copyOf(trigger), // which is the task's own
    nextRun: paused ? undefined : asDate(record.nextMs),
    lastRun: asDate(record.lastRunMs),
  };
}

/** `structuredClone` takes ten times as long, and a process may have many tasks. */
function copyOf(trigger: Trigger): Trigger {
  return trigger.type === "atTime" ? { ...trigger, timesMs: [...trigger.timesMs] } : { ...trigger };
}

function asDate(ms: number | undefined): Date | undefined {
  return ms === undefined ? undefined : new Date(ms);
}
