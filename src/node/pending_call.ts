/**
 * What a call that waits for answers has in common, however many answers it waits for.
 *
 * @module
 */

import {
  AuthenticationError,
  CallCancelledError,
  CallTimeoutError,
  DaffiError,
  EncodeError,
  type FailedCall,
  OverloadedError,
  PeerLostError,
  ProcessNotFoundError,
  ProtocolError,
} from "../errors.ts";
import type { CallRequest } from "../internal/call_request.ts";
import { currentScope } from "../internal/call_scope.ts";
import { monotonicMs } from "../internal/monotonic.ts";
import { whenAborted } from "../internal/when_aborted.ts";
import { isA } from "../internal/is_a.ts";
import { concerning } from "../internal/concerning.ts";
import type { Logger } from "../internal/log.ts";
import { type CallSite, showCallSite } from "../internal/call_site.ts";
import type { AttachmentTaker, Codec, StreamWriter } from "../wire/codec.ts";
import type { Streamable } from "../wire/streamable.ts";
import { decodeFailure } from "../wire/error_payload.ts";
import { type Attachment, type Frame, frame, Kind, Undelivered } from "../wire/frame.ts";
import { kindName } from "../wire/kind_name.ts";
import { InStream } from "./in_stream.ts";
import type { RemoteProcess } from "./network.ts";
import type { OutStream } from "./out_stream.ts";
import type { Session } from "./session.ts";
import { argumentStream } from "./stream_link.ts";
import { StreamReader } from "./stream_reader.ts";

/** What a pending call needs of its node. */
export interface PendingPort {
  /** Turns payloads into values. */
  readonly codec: Codec;
  /** Time given to calls that say nothing, in milliseconds. */
  readonly defaultTimeoutMs: number;
  /** Where results that nobody reads are told. */
  readonly logger: Logger;
  /** Gives the present session. */
  session(): Session | undefined;
  /** Sends a small frame at once. */
  send(frame: Frame): void;
  /** Forgets the call: nothing can settle it any more. */
  forget(call: PendingCall): void;
}

/** Why something is not there, at the end of a message. */
export const NOT_CONNECTED = ": there is no connection to the controller";

/** What four bytes can hold: 49 days. */
const MAX_TIME_LEFT = 0xffffffff;
const NO_STREAMS: readonly OutStream[] = [];

/** A call that waits for answers. */
export abstract class PendingCall implements AttachmentTaker, StreamWriter {
  /** Set when the call is added to the table. */
  callId = 0;
  /** The one process that is called, when it was chosen. */
  protected target: RemoteProcess | undefined = undefined;
  /** Whether it waits for the node to be connected. */
  queued = false;
  /** Large arrays of bytes among the arguments, until they are sent. */
  attachments: Attachment[] | undefined = undefined;
  /** Time given, in milliseconds; `Infinity` for no limit, `NaN` if it is that of the call it is made in. */
  readonly timeoutMs: number;
  /** When that ends, on the monotonic clock. */
  readonly deadlineAt: number;
  readonly callbackName: string;
  protected readonly port: PendingPort;
  /** Iterables among the arguments; number n is at n − 1. */
  #streams: OutStream[] | undefined;
  /** By the same clock, if it is sent at once and has a time of its own. */
  #madeAt = 0;
  #site: CallSite | undefined;
  #stopListening: (() => void) | undefined;
  readonly #verb: string | undefined;
  #settled = false;
  #sent = false;

