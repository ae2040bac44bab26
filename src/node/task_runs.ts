/**
 * Tasks that are due, as calls that nobody waits for.
 *
 * @module
 */

import type { CallbackRegistry } from "../registry/callback_registry.ts";
import { Flag, frame, Kind } from "../wire/frame.ts";
import type { Dispatcher } from "./dispatcher.ts";
import { RemoteProcess } from "./network.ts";
import { type Reply, RunningCall } from "./running_call.ts";

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
   * Runs one.
   *
   * @param callbackName The callback.
   * @param args The encoded list of its arguments.
   * @param owner The process that wanted it.
   * @param reply Hears of the outcome.
   * @throws {DaffiError} when it cannot be run.
   */
  run(callbackName: string, args: Uint8Array, owner: string, reply: Reply): void {
    const { g, registry, dispatcher } = this.#options;
    const callback = registry.get(callbackName);
    const source = this.#owners.get(owner) ?? new RemoteProcess(0, owner);
    const problem = dispatcher.objection(callback, callbackName, source);
    if (callback === undefined || problem !== undefined) throw problem;
    const callId = ++this.#count;
    const counted: Reply = {
      value: (call, value) => reply.value(call, value),
      failure: (call, thrown) => reply.failure(call, thrown),
      refuse: (call, error) => reply.refuse(call, error),
      ended: () => {
        if (source.activeCalls === 0) this.#owners.delete(owner);
        reply.ended?.();
      },
    };
    const fields = { g, source, callId, flags: Flag.NoReply, callback, callerTimeoutMs: 0 };
    this.#owners.set(owner, source);
    const call = new RunningCall({ ...fields, reply: counted });
    dispatcher.admit(call, frame(Kind.Call, { payload: args }));
  }
}
