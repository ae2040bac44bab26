/**
 * The calls that this node runs and that take longer than a turn of the event loop: whose they are, who waits
 * for a turn, and when their time is over.
 *
 * @module
 */

import { CallCancelledError, CallTimeoutError, type DaffiError, type Executed } from "../errors.ts";
import { Deadlines } from "../internal/deadlines.ts";
import type { RegisteredCallback } from "../registry/registered_callback.ts";
import { Flag, type Frame, ownFrame } from "../wire/frame.ts";
import { wholeBytes } from "../wire/parts.ts";
import type { RunningCall } from "./running_call.ts";
import { Turns } from "./turns.ts";

/** Keeps them until they have ended. */
export class RunningCalls {
  readonly #neverRan: (call: RunningCall) => void;
  /** By source and call id; those without answer whose number is another's by now by themselves. */
  readonly #calls = new Map<number, Map<number | RunningCall, RunningCall>>();
  /** Those that have a deadline which has not passed. */
  readonly #limited = new Set<RunningCall>();
  readonly #deadlines = new Deadlines<RunningCall>(
    () => this.#limited,
    (call) => this.#expire(call),
  );
  readonly #turns = new WeakMap<RegisteredCallback, Turns<RunningCall>>();

  /** @param neverRan Called with one that was ended while it waited for its turn. */
  constructor(neverRan: (call: RunningCall) => void) {
    this.#neverRan = neverRan;
  }

  /** The one with this number. */
  get(sourceId: number, callId: number): RunningCall | undefined {
    return this.#calls.get(sourceId)?.get(callId);
  }

  /** Keeps one. Another with its number is not wanted any more. */
  track(call: RunningCall): void {
    if (call.tracked) return;
    call.tracked = true;
    let calls = this.#calls.get(call.source.id);
    if (calls === undefined) this.#calls.set(call.source.id, calls = new Map());
    const former = calls.get(call.callId);
    calls.set(call.callId, call);
    if (former !== undefined) {
      if ((former.flags & Flag.NoReply) !== 0) calls.set(former, former);
      else this.abort(former, new CallCancelledError("The caller has used its number again"));
    }
    if (call.deadlineAt === Infinity) return;
    this.#limited.add(call);
    this.#deadlines.added(call);
  }

  /** Forgets one. */
  untrack(call: RunningCall): void {
    if (!call.tracked) return;
    this.#limited.delete(call);
    const calls = this.#calls.get(call.source.id);
    calls?.delete(calls.get(call.callId) === call ? call.callId : call);
    if (calls?.size === 0) this.#calls.delete(call.source.id);
  }

  /**
   * Whether one that came has to wait for its turn, and is kept until then.
   *
   * @throws {OverloadedError} when too many do already.
   */
  waits(call: RunningCall, incoming: Frame): boolean {
    const { callback } = call;
    if (callback.concurrency === Infinity) return false;
    if (this.turnsOf(callback).take(call, wholeBytes(incoming))) return false;
    call.queued = ownFrame(incoming);
    this.track(call);
    return true;
  }

  /** How many calls of a callback may run at a time, and who waits. */
  turnsOf(callback: RegisteredCallback): Turns<RunningCall> {
    let turns = this.#turns.get(callback);
    if (turns === undefined) this.#turns.set(callback, turns = new Turns(callback.concurrency));
    return turns;
  }

  /** Ends one whose result is not wanted. */
  abort(call: RunningCall, reason: DaffiError, neverRan = this.#leavesTurns(call)): void {
    call.abort(reason);
    if (neverRan) this.#neverRan(call);
  }

  /** Ends what nobody waits for any more; what nobody ever waited for goes on, unless it may go on without end. */
  abortFor(sourceId: number, reason: DaffiError): void {
    for (const call of [...this.#calls.get(sourceId)?.values() ?? []]) {
      const isEndless = call.resultStream !== undefined && !call.isTask;
      if ((call.flags & Flag.NoReply) === 0 || isEndless) this.abort(call, reason);
      else {
        call.lost = reason;
        call.closeArgumentStreams(reason); // nobody sends their items any more
      }
    }
  }

  /** The same for all sources. */
  abortAll(reason: DaffiError): void {
    for (const [sourceId, calls] of [...this.#calls]) {
      this.abortFor(sourceId, reason);
      // In the next network the numbers are those of others.
      for (const [key, call] of [...calls]) if (calls.delete(key)) calls.set(call, call);
    }
  }

  /** Ends everything, and tells the callers that it did not finish, or not begin. */
  giveUpAll(makeReason: (executed: Executed) => DaffiError): void {
    const all = this.#all();
    // Those that wait first: none of them is to have the turn of one that ends.
    for (const call of all) {
      if (this.#leavesTurns(call)) this.giveUp(call, makeReason("never"), true);
    }
    for (const call of all) if (!call.aborted) this.giveUp(call, makeReason("maybe"), false);
  }

  /** Gives up those that wait for a turn that none but `stoppers` have, which wait for them. */
  giveUpBehind(
    stoppers: ReadonlySet<object>,
    makeReason: (executed: Executed) => DaffiError,
  ): void {
    if (stoppers.size === 0) return;
    const all = this.#all();
    const turns = new Map<RegisteredCallback, number>();
    for (const call of all) {
      if (stoppers.has(call)) turns.set(call.callback, (turns.get(call.callback) ?? 0) + 1);
    }
    for (const call of all) {
      const { queued, callback } = call;
      if (queued !== undefined && turns.get(callback) === callback.concurrency) {
        this.giveUp(call, makeReason("never"));
      }
    }
  }

  #all(): RunningCall[] {
    return [...this.#calls.values()].flatMap((calls) => [...calls.values()]);
  }

  /** Ends one, and tells its caller why. */
  giveUp(call: RunningCall, reason: DaffiError, neverRan = this.#leavesTurns(call)): void {
    call.giveUp(reason);
    this.abort(call, reason, neverRan);
  }

  /** Forgets all deadlines. */
  end(): void {
    this.#deadlines.stop();
  }

  #leavesTurns(call: RunningCall): boolean {
    const { callback } = call;
    return callback.concurrency !== Infinity && this.turnsOf(callback).leave(call);
  }

  #expire(call: RunningCall): void {
    this.#limited.delete(call);
    const { callbackName, callback, limitedByCallback } = call;
    const neverRan = this.#leavesTurns(call);
    const reason = new CallTimeoutError(
      limitedByCallback
        ? `The callback ${callbackName} did not ${
          neverRan ? "get a turn" : "finish"
        } within its limit of ${callback.timeoutMs} ms`
        : `The caller of ${callbackName} waits no longer`,
      { executed: neverRan ? "never" : "maybe" },
    );
    if (limitedByCallback) this.giveUp(call, reason, neverRan);
    else this.abort(call, reason, neverRan);
  }
}
