/**
 * A sandbox as its node sees it: a process to be trusted with nothing.
 *
 * @module
 */

import { ProtocolError, TransferError } from "../errors.ts";
import type { Logger } from "../internal/log.ts";
import { longTimeout } from "../internal/long_timeout.ts";
import { within } from "../internal/within.ts";
import { Connection } from "../link/connection.ts";
import { type Codec, MessagePackCodec } from "../wire/codec.ts";
import { type Frame, frame, Kind } from "../wire/frame.ts";
import { MAX_WAITING_BYTES } from "../wire/limits.ts";
import { ChildStream } from "./child_stream.ts";
import { MAX_SENT_FAILURE_BYTES } from "./function_failure.ts";
import type { TransferOutcome } from "./function_runner.ts";
import type { FunctionSource } from "./function_source.ts";
import { logOutput } from "./sandbox_output.ts";
import { spawnSandbox } from "./sandbox_process.ts";
import type { ResolvedTransferOptions } from "./transfer_options.ts";

/** How long a process that has closed its pipes may take to end. */
const END_TIMEOUT_MS = 1_000;
/** How long it may take to start: that is not the time of a function. */
const START_TIMEOUT_MS = 10_000;
/** So many functions may be at work whose answer nobody wants: what cancels without end must not fill the memory. */
const MAX_ABANDONED = 1_000;

/** A running function. */
interface Running {
  readonly name: string;
  /** Its time begins. */
  begin(): void;
  /** Its time counts no more. */
  end(): void;
  settle(outcome: TransferOutcome): void;
}

/** What a sandbox needs. */
export interface SandboxOptions {
  /** What its process runs. */
  readonly program: string;
  readonly transfer: ResolvedTransferOptions;
  /** Largest result. */
  readonly maxFrameBytes: number;
  /** Where what functions print is told. */
  readonly logger: Logger;
  /** Whose functions run in it. */
  readonly sender: string;
}

/** One process without permissions, kept warm between functions. */
export class Sandbox {
  /** Resolves when the process has ended. */
  readonly over: Promise<void>;
  readonly #options: SandboxOptions;
  readonly #process: Deno.ChildProcess;
  readonly #connection: Connection;
  readonly #codec: Codec = new MessagePackCodec();
  readonly #running = new Map<number, Running>();
  /** Functions whose answer nobody wants any more. They go on, within their time. */
  readonly #abandoned = new Map<number, Running>();
  #lastId = 0;
  #isUp = false;
  #killedFor: string | undefined;
  /** Cancels its end for not having started, or for being idle. */
  #cancelEnd: () => void = () => {};

  /**
   * Starts the process.
   *
   * @throws {TransferError} when it cannot be started; the message tells which permission to grant.
   */
  constructor(options: SandboxOptions) {
    const { program, transfer, maxFrameBytes, logger, sender } = options;
    this.#options = options;
    this.#process = spawnSandbox(program, transfer, maxFrameBytes);
    logOutput(this.#process.stderr, sender, logger);
    const stream = new ChildStream(this.#process.stdout, this.#process.stdin);
    this.#connection = new Connection(stream, maxFrameBytes, {
      onFrame: (incoming) => this.#onFrame(incoming),
      onClose: (error) => this.#onClose(error),
    });
    this.#cancelEnd = longTimeout(() => this.kill("it did not start"), START_TIMEOUT_MS);
    this.over = this.#end();
  }

  /** How many functions run in it. */
  get running(): number {
    return this.#running.size;
  }

  /** Whether it can take functions. */
  get alive(): boolean {
    return this.#killedFor === undefined && !this.#connection.closed;
  }

