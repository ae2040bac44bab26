/**
 * This node's scheduler, as the other processes see it.
 *
 * @module
 */

import { DaffiError } from "../errors.ts";
import { show } from "../internal/show.ts";
import type { Logger } from "../internal/log.ts";
import type { CallbackRegistry } from "../registry/callback_registry.ts";
import { Scheduler } from "../scheduler/scheduler.ts";
import type { ScheduledTaskInfo, TaskFailureInfo, TaskRecord } from "../scheduler/task.ts";
import { asTaskRequest, type TaskRequest } from "../scheduler/task_request.ts";
import type { TaskStore } from "../scheduler/task_store.ts";
import type { CompileCron } from "../scheduler/trigger.ts";
import type { Codec } from "../wire/codec.ts";
import { decodeControl } from "../wire/control.ts";
import { frame, Kind } from "../wire/frame.ts";
import { asArguments } from "./arguments.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { Network } from "./network.ts";
import type { Outbox } from "./outbox.ts";
import { TaskRuns } from "./task_runs.ts";

/** Largest payload of `TASK_FAILED`. Stops a process from filling the memory of others with what they are told. */
export const MAX_TASK_FAILED_BYTES: number = 16 * 1024;

/** A run that failed, as it is told; who tells it is the process that ran it. */
export type TaskFailure = Omit<TaskFailureInfo, "processName">;

/** What the service needs of its node. */
export interface TaskServiceOptions {
  readonly store: TaskStore;
  readonly codec: Codec;
  readonly registry: CallbackRegistry;
  readonly logger: Logger;
  readonly compileCron: CompileCron;
  readonly processName: string;
  /** What callbacks get as `currentCall().g`. */
  readonly g: unknown;
  readonly network: Network;
  readonly dispatcher: Dispatcher;
  /** Where frames go, if there is a connection. */
  readonly outbox: () => Outbox | undefined;
  readonly events: {
    /** A run of a task of this process failed. */
    onTaskFailure(failure: TaskFailureInfo): void;
  };
}

/** Makes the service of a node. @throws {InitializationError} when the stored tasks cannot be read. */
export type MakeTasks = (
  node: Omit<TaskServiceOptions, "store" | "compileCron">,
) => TaskService;

/** Answers what is asked of the scheduler. */
export class TaskService {
  readonly #scheduler: Scheduler;
  readonly #codec: Codec;
  readonly #compileCron: CompileCron;
  readonly #logger: Logger;
  readonly #unsubscribe: () => void;
  #closed = false;

  /**
   * Takes up the stored tasks.
   *
   * @throws {InitializationError} when they cannot be read.
   */
  constructor(options: TaskServiceOptions) {
    const { registry, codec, compileCron, logger } = options;
    const runs = new TaskRuns(options);
    this.#codec = codec;
    this.#compileCron = compileCron;
    this.#logger = logger;
    this.#scheduler = new Scheduler({
      ...options,
      offers: (callbackName) => {
        const callback = registry.get(callbackName);
        return callback !== undefined && callback.problem() === undefined;
      },
      run: (task, fail) => runs.run(task, fail),
      onFailure: ({ uuid, callbackName, owner, lastError }: TaskRecord) =>
        tellOwner(options, owner, { uuid, callbackName, message: lastError ?? "" }),
    });
    this.#unsubscribe = registry.subscribe(({ names }) => this.#scheduler.callbacksChanged(names));
  }

  /**
   * Does what is asked.
   *
   * @param request The decoded payload of a `TASK` frame.
   * @param owner Who asks.
   * @returns What `docs/protocol.md` says for the operation.
   * @throws {DaffiError} when it cannot be done.
   */
  handle(request: unknown, owner: string): string | boolean | string[] | ScheduledTaskInfo[] {
    try {
      return this.#do(asTaskRequest(request, this.#compileCron), owner);
    } catch (error) {
      if (error instanceof DaffiError) throw error;
      // for example a full disk under the store
      throw new DaffiError("TASK", `The scheduler failed: ${show(error)}`, { cause: error });
    }
  }

  #do(checked: TaskRequest, owner: string): string | boolean | string[] | ScheduledTaskInfo[] {
    const { op } = checked;
    switch (op) {
      case "create":
        // Told now, and not by each run. A stream is refused, too: nobody would send its items.
        asArguments(this.#codec.decode(checked.spec.args));
        return this.#scheduler.create(checked.spec, owner);
      case "list":
      case "describe":
        return this.#scheduler[op]();
    }
    return this.#scheduler[op](checked.uuid);
  }

  /** Starts no run any more; those under way go on. */
  stop(): void {
    this.#scheduler.stop();
  }

  /** Frees the store, once nothing runs any more. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unsubscribe();
    try {
      this.#scheduler.close();
    } catch (error) {
      this.#logger.error("daffi: the task store cannot be closed:", error);
    }
  }
}

/** Tells a task's owner, if it is there, of a failed run. */
function tellOwner(node: TaskServiceOptions, owner: string, failure: TaskFailure): void {
  const { processName, events, network, codec } = node;
  if (owner === processName) return events.onTaskFailure({ ...failure, processName });
  if (!network.offers("", owner)) return;
  const peer = network.process(owner, "tell of a task").id;
  const told = frame(Kind.TaskFailed, { peer, payload: codec.encode(failure, "failure") });
  const outbox = node.outbox();
  // An owner that does not read must not fill the memory; the failure is logged here as well.
  if (outbox?.hasRoom(told)) outbox.post(told);
}

/** Reads what another process tells of a failed run; `undefined` if it makes no sense. */
export function readTaskFailure(payload: Uint8Array): TaskFailure | undefined {
  try {
    if (payload.length > MAX_TASK_FAILED_BYTES) return undefined;
    const { uuid, callbackName, message } = decodeControl(payload) as Record<string, unknown>;
    if (typeof uuid !== "string" || typeof callbackName !== "string") return undefined;
    return { uuid, callbackName, message: typeof message === "string" ? message : "" };
  } catch {
    return undefined; // an event that cannot be read is no event
  }
}
