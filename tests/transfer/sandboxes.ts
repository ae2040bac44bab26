/**
 * Sandboxes for tests: started, asked, and gone at the end of their scope.
 *
 * @module
 */

import { fail } from "@std/assert";
import { type DaffiError, RemoteCallError } from "../../src/errors.ts";
import { sourceOf } from "../../src/transfer/function_source.ts";
import { resolveTransfer } from "../../src/transfer/resolve_transfer.ts";
import type { TransferOutcome } from "../../src/transfer/function_runner.ts";
import { Sandbox } from "../../src/transfer/sandbox.ts";
import { SANDBOX_PROGRAM } from "../../src/transfer/sandbox_program.ts";
import type { TransferOptions } from "../../src/transfer/transfer_options.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { decodeFailure } from "../../src/wire/error_payload.ts";
import { within } from "../helpers/soon.ts";
import { RecordingLogger } from "../helpers/recording_logger.ts";

// deno-lint-ignore no-explicit-any -- any function
type AnyFunction = (...args: any[]) => unknown;

/** Largest frame of these sandboxes. */
export const MAX_FRAME_BYTES = 4 * 1024 * 1024;

/** A sandbox that takes functions as they are. */
export class TestSandbox implements AsyncDisposable {
  readonly sandbox: Sandbox;
  /** What its functions print. */
  readonly logger = new RecordingLogger();

  /**
   * @param options As in the option `transfer`; the time is shorter by default.
   * @param program What runs in it.
   */
  constructor(options: TransferOptions = {}, program = SANDBOX_PROGRAM) {
    const resolved = resolveTransfer({ timeout: "10s", memoryLimitMb: 128, ...options });
    this.sandbox = new Sandbox({
      program,
      transfer: resolved,
      maxFrameBytes: MAX_FRAME_BYTES,
      logger: this.logger,
      sender: "sender",
    });
  }

  /** What becomes of `fn`. */
  outcome(
    fn: AnyFunction,
    args: unknown[] = [],
    signal: AbortSignal = new AbortController().signal,
  ): Promise<TransferOutcome> {
    return within(
      "the outcome",
      this.sandbox.run(sourceOf(fn), encodeArguments(args), signal),
      20_000,
    );
  }

  /** What `fn` gives. */
  async value(fn: AnyFunction, ...args: unknown[]): Promise<unknown> {
    return valueIn(await this.outcome(fn, args));
  }

  /** Why `fn` was not run to its end. */
  async refusal(fn: AnyFunction, ...args: unknown[]): Promise<DaffiError> {
    return refusalIn(await this.outcome(fn, args));
  }

  /** What `fn` throws. */
  async thrown(fn: AnyFunction, ...args: unknown[]): Promise<unknown> {
    const outcome = await this.outcome(fn, args);
    const error = failureIn(outcome);
    if (error instanceof RemoteCallError) return error.cause;
    return fail(`nothing was thrown: ${Deno.inspect(outcome)}`);
  }

  /** Resolves when its process has ended by itself. */
  ended(): Promise<void> {
    return within("the end of the sandbox", this.sandbox.over);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.sandbox.kill("the test is over");
    await this.sandbox.over;
  }
}

/** Arguments as they travel. */
export function encodeArguments(args: readonly unknown[]): Uint8Array {
  return new MessagePackCodec().encode(args, "args").slice();
}

/** The value of a function that gave one. */
export function valueIn(outcome: TransferOutcome): unknown {
  if ("payload" in outcome) return new MessagePackCodec().decode(outcome.payload);
  throw "thrown" in outcome ? outcome.thrown : failureIn(outcome);
}

/** What the sender of one that failed gets. */
function failureIn(outcome: TransferOutcome): DaffiError | undefined {
  if ("refused" in outcome) return outcome.refused;
  if (!("failure" in outcome)) return undefined;
  return decodeFailure(new MessagePackCodec(), outcome.failure, {});
}

/** The reason of one that did not come to its end. */
export function refusalIn(outcome: TransferOutcome): DaffiError {
  const error = failureIn(outcome);
  if (error !== undefined && !(error instanceof RemoteCallError)) return error;
  return fail(`it was not refused: ${Deno.inspect(outcome)}`);
}
