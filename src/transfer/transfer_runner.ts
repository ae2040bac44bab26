/**
 * Runs functions that other processes send.
 *
 * @module
 */

import { DaffiError, EncodeError, TransferError } from "../errors.ts";
import { waitFor } from "../internal/abort.ts";
import { isA } from "../internal/is_a.ts";
import type { Logger } from "../internal/log.ts";
import { type Codec, MessagePackCodec } from "../wire/codec.ts";
import { missingVariable, ownStack } from "./function_failure.ts";
import type { FunctionRunner, TransferOutcome } from "./function_runner.ts";
import { argumentsFor, compile, type FunctionSource } from "./function_source.ts";
import { Sandbox } from "./sandbox.ts";
import { loadProgram } from "./sandbox_process.ts";
import type { ResolvedTransferOptions } from "./transfer_options.ts";
import { WaitingTransfers } from "./waiting_transfers.ts";

/** Most sandboxes at a time. Stops many senders from filling the machine with processes. */
export const MAX_SANDBOXES = 8;

/** Gets a sandbox when it is its turn, or why there will be none. */
type Waiting = (sandbox: Sandbox | DaffiError) => void;

/**
 * Keeps a sandbox for each process that sends functions, so that functions of different senders
 * never meet.
 */
export class TransferRunner implements FunctionRunner {
  readonly #options: ResolvedTransferOptions;
  readonly #maxFrameBytes: number;
  readonly #logger: Logger;
  readonly #codec: Codec = new MessagePackCodec();
  /** What sandboxes run, once it is loaded, or why it cannot be. */
  #program: string | TransferError | undefined;
  #isLoading = false;
  /** By sender; the one that was used last comes last. */
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #waiting = new WaitingTransfers<Waiting>();
  readonly #ending = new Set<Promise<void>>();
  #running = 0;
  #stopped = false;

  /**
   * @param options Where and how functions run.
   * @param maxFrameBytes Largest result.
   * @param logger Where what functions print is told.
   */
  constructor(options: ResolvedTransferOptions, maxFrameBytes: number, logger: Logger) {
    this.#options = options;
    this.#maxFrameBytes = maxFrameBytes;
    this.#logger = logger;
  }

  /**
   * Runs a function.
   *
   * @param fn The function.
   * @param args The encoded list of its arguments.
   * @param sender The process that sent it.
   * @param signal Aborts when nobody wants the result any more.
   * @returns What became of it; never rejects.
   */
  async run(
    fn: FunctionSource,
    args: Uint8Array,
    sender: string,
    signal: AbortSignal,
  ): Promise<TransferOutcome> {
    const { mode } = this.#options;
    if (mode === "deny") return { refused: denied() };
    if (signal.aborted) return { refused: unwanted(fn) };
    if (mode === "inline") return await this.#runInline(fn, args, signal);
    try {
      // No wait between getting a sandbox and using it: it could be gone after one.
      const sandbox = this.#claim(sender);
      if (sandbox !== undefined) return await this.#runIn(sandbox, fn, args, signal);
      return await this.#turn(fn, args, sender, signal);
    } catch (error) {
      return { refused: asRefusal(error) };
    }
  }

