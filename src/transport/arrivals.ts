/**
 * Connections that are handed to a listener, and wait to be accepted.
 *
 * @module
 */

import type { ByteStream } from "./transport.ts";

/** Connections in the order in which they came. */
export class Arrivals {
  #waiting: ByteStream[] = [];
  #wake: (() => void) | undefined;
  #closed = false;

  /** Adds a connection; once it is closed, ends it. */
  add(stream: ByteStream): void {
    if (this.#closed) return stream.close();
    this.#waiting.push(stream);
    this.#wake?.();
  }

  /** Waits for the next connection; `null` once it is closed. */
  async next(): Promise<ByteStream | null> {
    while (!this.#closed) {
      const stream = this.#waiting.shift();
      if (stream !== undefined) return stream;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return null;
  }

  /** Takes no more, and ends those that wait. Idempotent. */
  close(): void {
    this.#closed = true;
    for (const stream of this.#waiting.splice(0)) stream.close();
    this.#wake?.();
  }
}