  /**
   * Runs a function.
   *
   * @param fn The function.
   * @param args The encoded list of its arguments.
   * @param signal Aborts when nobody wants the result any more.
   * @returns What became of it; never rejects.
   */
  run(fn: FunctionSource, args: Uint8Array, signal: AbortSignal): Promise<TransferOutcome> {
    if (!this.alive || signal.aborted) {
      const message = `${fn.name} was not run: it is not wanted any more, or its sandbox has ended`;
      return Promise.resolve({ refused: new TransferError(message, { executed: "never" }) });
    }
    const { timeoutMs } = this.#options.transfer;
    const call = ++this.#lastId;
    const { promise, resolve } = Promise.withResolvers<TransferOutcome>();
    if (this.#isUp) this.#cancelEnd();
    let cancelTimer = () => {};
    const begin = () => {
      const late = () => this.kill(`a function in it ran longer than ${timeoutMs} ms`);
      cancelTimer = longTimeout(late, timeoutMs);
    };
    const end = () => cancelTimer();
    const abandon = () => {
      this.#abandoned.set(call, running);
      settle({ refused: new TransferError(`${fn.name} is not wanted any more`, MAYBE) });
      if (this.running === 0) this.kill("nobody wants what it does any more");
      const isFull = this.#connection.queuedBytes > MAX_WAITING_BYTES;
      if (isFull || this.#abandoned.size > MAX_ABANDONED) {
        this.kill("too much in it is not wanted any more");
      }
    };
    const settle = (outcome: TransferOutcome) => {
      signal.removeEventListener("abort", abandon);
      this.#running.delete(call);
      if (this.running === 0) this.#endIfIdle();
      resolve(outcome);
    };
    const running: Running = { name: fn.name, begin, end, settle };
    this.#running.set(call, running);
    if (this.#isUp) begin();
    signal.addEventListener("abort", abandon);
    const payload = this.#codec.encode([fn.source, fn.name, args], "args");
    this.#connection.send(frame(Kind.Call, { call, payload }));
    return promise;
  }

  get #all(): Running[] {
    return [...this.#running.values(), ...this.#abandoned.values()];
  }

  #started(): void {
    this.#isUp = true;
    this.#cancelEnd();
    for (const { begin } of this.#all) begin();
    if (this.running === 0) this.#endIfIdle();
  }

  /** What a function has left behind may still be at work: not for longer than a function may. */
  #endIfIdle(): void {
    if (!this.#isUp) return;
    this.#cancelEnd();
    if (this.#killedFor !== undefined) return;
    this.#cancelEnd = longTimeout(
      () => this.kill("it was idle"),
      this.#options.transfer.timeoutMs,
    );
  }

  #onFrame({ kind, call, payload }: Frame): void {
    if (!this.#isUp) {
      // Nothing was run before it.
      return kind === Kind.Welcome ? this.#started() : this.kill("it did not say that it is up");
    }
    const running = this.#running.get(call) ?? this.#abandoned.get(call);
    if (running === undefined || (kind !== Kind.Result && kind !== Kind.Error)) {
      return this.kill("it answered what it was not asked");
    }
    running.end();
    if (this.#abandoned.delete(call)) return;
    if (kind === Kind.Result) return running.settle({ payload: payload.slice() });
    if (payload.length > MAX_SENT_FAILURE_BYTES) return this.kill("its failure is too large");
    running.settle({ failure: payload.slice() });
  }

  /** It wrote nonsense, or it ends: then its exit status tells why. */
  async #onClose(error: Error | undefined): Promise<void> {
    if (error instanceof ProtocolError) {
      return this.kill(`it wrote something that is no answer: ${error.message}`);
    }
    if (!await within(this.#process.status, END_TIMEOUT_MS)) this.kill("it closed its pipes");
  }

  /** Ends the process at once. */
  kill(reason: string): void {
    if (this.#killedFor !== undefined) return;
    this.#killedFor = reason;
    this.#cancelEnd();
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    this.#connection.close();
  }

  async #end(): Promise<void> {
    const status = await this.#process.status;
    const why = this.#killedFor ?? endedBy(status, this.#options.transfer.memoryLimitMb);
    this.#killedFor = why;
    this.#cancelEnd();
    this.#connection.close();
    for (const { end } of this.#all) end();
    for (const { name, settle } of [...this.#running.values()]) {
      const message = `${name} did not finish, for its sandbox was ended: ${why}`;
      const executed = this.#isUp ? "maybe" : "never";
      settle({ refused: new TransferError(message, { executed }) });
    }
  }
}

const MAYBE = { executed: "maybe" } as const;

function endedBy({ code, signal }: Deno.CommandStatus, memoryLimitMb: number): string {
  if (signal === "SIGKILL" || code === 137) {
    return `it used more memory than its limit of ${memoryLimitMb} MiB, or was killed from outside`;
  }
  if (signal !== null) {
    return `it used more memory than its limit of ${memoryLimitMb} MiB, or aborted itself (${signal})`;
  }
  return `it ended with code ${code}`;
}
