/**
 * A call that this node runs for another process.
 *
 * @module
 */

import { type AsyncContext, type CallScope, runInScope } from "../internal/call_scope.ts";
import { monotonicMs } from "../internal/monotonic.ts";
import { CallCancelledError, type DaffiError } from "../errors.ts";
import type { RegisteredCallback } from "../registry/registered_callback.ts";
import type { AttachmentTaker } from "../wire/codec.ts";
import type { Attachment, Frame } from "../wire/frame.ts";
import type { InStream } from "./in_stream.ts";
import type { RemoteProcess } from "./network.ts";
import type { OutStream } from "./out_stream.ts";

/** Who hears of a call's outcome. */
export interface Reply {
  /** The callback gave a value. */
  value(call: RunningCall, value: unknown): void;
  /** The callback, or the way to it, threw. */
  failure(call: RunningCall, thrown: unknown): void;
  /** This node did not run the callback, or not to the end. */
  refuse(call: RunningCall, error: DaffiError): void;
  /** Nothing of the call runs any more, which may be long after it was refused. */
  ended?(): void;
}

/** What is known of a call when it comes in. */
export interface IncomingCall {
  readonly g: unknown;
  readonly source: RemoteProcess;
  readonly callId: number;
  readonly flags: number;
  readonly callback: RegisteredCallback;
  /** How long the caller waits, in milliseconds; 0 for no limit. */
  readonly callerTimeoutMs: number;
  readonly reply: Reply;
}

const NONE: unknown[] = [];

/** The call's state, and what the callback sees of it. */
export class RunningCall implements CallScope, AttachmentTaker {
  readonly g: unknown;
  readonly source: RemoteProcess;
  readonly callId: number;
  readonly flags: number;
  readonly callback: RegisteredCallback;
  readonly reply: Reply;
  readonly deadlineAt: number;
  /** Whether the callback's own limit comes before the caller's. */
  readonly limitedByCallback: boolean;
  /** The arguments, from when they are decoded until the callback gets them. */
  args: unknown[] = NONE;
  /** What came, while it waits for its turn: as values it may take far more memory than its bytes. */
  queued: Frame | undefined = undefined;
  /** Why nobody sends what iterables among them would give. */
  lost: Error | undefined = undefined;
  /** Iterables among the arguments by their number, if there are any. */
  argumentStreams: Map<number, InStream> | undefined;
  /** The result, if it is a stream. */
  resultStream: OutStream | undefined;
  /** Large arrays of bytes in the result, until it is sent. */
  attachments: Attachment[] | undefined = undefined;
  /** See {@linkcode CallScope.shown}. */
  shown: object | undefined = undefined;
  /** See {@linkcode CallScope.asyncContext}. */
  asyncContext: AsyncContext | undefined = undefined;
  /** Whether nothing may be sent back any more. */
  answered = false;
  /** Whether the node keeps it in its table. */
  tracked = false;
  #controller: AbortController | undefined;
  #abortReason: DaffiError | undefined;

  constructor(incoming: IncomingCall) {
    this.g = incoming.g;
    this.source = incoming.source;
    this.callId = incoming.callId;
    this.flags = incoming.flags;
    this.callback = incoming.callback;
    this.reply = incoming.reply;
    const { callerTimeoutMs } = incoming;
    const { timeoutMs = Infinity } = this.callback;
    const most = Math.min(callerTimeoutMs === 0 ? Infinity : callerTimeoutMs, timeoutMs);
    this.deadlineAt = most === Infinity ? Infinity : monotonicMs() + most;
    this.limitedByCallback = most === timeoutMs;
  }

  /** Gives the arguments away: what the callback drops is not kept for as long as it runs. */
  takeArgs(): unknown[] {
    const { args } = this;
    this.args = NONE;
    this.queued = undefined;
    return args;
  }

  /** Whether nobody called it: it is due. */
  get isTask(): boolean {
    return this.source.id === 0;
  }

  get caller(): string {
    return this.source.name;
  }

  get callbackName(): string {
    return this.callback.name;
  }

  get deadline(): number | undefined {
    if (this.deadlineAt === Infinity) return undefined;
    return Math.round(Date.now() + this.deadlineAt - monotonicMs());
  }

  /** Made when it is first asked for: most callbacks never do. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  /** Whether the result is not wanted any more. */
  get aborted(): boolean {
    return this.#abortReason !== undefined;
  }

  /** Tells the callback that its result is not wanted, and ends its streams. */
  abort(reason: DaffiError): void {
    if (this.aborted) return;
    this.#abortReason = reason;
    this.answered = true;
    this.queued = undefined; // whoever still knows of the call would keep it
    if (this.#controller !== undefined) runInScope(this, () => this.#controller!.abort(reason));
    this.resultStream?.cancel();
    for (const stream of this.argumentStreams?.values() ?? []) stream.breakOff(reason);
  }

  /** The same when it is this side that gives up: the caller, who still waits, is told. */
  giveUp(reason: DaffiError): void {
    this.reply.refuse(this, reason);
    this.resultStream?.abandon(reason);
    this.abort(reason);
  }

  /**
   * The callback gets no more of its arguments: whoever still reads is told why, for example a loop
   * that it has left running behind its answer.
   *
   * @param reason Why not, if the call was not answered.
   */
  closeArgumentStreams(reason?: Error): void {
    for (const stream of this.argumentStreams?.values() ?? []) {
      if (reason === undefined) stream.cancel(() => answered(this));
      else stream.fail(reason);
    }
  }
}

function answered({ callbackName, callId }: RunningCall): DaffiError {
  const message = `The call of ${callbackName} was answered: streams of its arguments end with it`;
  return new CallCancelledError(message, { callbackName, callId, executed: "yes" });
}
