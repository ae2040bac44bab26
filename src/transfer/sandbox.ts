/**
 * A sandbox as its node sees it: a process to be trusted with nothing.
 *
 * @module
 */

import { type DaffiError, EncodeError, RemoteCallError, TransferError } from "../errors.ts";
import { longTimeout } from "../internal/long_timeout.ts";
import { Connection } from "../link/connection.ts";
import { type Codec, MessagePackCodec } from "../wire/codec.ts";
import { decodeFailure } from "../wire/error_payload.ts";
import { type Frame, frame, Kind } from "../wire/frame.ts";
import { ChildStream } from "./child_stream.ts";
import type { FunctionSource } from "./function_source.ts";
import { PERMISSION_NAMES, type ResolvedTransferOptions } from "./transfer_options.ts";

/** What became of a function that was sent. */
export type TransferOutcome =
  /** It gave this. */
  | { readonly value: unknown }
  /** It threw this. */
  | { readonly thrown: unknown }
  /** It was not run, or not to the end. */
  | { readonly refused: DaffiError };

/** A running function. */
interface Running {
  readonly name: string;
  settle(outcome: TransferOutcome): void;
}

/** One process without permissions, kept warm between functions. */
export class Sandbox {
  /** Resolves when the process has ended. */
  readonly over: Promise<void>;
  readonly #options: ResolvedTransferOptions;
  readonly #process: Deno.ChildProcess;
  readonly #connection: Connection;
  readonly #codec: Codec = new MessagePackCodec();
  readonly #running = new Map<number, Running>();
  #lastId = 0;
  #killedFor: string | undefined;

  /**
   * Starts the process.
   *
   * @throws {TransferError} when it cannot be started; the message tells which permission to grant.
   */
  constructor(options: ResolvedTransferOptions, maxFrameBytes: number) {
    this.#options = options;
    this.#process = spawn(options, maxFrameBytes);
    const stream = new ChildStream(this.#process.stdout, this.#process.stdin);
    this.#connection = new Connection(stream, maxFrameBytes, {
      onFrame: (incoming) => this.#onFrame(incoming),
      onClose: () => this.kill(BROKEN),
    });
    this.over = this.#end();
  }

  /** How many functions run in it. */
  get running(): number {
    return this.#running.size;
  }

  /** Whether it can take functions. */
  get alive(): boolean {
    return this.#killedFor === undefined;
  }

  /**
   * Runs a function.
   *
   * @param fn The function.
   * @param args Its arguments.
   * @param signal Aborts when nobody wants the result any more.
   * @returns What became of it; never rejects.
   */
  run(fn: FunctionSource, args: unknown[], signal: AbortSignal): Promise<TransferOutcome> {
    const { timeoutMs } = this.#options;
    const call = ++this.#lastId;
    const { promise, resolve } = Promise.withResolvers<TransferOutcome>();
    const cancelTimer = longTimeout(() => {
      this.kill(`a function in it ran longer than ${timeoutMs} ms`);
    }, timeoutMs);
    const abandon = () => {
      settle({ refused: new TransferError(`${fn.name} is not wanted any more`, MAYBE) });
      if (this.running === 0) this.kill("nobody wants what it does any more");
    };
    const settle = (outcome: TransferOutcome) => {
      cancelTimer();
      signal.removeEventListener("abort", abandon);
      this.#running.delete(call);
      resolve(outcome);
    };
    this.#running.set(call, { name: fn.name, settle });
    signal.addEventListener("abort", abandon);
    try {
      const payload = this.#codec.encode([fn.source, fn.name, ...args], "args");
      this.#connection.send(frame(Kind.Call, { call, payload }));
    } catch (error) {
      settle({ refused: error as DaffiError });
    }
    return promise;
  }

  #onFrame({ kind, call, payload }: Frame): void {
    const running = this.#running.get(call);
    if (running === undefined) return; // it was abandoned
    if (kind === Kind.Result) return running.settle({ value: this.#codec.decode(payload) });
    const error = decodeFailure(this.#codec, payload, { callbackName: running.name });
    const isThrown = error instanceof RemoteCallError;
    running.settle(isThrown ? { thrown: error.cause } : { refused: asRefusal(error) });
  }

  /** Ends the process at once. */
  kill(reason: string): void {
    if (this.#killedFor !== undefined) return;
    this.#killedFor = reason;
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended by itself.
    }
    this.#connection.close();
  }

  async #end(): Promise<void> {
    const { code, signal } = await this.#process.status;
    const { memoryLimitMb } = this.#options;
    const bySignal = signal === "SIGKILL" || signal === "SIGTRAP" || signal === "SIGABRT";
    const why = bySignal && this.#killedFor === BROKEN
      ? `it used more memory than its limit of ${memoryLimitMb} MiB, or was killed from outside`
      : this.#killedFor ?? `it ended with code ${code}`;
    this.#killedFor ??= why;
    this.#connection.close();
    for (const { name, settle } of [...this.#running.values()]) {
      settle({
        refused: new TransferError(
          `${name} did not finish, for its sandbox was ended: ${why}`,
          MAYBE,
        ),
      });
    }
  }
}

const MAYBE = { executed: "maybe" } as const;
const BROKEN = "it broke its connection";

function asRefusal(error: DaffiError): DaffiError {
  const known = error instanceof TransferError || error instanceof EncodeError;
  return known ? error : new TransferError(error.message, MAYBE);
}

function spawn(options: ResolvedTransferOptions, maxFrameBytes: number): Deno.ChildProcess {
  const { memoryLimitMb } = options;
  const main = import.meta.resolve("./sandbox_main.ts");
  const isLocal = main.startsWith("file:");
  const args = [
    ...["run", "--quiet", "--no-prompt", "--no-config", "--no-lock", "--no-npm"],
    isLocal ? "--no-remote" : "--cached-only",
    ...permissionFlags(options),
    `--v8-flags=--max-old-space-size=${memoryLimitMb}`,
    main,
    ...[Deno.pid, memoryLimitMb, maxFrameBytes].map(String),
  ];
  const pipes = { stdin: "piped", stdout: "piped", stderr: "inherit" } as const;
  const command = executable();
  try {
    return new Deno.Command(command, { args, ...pipes, clearEnv: isLocal }).spawn();
  } catch (error) {
    throw new TransferError(
      `Cannot run functions that others send: the sandbox cannot be started: ` +
        `${(error as Error).message}; grant --allow-run=${command} to this process, or set its ` +
        'option transfer to "deny"',
      { executed: "never", cause: error },
    );
  }
}

/** Without permission to know where Deno is, the one on the path. */
function executable(): string {
  try {
    return Deno.execPath();
  } catch {
    return "deno";
  }
}

function permissionFlags({ permissions }: ResolvedTransferOptions): string[] {
  const flags = PERMISSION_NAMES.flatMap((name) => {
    const allowed = permissions[name];
    if (allowed === true) return [`--allow-${name}`];
    // A comma within a value is written twice.
    if (Array.isArray(allowed) && allowed.length > 0) {
      return [`--allow-${name}=${allowed.map((one) => one.replaceAll(",", ",,")).join(",")}`];
    }
    return [];
  });
  if (permissions.import === undefined) flags.push("--deny-import");
  return flags;
}
