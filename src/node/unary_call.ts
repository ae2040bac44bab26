/**
 * A call of one process: one result, or one stream.
 *
 * @module
 */

import { type DaffiError, ProtocolError } from "../errors.ts";
import type { CallRequest } from "../internal/call_request.ts";
import { type Frame, frame, Kind } from "../wire/frame.ts";
import { kindName } from "../wire/kind_name.ts";
import type { InStream } from "./in_stream.ts";
import type { RemoteProcess } from "./network.ts";
import { PendingCall, type PendingPort } from "./pending_call.ts";

const NOTHING = (): void => {};

/** A call that waits for one process. */
export class UnaryCall extends PendingCall {
  #resolve: (value: unknown, process: RemoteProcess) => void;
  #reject: (error: Error) => void;
  #stream: InStream | undefined;
  #eager: boolean | undefined;

  /**
   * @param port What it needs of its node.
   * @param request What was asked for.
   * @param eager Whether a stream may begin before it is asked for its first item; `undefined` if there may be none.
   * @param resolve Gets the result, a value or a `StreamReader`, and whose it is.
   * @param reject Gets the error.
   */
  constructor(
    port: PendingPort,
    request: CallRequest,
    eager: boolean | undefined,
    resolve: (value: unknown, process: RemoteProcess) => void,
    reject: (error: Error) => void,
  ) {
    super(port, request);
    this.#eager = eager;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Tells who is called, just before the call is sent. */
  begin(target: RemoteProcess): void {
    this.target = target;
    target.pendingCalls++;
    for (const stream of this.streams) stream.start([target.id]);
  }

  expects(process: RemoteProcess): boolean {
    return this.target === process;
  }

  accept(incoming: Frame, process: RemoteProcess): void {
    if (this.#stream !== undefined) return this.acceptItem(this.#stream, incoming, process);
    switch (incoming.kind) {
      case Kind.Result: {
        const value = this.port.codec.decodePayload(incoming);
        if (this.settle()) this.#resolve(value, process);
        return;
      }
      case Kind.Error:
        return this.fail(this.failure(incoming.payload, process));
      case Kind.Undelivered:
        return this.fail(this.undelivered(incoming.value, process));
      case Kind.Stream:
        return this.#open(process);
      default:
        throw new ProtocolError(`${kindName(incoming.kind)} is not allowed here`);
    }
  }

  #open(process: RemoteProcess): void {
    if (this.#eager === undefined) throw new ProtocolError("Only calls have streams as results");
    const [stream, reader] = this.openStream(process, () => this.settle());
    this.#stream = stream;
    this.#resolve(reader, process);
    this.#resolve = this.#reject = NOTHING; // they would hold the reader
    if (this.#eager) stream.start();
  }

  lose(process: RemoteProcess, graceful: boolean): void {
    this.fail(this.lost(process, graceful && this.#stream === undefined));
  }

  breakOff(_: RemoteProcess, error: DaffiError): void {
    this.tellCancelled();
    this.fail(error);
  }

  expire(): void {
    this.tellCancelled();
    this.fail(this.timeoutError(this.target));
  }

  fail(error: Error): void {
    this.locate(error);
    if (this.#stream !== undefined) return this.#stream.fail(error);
    if (this.settle()) this.#reject(error);
  }

  protected override settle(): boolean {
    if (!super.settle()) return false;
    if (this.target !== undefined) this.target.pendingCalls--;
    return true;
  }

  protected tellCancelled(): void {
    this.#stream?.clear();
    if (!this.sent || this.target === undefined) return;
    this.port.send(frame(Kind.Cancel, { call: this.callId, peer: this.target.id }));
  }
}