  constructor(port: PendingPort, request: CallRequest) {
    const { callbackName, verb, timeoutMs = port.defaultTimeoutMs, signal, site } = request;
    const inherited = currentScope()?.deadlineAt ?? Infinity;
    let own = Infinity;
    if (timeoutMs !== Infinity) own = timeoutMs + (this.#madeAt = monotonicMs());
    this.port = port;
    this.callbackName = callbackName;
    this.#verb = verb;
    this.timeoutMs = own <= inherited ? timeoutMs : NaN;
    this.deadlineAt = own <= inherited ? own : inherited;
    this.#site = site;
    if (signal === undefined) return;
    this.#stopListening = whenAborted(signal, () => this.cancel(signal.reason));
  }

  /** Iterables among the arguments; number n is at n − 1. */
  get streams(): readonly OutStream[] {
    return this.#streams ?? NO_STREAMS;
  }

  /** See {@linkcode StreamWriter.addStream}. */
  addStream(source: Streamable): number {
    const { codec, session } = this.port;
    const streams = this.#streams ??= [];
    const fields = { call: this.callId, stream: streams.length + 1 };
    const stream = argumentStream(source, codec, session, fields);
    if (this.#settled) stream.cancel(); // by a getter that aborts the signal
    return streams.push(stream);
  }

  /** Whether the caller has its outcome. */
  get settled(): boolean {
    return this.#settled;
  }

  /** The milliseconds left as they travel: 0 for no limit. */
  get timeLeft(): number {
    if (this.deadlineAt === Infinity) return 0;
    // Looking at the clock is a good part of what a call costs: it was done when the call was made.
    return timeLeft(this.deadlineAt, this.#madeAt === 0 ? monotonicMs() : this.#madeAt);
  }

  /** Whether the time of the call that it is made in is over already. */
  get isLate(): boolean {
    return Number.isNaN(this.timeoutMs) && this.deadlineAt <= monotonicMs();
  }

  /** Whether it was handed to the connection. */
  get sent(): boolean {
    return this.#sent;
  }

  /** It is connected now. */
  waited(): void {
    this.queued = false;
    this.#madeAt = 0;
  }

  /** Called when it is about to be handed to the connection; false if it is not wanted any more. */
  claim(): boolean {
    this.#sent = !this.#settled;
    return this.#sent;
  }

  /** It was not handed to the connection, because its target is gone: `lose` tells the caller. */
  dropped(): void {}

  /** Whether an answer may come from this process. */
  abstract expects(process: RemoteProcess): boolean;
  /** Takes an answer. @throws {ProtocolError} when it cannot be decoded. */
  abstract accept(frame: Frame, process: RemoteProcess): void;
  /** A process that may have been called is gone. See {@linkcode PendingCall.lost}. */
  abstract lose(process: RemoteProcess, graceful: boolean): void;
  /** The time is over. */
  abstract expire(): void;
  /** Fails the call as a whole. */
  abstract fail(error: Error): void;

  /** The caller wants the outcome no more. */
  cancel(reason?: unknown): void {
    if (this.#settled) return;
    this.tellCancelled();
    this.fail(
      new CallCancelledError(`The ${this.#deed} was cancelled`, {
        ...this.facts(),
        cause: reason,
      }),
    );
  }

  /** A process sent what cannot be used: it is told to stop. */
  abstract breakOff(process: RemoteProcess, error: DaffiError): void;

  /** Tells those who still work on it to stop, and drops what they sent. */
  protected abstract tellCancelled(): void;

  /** What this call is, for messages. */
  get #deed(): string {
    return this.#verb === undefined ? `call of ${this.callbackName}` : `request to ${this.#verb}`;
  }

  /** What an error tells of this call. */
  protected facts(process: RemoteProcess | undefined = this.target): FailedCall {
    const { callbackName, callId } = this;
    const executed = this.#sent ? "maybe" : "never";
    return {
      callbackName: callbackName || undefined,
      callId: callId || undefined,
      executed,
      processName: process?.name,
    };
  }

  /** Marks the call as settled and frees what it holds; false if it was before. */
  protected settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    this.#stopListening?.();
    for (const stream of this.streams) stream.cancel();
    this.port.forget(this);
    return true;
  }

  /**
   * Opens the stream by which a process answers.
   *
   * @param over Called when it is over on this side.
   * @returns Where items come in, and what the caller reads them by.
   */
  protected openStream(process: RemoteProcess, over: () => void): [InStream, StreamReader] {
    const fields = { call: this.callId, peer: process.id };
    const stream: InStream = new InStream({
      credit: (value) => this.port.send(frame(Kind.Credit, { ...fields, value })),
      stop: () => this.port.send(frame(Kind.Stop, fields)),
      over: () => {
        StreamReader.over(stream);
        over();
      },
      locate: (error) => {
        return this.locate(concerning(error, { processName: process.name, executed: "yes" }));
      },
    });
    return [stream, new StreamReader(stream, () => this.#forsaken(process, stream))];
  }

  /** The reader is garbage: nobody can take the items any more, as if it had left its loop. */
  #forsaken({ name }: RemoteProcess, stream: InStream): void {
    const why = "daffi: items were dropped that nobody can read any more";
    this.port.logger.warn(`${why}: those of ${this.callbackName} on ${name}`);
    stream.cancel();
  }

  /** Takes a frame of such a stream. @throws {ProtocolError} when it is none, or cannot be decoded. */
  protected acceptItem(stream: InStream, incoming: Frame, process: RemoteProcess): void {
    switch (incoming.kind) {
      case Kind.Item:
        return stream.accept(this.port.codec, incoming);
      case Kind.End:
        return stream.finish();
      case Kind.Fail:
        return stream.fail(this.failure(incoming.payload, process));
      case Kind.Undelivered:
        return stream.fail(this.undelivered(incoming.value, process));
      default:
        throw new ProtocolError(`${kindName(incoming.kind)} is not allowed here`);
    }
  }

  /** The error of an `ERROR` or `FAIL` frame, with the place of the call. */
  protected failure(payload: Uint8Array, process: RemoteProcess): DaffiError {
    return this.locate(decodeFailure(this.port.codec, payload, this.facts(process)));
  }

  /** The error of a call that the controller could not forward. */
  protected undelivered(reason: number, process: RemoteProcess): DaffiError {
    const facts = { ...this.facts(process), executed: "never" } as const;
    const what = `Cannot ${this.#verb ?? `call ${this.callbackName}`} on ${process.name}`;
    // What is too large may be one item of a stream, and the callback at work.
    this.port.send(frame(Kind.Cancel, { call: this.callId, peer: process.id }));
    switch (reason) {
      case Undelivered.AnswerTooLarge:
        return new EncodeError(
          `${what}: it answered with more than fits into a frame here`,
          { ...facts, executed: "yes" },
        );
      case Undelivered.TooLarge: {
        const large = "the arguments, or an item of theirs, are larger than it accepts";
        const executed = this.streams.length > 0 ? "maybe" : "never";
        return new EncodeError(`${what}: ${large}`, { ...facts, executed });
      }
      case Undelivered.Denied:
        return new AuthenticationError(`${what}: the controller does not allow it`, facts);
      case Undelivered.Overloaded:
        return new OverloadedError(`${what}: too much waits for it`, facts);
      default:
        return new ProcessNotFoundError(`${what}: it has just left`, facts);
    }
  }

  /**
   * The error of a call whose process is gone.
   *
   * @param graceful Whether it had answered everything that it took, so it has not taken this.
   */
  protected lost(process: RemoteProcess, graceful: boolean): DaffiError {
    const { name } = process;
    const facts = this.facts(process);
    if (!graceful) {
      return new PeerLostError(`Process ${name} was lost during the ${this.#deed}`, facts);
    }
    return new PeerLostError(`Process ${name} has left before the ${this.#deed} came`, {
      ...facts,
      executed: "never",
    });
  }

  /** The error of a call that was under way when the own connection broke. */
  connectionLost(): DaffiError {
    return new PeerLostError(
      `The connection to the controller was lost during the ${this.#deed}`,
      this.facts(),
    );
  }

  /** The error of a call that took too long. */
  protected timeoutError(process?: RemoteProcess): DaffiError {
    const where = process === undefined ? "" : ` on ${process.name}`;
    const what = this.#sent ? "was not answered" : "could not be sent";
    const within = Number.isFinite(this.timeoutMs)
      ? `within ${Math.ceil(this.timeoutMs)} ms`
      : "in time";
    const why = this.port.session() === undefined ? NOT_CONNECTED : "";
    return this.locate(
      new CallTimeoutError(
        `The ${this.#deed}${where} ${what} ${within}${why}`,
        this.facts(process),
      ),
    );
  }

  /** Adds the place of the call to an error's stack. */
  protected locate<E>(error: E): E {
    if (!isA(error, DaffiError)) return error; // what the source of a stream threw
    const { remoteStack } = error as { remoteStack?: string };
    showCallSite(error, this.#site, remoteStack);
    return concerning(error, this.facts());
  }
}

/** The milliseconds left as they travel: 0 for no limit, or for more than the field can hold. */
export function timeLeft(deadlineAt: number, now: number): number {
  const left = deadlineAt - now;
  return left > MAX_TIME_LEFT ? 0 : Math.max(1, Math.ceil(left));
}
