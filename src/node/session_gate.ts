/**
 * What cannot be sent yet waits here: while there is no connection, and, just after one came back,
 * while the process that is called has not come back too.
 *
 * @module
 */

import { OverloadedError } from "../errors.ts";
import { MAX_WAITING_BYTES, MAX_WAITING_CALLS } from "../wire/limits.ts";
import type { Network } from "./network.ts";
import type { Session } from "./session.ts";

/**
 * How long after a reconnection a call waits for somebody who was there before the connection was
 * lost: when a controller is restarted, its nodes come back one after the other.
 */
const RETURN_GRACE_MS = 5_000;

/** Whom a call is for. */
export interface Target {
  readonly callbackName: string;
  /** The one process, or any that offers the callback. */
  readonly to: string | undefined;
}

/** Something to be sent. */
export interface Waiting {
  /** Size of its payload. */
  readonly bytes: number;
  /** Sends it; must not throw. */
  send(session: Session): void;
  /** It cannot be sent any more. */
  fail(error: Error): void;
}

/** What each process offered when the connection was lost. */
type Expected = Map<string, Set<string>>;

/** Open while the node is connected and those who were there before are back. */
export class SessionGate {
  readonly #network: Network;
  #session: Session | undefined;
  /** By who waits, in the order in which they came. */
  #waiting = new Map<object, Waiting & { readonly target: Target }>();
  #waitingBytes = 0;
  #expected: Expected | undefined;
  /** What any of those offered: many calls are looked up whenever somebody comes back. */
  #expectedNames = new Set<string>();
  #graceTimer: ReturnType<typeof setTimeout> | undefined;

  /** @param network Tells who is there. */
  constructor(network: Network) {
    this.#network = network;
  }

  /** The present session. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** Whether nothing waits. */
  get isEmpty(): boolean {
    return this.#waiting.size === 0;
  }

  /** The session if a call for this target can be sent, or must fail, now. */
  ready(target: Target): Session | undefined {
    const expected = this.#expected;
    return expected !== undefined && this.#isAway(expected, target) ? undefined : this.#session;
  }

  #isAway(expected: Expected, { callbackName, to }: Target): boolean {
    const network = this.#network;
    if (to === undefined) {
      // Not for all of those who are called by a broadcast: what is sent to the others would overtake it.
      return !network.offers(callbackName, to) && this.#expectedNames.has(callbackName);
    }
    const offered = expected.get(to);
    return offered !== undefined &&
      !network.offers(offered.has(callbackName) ? callbackName : "", to);
  }

  /**
   * Lets something wait until it is {@linkcode SessionGate.ready}.
   *
   * @param owner Who waits, for {@linkcode SessionGate.leave}.
   * @throws {OverloadedError} when too much waits already.
   */
  wait(owner: object, target: Target, { bytes, send, fail }: Waiting): void {
    if (this.#waiting.size >= MAX_WAITING_CALLS) {
      throw new OverloadedError(
        `Cannot call: ${MAX_WAITING_CALLS} calls wait for the connection already`,
      );
    }
    if (this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      throw new OverloadedError(
        `Cannot call: ${this.#waitingBytes} bytes wait for the connection, at most ` +
          `${MAX_WAITING_BYTES} may`,
      );
    }
    this.#waitingBytes += bytes;
    this.#waiting.set(owner, { target, bytes, send, fail });
  }

  /** Who has waited, here or for a slow process, does not want to any more. */
  leave(owner: object): void {
    this.#forget(owner);
    this.#session?.outbox.leave(owner);
  }

  #forget(owner: object): void {
    this.#waitingBytes -= this.#waiting.get(owner)?.bytes ?? 0;
    this.#waiting.delete(owner);
  }

  /** There is a connection. */
  open(session: Session): void {
    this.#session = session;
    if (this.#expected !== undefined) {
      this.#graceTimer = setTimeout(() => this.#endGrace(), RETURN_GRACE_MS);
    }
    this.changed();
  }

  #endGrace(): void {
    this.#expected = undefined;
    this.changed();
  }

  /** The directory has changed: what is ready goes out, in the order in which it came. */
  changed(): void {
    for (const [owner, { target, send }] of this.#waiting) {
      const session = this.ready(target);
      if (session === undefined) continue;
      this.#forget(owner);
      send(session);
    }
  }

  /** The connection is gone; another one may come. Called while the network still knows who was there. */
  close(): void {
    clearTimeout(this.#graceTimer);
    this.#session = undefined;
    const expected = this.#expected ??= new Map<string, Set<string>>();
    for (const { name, callbacks } of this.#network.others()) {
      expected.set(name, new Set(callbacks.values()));
    }
    this.#expectedNames = new Set([...expected.values()].flatMap((names) => [...names]));
  }

  /** No connection will come any more. */
  end(reason: (() => Error) | undefined): void {
    clearTimeout(this.#graceTimer);
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#waitingBytes = 0;
    if (reason !== undefined) { for (const { fail } of waiting) fail(reason()); }
  }
}
