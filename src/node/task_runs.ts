/**
 * Tasks that are due, as calls that nobody waits for.
 *
 * @module
 */

import type { CallbackRegistry } from "../registry/callback_registry.ts";
import type { TaskRecord } from "../scheduler/task.ts";
import { Flag, frame, Kind } from "../wire/frame.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { RemoteProcess } from "./network.ts";
import { RunningCall } from "./running_call.ts";
import { TaskReply } from "./task_reply.ts";

/** What the runs need of their node. */
export interface TaskRunsOptions {
  /** What callbacks get as `currentCall().g`. */
  readonly g: unknown;
  readonly registry: CallbackRegistry;
  readonly dispatcher: Pick<Dispatcher, "admit" | "objection">;
}

/** Runs callbacks that are not called, but due. */
export class TaskRuns {
  readonly #options: TaskRunsOptions;
  /** Whose tasks run now. */
  readonly #owners = new Map<string, RemoteProcess>();
  #count = 0;

  /** @param options What it needs. */
  constructor(options: TaskRunsOptions) {
    this.#options = options;
  }

  /**
   * Runs one, and resolves when nothing of the run goes on any more.
   *
   * @param fail Called before with what the callback throws, or why it is given up.
   * @throws {DaffiError} when it cannot be run.
   */
  async run(
    { callbackName, args, owner }: Pick<TaskRecord, "callbackName" | "args" | "owner">,
    fail: (error: unknown) => void,
  ): Promise<void> {
    const { g, registry, dispatcher } = this.#options;
    const callback = registry.get(callbackName);
    const source = this.#owners.get(owner) ?? new RemoteProcess(0, owner);
    const problem = dispatcher.objection(callback, callbackName, source);
    if (callback === undefined || problem !== undefined) throw problem;
    const callId = ++this.#count;
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const ended = () => {
      if (source.activeCalls === 0) this.#owners.delete(owner);
      resolve();
    };
    const reply = new TaskReply(ended, fail);
    const fields = { g, source, callId, flags: Flag.NoReply, callback, callerTimeoutMs: 0, reply };
    this.#owners.set(owner, source);
    dispatcher.admit(new RunningCall(fields), frame(Kind.Call, { payload: args }));
    await over;
  }
}
