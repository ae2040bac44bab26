/**
 * Answers to the calls that this node runs.
 *
 * @module
 */

import { type DaffiError, EncodeError, OverloadedError } from "../errors.ts";
import { runInScope } from "../internal/call_scope.ts";
import { isA } from "../internal/is_a.ts";
import type { Logger } from "../internal/log.ts";
import { showError } from "../internal/show.ts";
import type { Codec } from "../wire/codec.ts";
import { encodeRefusal, encodeThrown } from "../wire/error_payload.ts";
import { type Attachment, callFrame, Flag, type Frame, frame, Kind } from "../wire/frame.ts";
import { wholeBytes } from "../wire/parts.ts";
import type { Streamable } from "../wire/streamable.ts";
import { causeOf, itemCheck, NotRun } from "./checks.ts";
import { OutStream } from "./out_stream.ts";
import type { RemoteProcess } from "./network.ts";
import type { Reply, RunningCall } from "./running_call.ts";
import type { Session } from "./session.ts";
import { checkSize, consumerLink } from "./stream_link.ts";

/**
 * Answers of up to so many bytes always have room, for a controller does not read on from a caller that asks
 * and does not read its answers.
 */
const SMALL_ANSWER_BYTES = 1024;

/** What is thrown because a call was given up. */
const GIVEN_UP = /^(AbortError|CallCancelledError|CallTimeoutError):/;

/** What no caller hears of. */
export interface ReplierCounts {
  /** Calls whose callback failed when nobody waited for the answer. */
  failedCalls: number;
}

/** What an answer is an answer to. */
export type Answerable = Pick<
  RunningCall,
  "callId" | "flags" | "source" | "callbackName" | "answered" | "attachments"
>;

/** A call that is answered before it runs, or instead. */
export function unrun(
  source: RemoteProcess,
  { call, flags }: Frame,
  callbackName: string,
): Answerable {
  return { callId: call, flags, source, callbackName, answered: false, attachments: undefined };
}

/** A result, or a failure, that is encoded already. */
export class Encoded {
  /** @param payload The encoded value or failure. */
  constructor(readonly payload: Uint8Array) {}
}

/** Sends exactly one answer to each call that wants one. */
export class Replier implements Reply {
  /** What no caller heard of so far. */
  readonly counts: ReplierCounts = { failedCalls: 0 };
  readonly #codec: Codec;
  readonly #logger: Logger;
  readonly #session: () => Session | undefined;

  /**
   * @param codec Turns results into payloads.
   * @param logger Where failures of calls without answer are told.
   * @param session Gives the session; without one nobody can be answered.
   */
  constructor(codec: Codec, logger: Logger, session: () => Session | undefined) {
    this.#codec = codec;
    this.#logger = logger;
    this.#session = session;
  }

  /** Answers with what the callback gave. */
  value(call: RunningCall, value: unknown): void {
    if (call.answered) return;
    call.closeArgumentStreams();
    // The items of a stream were taken one by one: that they were is all there is to tell.
    this.answer(call, (call.flags & Flag.Each) !== 0 ? undefined : value);
  }

  /** Answers with a value. */
  answer(call: Answerable, result: unknown): void {
    if ((call.flags & Flag.NoReply) !== 0) return void (call.answered = true);
    let payload: Uint8Array;
    try {
      payload = result instanceof Encoded
        ? result.payload
        : this.#codec.encode(result, "result", undefined, call);
      checkSize(payload, this.#session(), "the result", call.attachments);
    } catch (error) {
      return this.refuse(call, encodeFailure(error));
    }
    this.#send(call, Kind.Result, payload, call.attachments);
    call.attachments = undefined;
  }

  /** Answers with a stream; resolves when it is over. */
  async stream(call: RunningCall, source: Streamable): Promise<void> {
    const { source: { id: peer }, callId } = call;
    const fields = { call: callId, stream: 0 };
    const link = consumerLink(this.#codec, this.#session, fields, (fn) => runInScope(call, fn));
    const check = itemCheck(call);
    const unheard = (error: unknown) => this.#unheard(call, error);
    const stream = call.resultStream = new OutStream(source, { ...link, check, unheard });
    if (call.answered) return stream.cancel();
    call.answered = true;
    this.#session()?.outbox.post(frame(Kind.Stream, { call: callId, peer }));
    stream.start([peer]);
    await stream.finished.catch(() => {}); // its consumer was told
    call.closeArgumentStreams();
  }

  /** Answers with what the callback, or the way to it, threw. */
  failure(call: RunningCall, thrown: unknown): void {
    call.closeArgumentStreams();
    if (call.aborted) return this.#unheard(call, thrown);
    if (isA(thrown, NotRun)) return this.refuse(call, thrown.error);
    const encoded = isA(thrown, Encoded) ? thrown.payload : undefined;
    this.#fail(call, thrown, () => encoded ?? encodeThrown(this.#codec, thrown));
  }

  /** Answers that this node did not run the callback, or not to the end. */
  refuse(call: Answerable, error: DaffiError): void {
    this.#fail(call, error, () => encodeRefusal(this.#codec, error));
  }

  #fail(call: Answerable, error: unknown, encode: () => Uint8Array): void {
    if (call.answered) return;
    if ((call.flags & Flag.NoReply) === 0) return this.#send(call, Kind.Error, encode());
    call.answered = true;
    this.#tell(call, error);
  }

  /** What is thrown after the call was given up. */
  #unheard(call: Answerable, thrown: unknown): void {
    const error = causeOf(thrown);
    if (!GIVEN_UP.test(showError(error))) this.#tell(call, error);
  }

  #tell({ callbackName, source }: Answerable, error: unknown): void {
    this.counts.failedCalls++;
    this.#logger.warn(
      `daffi: a call failed that nobody waits for: ${callbackName}, called by ${source.name}:`,
      error,
    );
  }

  #send(
    call: Answerable,
    kind: Kind,
    payload: Uint8Array,
    attachments?: readonly Attachment[],
  ): void {
    call.answered = true;
    const outbox = this.#session()?.outbox;
    let answer = callFrame(kind, call.callId, 0, call.source.id, payload, attachments);
    if (wholeBytes(answer) > SMALL_ANSWER_BYTES && outbox?.hasRoom(answer) === false) {
      const error = new OverloadedError(
        `Cannot answer ${call.callbackName}: too much waits for ${call.source.name} already`,
        { executed: "yes" },
      );
      const refusal = encodeRefusal(this.#codec, error);
      answer = callFrame(Kind.Error, call.callId, 0, call.source.id, refusal);
    }
    outbox?.post(answer);
  }
}

/** The callback ran, only its result cannot travel. A getter in the result may throw anything. */
function encodeFailure(error: unknown): DaffiError {
  const message = error instanceof EncodeError ? error.message : "Cannot send the result";
  return new EncodeError(message, { executed: "yes", cause: error });
}
