/**
 * Functions that other processes send, as callbacks of this node.
 *
 * @module
 */

import { currentScope } from "../internal/call_scope.ts";
import type { RegisteredCallback } from "../registry/registered_callback.ts";
import { MAX_SOURCE_LENGTH } from "../transfer/function_source.ts";
import type { FunctionRunner } from "../transfer/function_runner.ts";
import { TransferError } from "../errors.ts";
import { NotRun } from "./checks.ts";
import { Encoded } from "./replier.ts";

/** What sent functions are called in `currentCall().callbackName`. */
const TRANSFERRED = "transferred function";

/** Runs what is sent: a callback of a function's source, its name and its encoded arguments. */
export class TransferService {
  /** The callback. */
  readonly callback: RegisteredCallback = {
    name: TRANSFERRED,
    fn: () => {},
    invoke: (args) => this.#run(args),
    problem: () => undefined,
    concurrency: Infinity,
    timeoutMs: undefined,
    input: undefined,
    takesOne: false,
    output: undefined,
    type: undefined,
    timing: "later",
  };
  readonly #runner: FunctionRunner;

  /** @param runner Runs them. */
  constructor(runner: FunctionRunner) {
    this.#runner = runner;
  }

  async #run([source, name, args]: unknown[]): Promise<unknown> {
    if (typeof source !== "string" || typeof name !== "string" || !(args instanceof Uint8Array)) {
      throw malformed("it is not a source, a name and encoded arguments");
    }
    if (source.length > MAX_SOURCE_LENGTH) throw malformed("its source is too long");
    const { caller, signal } = currentScope()!;
    const outcome = await this.#runner.run({ source, name }, args, caller, signal);
    if ("refused" in outcome) throw signal.aborted ? signal.reason : new NotRun(outcome.refused);
    if ("thrown" in outcome) throw outcome.thrown;
    if ("failure" in outcome) throw new Encoded(outcome.failure);
    return new Encoded(outcome.payload);
  }

  /** A process is gone: its sandbox ends. */
  leave(processName: string): void {
    this.#runner.leave(processName);
  }

  /** Ends all sandboxes, and resolves when their processes are gone. */
  stop(): Promise<void> {
    return this.#runner.stop();
  }
}

function malformed(why: string): NotRun {
  return new NotRun(new TransferError(`Cannot run what was sent: ${why}`, { executed: "never" }));
}
