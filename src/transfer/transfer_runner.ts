/**
 * Runs functions that other processes send.
 *
 * @module
 */

import { OverloadedError, TransferError } from "../errors.ts";
import { compile, type FunctionSource, missingVariable } from "./function_source.ts";
import { Sandbox, type TransferOutcome } from "./sandbox.ts";
import type { ResolvedTransferOptions } from "./transfer_options.ts";

/** Most sandboxes at a time. Stops many senders from filling the machine with processes. */
export const MAX_SANDBOXES = 8;

/** Most functions that wait for their turn. Stops senders from filling memory. */
export const MAX_WAITING_TRANSFERS = 10_000;

/**
 * Keeps a sandbox for each process that sends functions, so that functions of different senders
 * never meet.
 */
export class TransferRunner {
  readonly #options: ResolvedTransferOptions;
  readonly #maxFrameBytes: number;
  /** By sender; the one that was used last comes last. */
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #ending = new Set<Promise<void>>();
  #running = 0;
  #waiting: (() => void)[] = [];
  #stopped = false;

  /**
   * @param options Where and how functions run.
   * @param maxFrameBytes Largest result.
   */
  constructor(options: ResolvedTransferOptions, maxFrameBytes: number) {
    this.#options = options;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /**
   * Runs a function.
   *
   * @param fn The function.
   * @param args Its arguments.
   * @param sender The process that sent it.
   * @param signal Aborts when nobody wants the result any more.
   * @returns What became of it; never rejects.
   */
  async run(
    fn: FunctionSource,
    args: unknown[],
    sender: string,
    signal: AbortSignal,
  ): Promise<TransferOutcome> {
    const { mode } = this.#options;
    if (mode === "deny") return { refused: denied() };
    if (mode === "inline") return await runInline(fn, args);
    try {
      await this.#turn(sender);
    } catch (error) {
      return { refused: error as TransferError };
    }
    try {
      if (signal.aborted) return { refused: new TransferError("It is not wanted any more") };
      return await this.#sandboxFor(sender).run(fn, args, signal);
    } catch (error) {
      return { refused: error as TransferError };
    } finally {
      this.#running--;
      this.#waiting.shift()?.();
    }
  }

  /** Waits until one more may run, and there is, or can be, a sandbox for its sender. */
  async #turn(sender: string): Promise<void> {
    while (!this.#hasRoom(sender)) {
      if (this.#waiting.length >= MAX_WAITING_TRANSFERS) {
        throw new OverloadedError(`${MAX_WAITING_TRANSFERS} functions wait for their turn already`);
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#stopped) throw new TransferError("The process is stopping", { executed: "never" });
    this.#running++;
  }

  #hasRoom(sender: string): boolean {
    if (this.#stopped) return true;
    if (this.#running >= this.#options.maxConcurrent) return false;
    return this.#sandboxes.has(sender) || this.#sandboxes.size < MAX_SANDBOXES ||
      this.#idleSandbox() !== undefined;
  }

  #idleSandbox(): [string, Sandbox] | undefined {
    for (const entry of this.#sandboxes) if (entry[1].running === 0) return entry;
    return undefined;
  }

  #sandboxFor(sender: string): Sandbox {
    let sandbox = this.#sandboxes.get(sender);
    this.#sandboxes.delete(sender);
    if (sandbox === undefined || !sandbox.alive) sandbox = this.#start(sender);
    this.#sandboxes.set(sender, sandbox);
    return sandbox;
  }

  #start(sender: string): Sandbox {
    const idle = this.#sandboxes.size >= MAX_SANDBOXES ? this.#idleSandbox() : undefined;
    if (idle !== undefined) {
      this.#sandboxes.delete(idle[0]);
      idle[1].kill("another process needed one");
    }
    const sandbox = new Sandbox(this.#options, this.#maxFrameBytes);
    const over = sandbox.over.finally(() => {
      this.#ending.delete(over);
      if (this.#sandboxes.get(sender) === sandbox) this.#sandboxes.delete(sender);
    });
    this.#ending.add(over);
    return sandbox;
  }

  /** Ends all sandboxes, and resolves when their processes are gone. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const sandbox of this.#sandboxes.values()) sandbox.kill("its process is stopping");
    for (const resolve of this.#waiting.splice(0)) resolve();
    await Promise.all(this.#ending);
  }
}

async function runInline(fn: FunctionSource, args: unknown[]): Promise<TransferOutcome> {
  try {
    return { value: await compile(fn)(...args) };
  } catch (thrown) {
    if (thrown instanceof TransferError) return { refused: thrown };
    const missing = missingVariable(fn.name, thrown);
    return missing === undefined ? { thrown } : { refused: missing };
  }
}

function denied(): TransferError {
  const why = typeof Deno === "undefined" || Deno.Command === undefined
    ? "its runtime has no subprocesses to run them in safely"
    : 'its option transfer is "deny"';
  return new TransferError(`The process does not run functions that others send: ${why}`, {
    executed: "never",
  });
}
