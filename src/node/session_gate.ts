/**
 * What is to be sent while there is no connection waits here.
 *
 * @module
 */

import { OverloadedError } from "../errors.ts";
import { MAX_WAITING_CALLS } from "../wire/limits.ts";
import type { Session } from "./session.ts";

/** Something to be sent. */
export interface Waiting {
  /** Sends it; must not throw. */
  send(session: Session): void;
  /** It cannot be sent any more. */
  fail(error: Error): void;
}

/** Open while the node is connected. */
export class SessionGate {
  #session: Session | undefined;
  #waiting: Waiting[] = [];

  /** The present session. */
  get session(): Session | undefined {
    return this.#session;
  }

  /**
   * Lets something wait for the connection.
   *
   * @throws {OverloadedError} when too much waits already.
   */
  wait(waiting: Waiting): void {
    if (this.#waiting.length >= MAX_WAITING_CALLS) {
      throw new OverloadedError(
        `Cannot call: ${MAX_WAITING_CALLS} calls wait for the connection already`,
      );
    }
    this.#waiting.push(waiting);
  }

  /** There is a connection: what has waited goes out, in the order in which it came. */
  open(session: Session): void {
    this.#session = session;
    for (const { send } of this.#takeAll()) send(session);
  }

  /** The connection is gone; another one may come. */
  close(): void {
    this.#session = undefined;
  }

  /** No connection will come any more. */
  end(reason: () => Error): void {
    for (const { fail } of this.#takeAll()) fail(reason());
  }

  #takeAll(): Waiting[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }
}
