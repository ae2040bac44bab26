/**
 * Buffers that were written and can be filled again.
 *
 * @module
 */

import { monotonicMs } from "../internal/monotonic.ts";

/** Size of a fresh buffer. */
const MIN_BUFFER_BYTES = 4 * 1024;
const MAX_SMALL_SPARES = 256;
/** A value of 16 MiB, in parts of which two lie in a buffer of 256 KiB. */
const MAX_LARGE_BYTES = 20 * 1024 * 1024;
/** Memory that is fresh costs several times what copying into it does, so it is kept for a while. */
const SPARES_KEPT_MS = 1_000;

/**
 * Buffers for one connection, or for all those of a controller: what one has written, the next one fills,
 * so that a thousand connections do not each keep what they once needed.
 */
export class SpareBuffers {
  #small: Uint8Array[] = [];
  #large: Uint8Array[] = [];
  #largeBytes = 0;
  #busyAt = 0;
  #now: () => number;

  /** @param now The clock. */
  constructor(now: () => number = monotonicMs) {
    this.#now = now;
  }

  /** A buffer of {@linkcode MIN_BUFFER_BYTES} or more. */
  take(): Uint8Array {
    const large = this.#large.pop();
    if (large === undefined) return this.#small.pop() ?? new Uint8Array(MIN_BUFFER_BYTES);
    this.#largeBytes -= large.length;
    return large;
  }

  /** Gives the buffer back in which these bytes were. */
  give({ length, buffer }: Uint8Array): void {
    if (buffer.byteLength === MIN_BUFFER_BYTES) {
      if (this.#small.length < MAX_SMALL_SPARES) this.#small.push(new Uint8Array(buffer));
      return;
    }
    if (length > MIN_BUFFER_BYTES) this.#busyAt = this.#now();
    else if (this.#now() - this.#busyAt > SPARES_KEPT_MS) {
      this.#large = [];
      this.#largeBytes = 0;
      return;
    }
    if (this.#largeBytes + buffer.byteLength > MAX_LARGE_BYTES) return;
    this.#largeBytes += buffer.byteLength;
    this.#large.push(new Uint8Array(buffer));
  }
}
