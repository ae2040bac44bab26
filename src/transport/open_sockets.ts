/**
 * WebSockets on their way to their end: closing one takes an answer of the other side.
 *
 * @module
 */

import { within } from "../internal/within.ts";
import { CLOSE_TIMEOUT_MS } from "../wire/limits.ts";

/** The WebSockets of one owner that are not closed yet. */
export class OpenSockets {
  #ends = new Map<WebSocket, Promise<void>>();

  /** Remembers a socket until it is closed. */
  add(socket: WebSocket): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#ends.set(socket, promise);
    socket.addEventListener("close", () => {
      this.#ends.delete(socket);
      resolve();
    });
  }

  /** Gives up those that are not open yet, and waits a little until all are closed. */
  async end(): Promise<void> {
    for (const socket of this.#ends.keys()) {
      if (socket.readyState === WebSocket.CONNECTING) socket.close();
    }
    await within(Promise.all(this.#ends.values()), CLOSE_TIMEOUT_MS);
  }
}