  async #runIn(
    sandbox: Sandbox,
    fn: FunctionSource,
    args: Uint8Array,
    signal: AbortSignal,
  ): Promise<TransferOutcome> {
    try {
      return await sandbox.run(fn, args, signal);
    } finally {
      this.#running--;
      this.#wake();
    }
  }

  /** A sandbox for one more function of a sender, if there is room. */
  #claim(sender: string): Sandbox | undefined {
    if (this.#stopped) throw new TransferError("The process is stopping", NEVER);
    if (this.#running >= this.#options.maxConcurrent) return undefined;
    if (this.#program === undefined) return void this.#load(); // it is nobody's turn until then
    if (typeof this.#program !== "string") throw this.#program;
    const present = this.#sandboxes.get(sender);
    const sandbox = present?.alive ? present : this.#start(sender, this.#program);
    if (sandbox === undefined) return undefined;
    this.#sandboxes.delete(sender);
    this.#sandboxes.set(sender, sandbox);
    this.#running++;
    return sandbox;
  }

  /** Who waits has a turn then; if it cannot be loaded, they are told, and the next one tries again. */
  async #load(): Promise<void> {
    if (this.#isLoading) return;
    this.#isLoading = true;
    this.#program = await loadProgram().catch((error: TransferError) => error);
    this.#isLoading = false;
    this.#wake();
    if (typeof this.#program !== "string") this.#program = undefined;
  }

  #start(sender: string, program: string): Sandbox | undefined {
    this.#sandboxes.delete(sender);
    if (this.#sandboxes.size >= MAX_SANDBOXES && !this.#endIdle()) return undefined;
    const sandbox = new Sandbox({
      program,
      transfer: this.#options,
      maxFrameBytes: this.#maxFrameBytes,
      logger: this.#logger,
      sender,
    });
    const over = sandbox.over.finally(() => {
      this.#ending.delete(over);
      if (this.#sandboxes.get(sender) === sandbox) this.#sandboxes.delete(sender);
      if (!this.#stopped) this.#wake();
    });
    this.#ending.add(over);
    return sandbox;
  }

  /** Ends the idle sandbox that was used longest ago; false if none is idle. */
  #endIdle(): boolean {
    for (const [sender, sandbox] of this.#sandboxes) {
      if (sandbox.running > 0) continue;
      this.#sandboxes.delete(sender);
      sandbox.kill("another process needed one");
      return true;
    }
    return false;
  }

  /** Waits for a sandbox: not for longer than somebody wants the result. */
  async #turn(
    fn: FunctionSource,
    args: Uint8Array,
    sender: string,
    signal: AbortSignal,
  ): Promise<TransferOutcome> {
    const { promise, resolve: turn } = Promise.withResolvers<TransferOutcome>();
    const settle: Waiting = (sandbox) => {
      signal.removeEventListener("abort", abandon);
      if (sandbox instanceof Sandbox) turn(this.#runIn(sandbox, fn, args, signal));
      else turn({ refused: sandbox });
    };
    const abandon = () => {
      if (this.#waiting.remove(sender, settle)) settle(unwanted(fn));
    };
    this.#waiting.add(sender, settle, fn.source.length + fn.name.length + args.length);
    signal.addEventListener("abort", abandon);
    return await promise;
  }

  /** Gives everybody a turn who can have one, one sender after the other. */
  #wake(): void {
    while (this.#wakeOne());
  }

  #wakeOne(): boolean {
    for (const sender of this.#waiting.senders) {
      const turn = this.#tryClaim(sender);
      if (turn === undefined) continue;
      this.#waiting.next(sender)!(turn);
      return true;
    }
    return false;
  }

  #tryClaim(sender: string): Sandbox | DaffiError | undefined {
    try {
      return this.#claim(sender);
    } catch (error) {
      return asRefusal(error);
    }
  }

  /** Nothing can end a function here: when its time is over, its sender is told, and it goes on. */
  async #runInline(
    fn: FunctionSource,
    args: Uint8Array,
    signal: AbortSignal,
  ): Promise<TransferOutcome> {
    const { timeoutMs } = this.#options;
    const late = `it ran longer than ${timeoutMs} ms, and what it still does goes on`;
    try {
      const list = argumentsFor(fn.name, this.#codec, args);
      // In a turn of its own, so that its time begins before it does.
      const running = Promise.resolve(list).then((list) => compile(fn)(...list));
      const value = await waitFor(running, {
        timeoutMs,
        signal,
        onTimeout: () => new TransferError(`${fn.name} did not finish: ${late}`, MAYBE),
        onAbort: () => new TransferError(`${fn.name} is not wanted any more`, MAYBE),
      });
      return { payload: this.#codec.encode(value, "result").slice() };
    } catch (thrown) {
      if (thrown instanceof TransferError) return { refused: thrown };
      if (thrown instanceof EncodeError) {
        return { refused: new EncodeError(thrown.message, { executed: "yes" }) };
      }
      const missing = missingVariable(fn, thrown);
      return missing === undefined ? { thrown: ownStack(thrown) } : { refused: missing };
    }
  }

  /** A sender is gone: whoever comes under its name must not find what it has left behind. */
  leave(sender: string): void {
    const sandbox = this.#sandboxes.get(sender);
    this.#sandboxes.delete(sender);
    sandbox?.kill("its sender has left");
    const left = new TransferError("Its sender has left before its turn", NEVER);
    for (let next; (next = this.#waiting.next(sender)) !== undefined;) next(left);
  }

  /** Ends all sandboxes, and resolves when their processes are gone. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const sandbox of this.#sandboxes.values()) sandbox.kill("its process is stopping");
    this.#wake(); // who waits is told
    await Promise.all(this.#ending);
  }
}

const NEVER = { executed: "never" } as const;
const MAYBE = { executed: "maybe" } as const;

/** Why nothing was run: the system may refuse to start a process for any reason. */
function asRefusal(error: unknown): DaffiError {
  if (isA(error, DaffiError)) return error;
  const message = `Cannot start a sandbox: ${(error as Error).message}`;
  return new TransferError(message, { ...NEVER, cause: error });
}

function unwanted({ name }: FunctionSource): TransferError {
  return new TransferError(`${name} was not run: it is not wanted any more`, NEVER);
}

function denied(): TransferError {
  const why = typeof Deno === "undefined" || Deno.Command === undefined
    ? "its runtime has no subprocesses to run them in safely"
    : Deno.build.standalone
    ? "a compiled program has no Deno to run them with"
    : 'its option transfer is "deny"';
  return new TransferError(`The process does not run functions that others send: ${why}`, NEVER);
}
