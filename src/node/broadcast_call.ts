/**
 * A call of every process that offers a callback: one outcome from each.
 *
 * @module
 */

import {
  BroadcastError,
  CallbackNotFoundError,
  type DaffiError,
  type Executed,
  ProtocolError,
} from "../errors.ts";
import type { CallRequest } from "../internal/call_request.ts";
import { Flag, type Frame, frame, Kind } from "../wire/frame.ts";
import { kindName } from "../wire/kind_name.ts";
import type { InStream } from "./in_stream.ts";
import type { RemoteProcess } from "./network.ts";
import { PendingCall, type PendingPort } from "./pending_call.ts";
import type { StreamReader } from "./stream_reader.ts";

const NOTHING = (): void => {};

/** A call that waits for several processes. */
export class BroadcastCall extends PendingCall {
  /** Those of its frames. */
  readonly flags: number;
  /** Those that have not answered yet; known once it is sent. */
  #waiting: Set<RemoteProcess> | undefined;
  /** Streams by which some have answered, until they are over. */
  #streams: Map<RemoteProcess, InStream> | undefined;
  #results = new Map<string, unknown>();
  #errors = new Map<string, DaffiError>();
  /** Whether the caller has been given the outcome. */
  #isKnown = false;
  #resolve: (results: Record<string, unknown>) => void;
  #reject: (error: Error) => void;

  /**
   * @param port What it needs of its node.
   * @param request What was asked for.
   * @param flags What its frames say beside.
   * @param resolve Gets the results by process name, if none failed.
   * @param reject Gets a {@linkcode BroadcastError} if one did.
   */
  constructor(
    port: PendingPort,
    request: CallRequest,
    flags: number,
    resolve: (results: Record<string, unknown>) => void,
    reject: (error: Error) => void,
  ) {
    super(port, request);
    this.flags = flags;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Tells who was called. Answers come after this. */
  begin(targets: readonly RemoteProcess[]): void {
    if (this.#waiting !== undefined) throw new ProtocolError("A broadcast has its targets already");
    this.#waiting = new Set(targets);
    for (const target of targets) {
      target.pendingCalls++;
      // In the same order each time: an object with other keys than the last one is slow to make.
      this.#results.set(target.name, undefined);
    }
    for (const stream of this.streams) stream.start(targets.map((target) => target.id));
    if (targets.length > 0) return;
    this.fail(
      new CallbackNotFoundError(
        `Cannot broadcast ${this.callbackName}: no other process offers it any more`,
        { ...this.facts(), executed: "never" },
      ),
    );
  }

  expects(process: RemoteProcess): boolean {
    return this.#waiting?.has(process) === true || this.#streams?.has(process) === true;
  }

  accept(incoming: Frame, process: RemoteProcess): void {
    const stream = this.#streams?.get(process);
    if (stream !== undefined) return this.acceptItem(stream, incoming, process);
    switch (incoming.kind) {
      case Kind.Result:
        this.#results.set(process.name, this.port.codec.decodePayload(incoming));
        this.#over(process);
        return this.#answered(process);
      case Kind.Stream:
        if ((this.flags & Flag.Each) !== 0) throw new ProtocolError("STREAM is not allowed here");
        this.#results.set(process.name, this.#open(process));
        return this.#answered(process);
      case Kind.Error:
        return this.#failed(process, this.failure(incoming.payload, process));
      case Kind.Undelivered:
        return this.#failed(process, this.undelivered(incoming.value, process));
      default:
        throw new ProtocolError(`${kindName(incoming.kind)} is not an answer to a broadcast`);
    }
  }

  /** It is over when its outcome is known and all streams among the results have ended. */
  #open(process: RemoteProcess): StreamReader {
    const streams = this.#streams ??= new Map();
    const [stream, reader] = this.openStream(process, () => {
      streams.delete(process);
      this.#over(process);
      if (this.#isKnown && streams.size === 0) this.settle();
    });
    streams.set(process, stream);
    return reader;
  }

  lose(process: RemoteProcess, graceful: boolean): void {
    this.failAt(process, this.lost(process, graceful && !this.#streams?.has(process)));
  }

  breakOff(process: RemoteProcess, error: DaffiError): void {
    this.#tellCancelled(process);
    this.failAt(process, error);
  }

  /** One of the processes cannot be called, or not answer to the end. */
  failAt(process: RemoteProcess, error: DaffiError): void {
    const stream = this.#streams?.get(process);
    if (stream !== undefined) stream.fail(this.locate(error));
    else if (this.#waiting?.has(process)) this.#failed(process, error);
  }

  expire(): void {
    this.tellCancelled();
    // Of a stream there are no results that some may have given in time.
    if ((this.flags & Flag.Each) !== 0) return this.fail(this.timeoutError());
    for (const process of [...this.#waiting ?? [], ...this.#streams?.keys() ?? []]) {
      this.failAt(process, this.timeoutError(process));
    }
    this.fail(this.timeoutError()); // it was not even sent
  }

  fail(error: Error): void {
    this.locate(error);
    for (const stream of [...this.#streams?.values() ?? []]) stream.fail(error);
    if (this.settle() && !this.#isKnown) this.#reject(error);
  }

  protected override settle(): boolean {
    for (const process of this.#waiting ?? []) process.pendingCalls--;
    this.#waiting?.clear();
    return super.settle();
  }

  protected tellCancelled(): void {
    for (const process of this.#waiting ?? []) this.#tellCancelled(process);
    for (const [process, stream] of this.#streams ?? []) {
      stream.clear();
      this.#tellCancelled(process);
    }
  }

  #tellCancelled({ id: peer }: RemoteProcess): void {
    this.port.send(frame(Kind.Cancel, { call: this.callId, peer }));
  }

  #failed(process: RemoteProcess, error: DaffiError): void {
    this.#results.delete(process.name);
    this.#errors.set(process.name, this.locate(error));
    this.#over(process);
    this.#answered(process);
  }

  /** A process does nothing for this call any more. */
  #over(process: RemoteProcess): void {
    process.pendingCalls--;
    for (const stream of this.streams) stream.drop(process.id);
  }

  #answered(process: RemoteProcess): void {
    this.#waiting!.delete(process);
    if (this.#waiting!.size === 0) this.#finish();
  }

  /** How far all of it got: certain only if it is the same everywhere. */
  #executed(): Executed {
    const reports = new Set([...this.#errors.values()].map(({ executed = "maybe" }) => executed));
    if (this.#results.size > 0) reports.add("yes");
    return reports.size === 1 ? [...reports][0]! : "maybe";
  }

  #finish(): void {
    const results = Object.fromEntries(this.#results);
    const error = this.#errors.size === 0 ? undefined : this.locate(this.#error(results));
    this.#isKnown = true;
    if (!this.#streams?.size) this.settle();
    if (error === undefined) this.#resolve(results);
    else this.#reject(error);
    // They would hold what is read from streams, which is to be garbage when nobody does.
    this.#results.clear();
    this.#resolve = this.#reject = NOTHING;
  }

  #error(results: Record<string, unknown>): BroadcastError {
    const all = this.#results.size + this.#errors.size;
    const told = Array.from(this.#errors, ([name, { message }]) => `${name}: ${message}`);
    return new BroadcastError(
      `${this.#errors.size} of ${all} processes failed at ${this.callbackName}: ${told.join("; ")}`,
      results,
      Object.fromEntries(this.#errors),
      {
        executed: this.#executed(),
        callbackName: this.callbackName,
        callId: this.callId,
        cause: [...this.#errors.values()][0],
      },
    );
  }
}
