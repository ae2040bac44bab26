/**
 * A call of every process that offers a callback: one outcome from each.
 *
 * @module
 */

import {
  BroadcastError,
  CallbackNotFoundError,
  type DaffiError,
  EncodeError,
  type Executed,
  ProtocolError,
} from "../errors.ts";
import type { CallRequest } from "../internal/call_request.ts";
import { Flag, type Frame, frame, Kind } from "../wire/frame.ts";
import { kindName } from "../wire/kind_names.ts";
import type { RemoteProcess } from "./network.ts";
import { PendingCall, type PendingPort } from "./pending_call.ts";

/** A call that waits for several processes. */
export class BroadcastCall extends PendingCall {
  /** Those of its frames. */
  readonly flags: number;
  #waiting: Set<RemoteProcess> | undefined;
  #results = new Map<string, unknown>();
  #errors = new Map<string, DaffiError>();
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
    return this.#waiting?.has(process) === true;
  }

  accept(incoming: Frame, process: RemoteProcess): void {
    switch (incoming.kind) {
      case Kind.Result:
        this.#results.set(
          process.name,
          this.port.codec.decodePayload(incoming),
        );
        return this.#answered(process);
      case Kind.Error:
        return this.#failed(process, this.failure(incoming.payload, process));
      case Kind.Undelivered:
        return this.#failed(process, this.undelivered(incoming.value, process));
      case Kind.Stream:
        this.port.send(frame(Kind.Stop, { call: this.callId, peer: process.id }));
        return this.#failed(
          process,
          new EncodeError(
            `Cannot broadcast ${this.callbackName}: ${process.name} answers with a stream; call it ` +
              "with fg({ to }) instead",
            { ...this.facts(process), executed: "yes" },
          ),
        );
      default:
        throw new ProtocolError(`${kindName(incoming.kind)} is not an answer to a broadcast`);
    }
  }

  lose(process: RemoteProcess, graceful: boolean): void {
    this.#failed(process, this.lost(process, graceful));
  }

  breakOff(process: RemoteProcess, error: DaffiError): void {
    this.#tellCancelled(process);
    this.#failed(process, error);
  }

  /** It cannot be sent to one of the processes. */
  failAt(process: RemoteProcess, error: DaffiError): void {
    if (this.expects(process)) this.#failed(process, error);
  }

  expire(): void {
    this.tellCancelled();
    // Of a stream there are no results that some may have given in time.
    if ((this.flags & Flag.Each) !== 0) return this.fail(this.timeoutError());
    for (const process of [...this.#waiting ?? []]) {
      this.#failed(process, this.timeoutError(process));
    }
    this.fail(this.timeoutError()); // it was not even sent
  }

  fail(error: Error): void {
    if (this.settle()) this.#reject(this.locate(error));
  }

  protected override settle(): boolean {
    for (const process of this.#waiting ?? []) process.pendingCalls--;
    this.#waiting?.clear();
    return super.settle();
  }

  protected tellCancelled(): void {
    for (const process of this.#waiting ?? []) this.#tellCancelled(process);
  }

  #tellCancelled({ id: peer }: RemoteProcess): void {
    this.port.send(frame(Kind.Cancel, { call: this.callId, peer }));
  }

  #failed(process: RemoteProcess, error: DaffiError): void {
    this.#results.delete(process.name);
    this.#errors.set(process.name, this.locate(error));
    this.#answered(process);
  }

  #answered(process: RemoteProcess): void {
    process.pendingCalls--;
    this.#waiting!.delete(process);
    for (const stream of this.streams) stream.drop(process.id);
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
    if (this.#errors.size === 0) {
      if (this.settle()) this.#resolve(results);
      return;
    }
    const all = this.#results.size + this.#errors.size;
    const told = Array.from(this.#errors, ([name, { message }]) => `${name}: ${message}`);
    this.fail(
      new BroadcastError(
        `${this.#errors.size} of ${all} processes failed at ${this.callbackName}: ${
          told.join("; ")
        }`,
        results,
        Object.fromEntries(this.#errors),
        {
          executed: this.#executed(),
          callbackName: this.callbackName,
          callId: this.callId,
          cause: [...this.#errors.values()][0],
        },
      ),
    );
  }
}
