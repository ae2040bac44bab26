/**
 * What one process asks of another's scheduler (`docs/protocol.md`, section 8a), checked, for it
 * comes from a stranger.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import { asTaskOperation, type TaskChange } from "../internal/task_operations.ts";
import { isUuid } from "../internal/uuid.ts";
import { type Overlap, OVERLAPS, type TaskSpec } from "./task.ts";
import {
  type CompileCron,
  compileTrigger,
  MAX_CATCH_UP_MS,
  MAX_INTERVAL_MS,
  MAX_TIMES,
  type Trigger,
} from "./trigger.ts";

/** Something asked of a scheduler. */
export type TaskRequest =
  | { readonly op: "create"; readonly spec: TaskSpec }
  | { readonly op: "list" | "describe" }
  | { readonly op: TaskChange; readonly uuid: string };

/** The latest time that a `Date` can hold. */
export const MAX_TIME_MS = 8.64e15;

/**
 * Checks a request.
 *
 * @throws {ProtocolError} when it is none.
 * @throws {InitializationError} when its trigger can never fire or cannot be read.
 */
export function asTaskRequest(value: unknown, compileCron: CompileCron): TaskRequest {
  const request = asRecord(value);
  const op = asTaskOperation(request.op);
  switch (op) {
    case undefined:
      throw wrong("op");
    case "create":
      return { op, spec: asSpec(asRecord(request.spec), compileCron) };
    case "list":
    case "describe":
      return { op };
  }
  if (isUuid(request.uuid)) return { op, uuid: request.uuid.toLowerCase() };
  throw wrong("uuid");
}

/**
 * Checks what is asked to be scheduled.
 *
 * @throws {ProtocolError} when it is no task.
 * @throws {InitializationError} when its trigger cannot be read.
 */
export function asSpec(spec: Record<string, unknown>, compileCron: CompileCron): TaskSpec {
  const { uuid, callbackName, args, overlap, maxRuns, catchUpMs, pauseAfterFailures } = spec;
  if (uuid !== undefined && !isUuid(uuid)) throw wrong("uuid");
  if (typeof callbackName !== "string") throw wrong("callbackName");
  if (!(args instanceof Uint8Array)) throw wrong("args");
  if (!OVERLAPS.includes(overlap as Overlap)) throw wrong("overlap");
  if (!isWithin(catchUpMs, 0, MAX_CATCH_UP_MS)) throw wrong("catchUpMs");
  const trigger = asTrigger(asRecord(spec.trigger));
  compileTrigger(trigger, compileCron); // a cron expression that cannot be read
  return {
    uuid: uuid?.toLowerCase(),
    callbackName,
    args,
    trigger,
    overlap: overlap as Overlap,
    maxRuns: asCount(maxRuns, "maxRuns"),
    catchUpMs,
    pauseAfterFailures: asCount(pauseAfterFailures, "pauseAfterFailures"),
  };
}

function asTrigger(trigger: Record<string, unknown>): Trigger {
  switch (trigger.type) {
    case "interval": {
      const { everyMs } = trigger;
      const { startMs = 0 } = trigger;
      if (!isWithin(everyMs, 1, MAX_INTERVAL_MS)) throw wrong("everyMs");
      if (!isWithin(startMs, -MAX_TIME_MS, MAX_TIME_MS)) throw wrong("startMs");
      return { type: "interval", everyMs, startMs };
    }
    case "atTime": {
      const { timesMs } = trigger;
      if (!Array.isArray(timesMs) || timesMs.length === 0 || timesMs.length > MAX_TIMES) {
        throw wrong("timesMs");
      }
      if (!timesMs.every((time) => isWithin(time, 0, MAX_TIME_MS))) throw wrong("timesMs");
      return { type: "atTime", timesMs: [...new Set<number>(timesMs)].sort((a, b) => a - b) };
    }
    case "cron": {
      const { expression, timezone } = trigger;
      if (typeof expression !== "string" || typeof timezone !== "string") throw wrong("cron");
      return { type: "cron", expression, timezone };
    }
    default:
      throw wrong("trigger");
  }
}

function isWithin(value: unknown, least: number, most: number): value is number {
  return typeof value === "number" && value >= least && value <= most;
}

function asCount(value: unknown, what: string): number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) > 0)) {
    return value as number | undefined;
  }
  throw wrong(what);
}

function asRecord(value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  throw wrong("payload");
}

function wrong(what: string): ProtocolError {
  return new ProtocolError(`Cannot read the task request: its ${what} is not valid`);
}
