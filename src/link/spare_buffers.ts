/**
 * Buffers that were written and can be filled again.
 *
 * @module
 */

import { monotonicMs } from "../internal/deadlines.ts";

/** Size of a fresh buffer. */
export const MIN_BUFFER_BYTES: number = 4 * 1024;
const MAX_SPARE_BYTES = 16 * 1024 * 1024;
/** Memory that is fresh costs several times what copying into it does, so it is kept for a while. */
const SPARES_KEPT_MS = 1_000;

/**
 * Buffers for one connection, or for all those of a controller: what one has written, the next one fills,
 * so that a thousand connections do not each keep what they once needed.
 */
export class SpareBuffers {
  #spares: Uint8Array[] = [];
  #bytes = 0;
  #busyAt = 0;
  #now: () => number;

  /** @param now The clock. */
  constructor(now: () => number = monotonicMs) {
    this.#now = now;
  }

  /** A buffer of {@linkcode MIN_BUFFER_BYTES} or more. */
  take(): Uint8Array {
    const spare = this.#spares.pop();
    if (spare === undefined) return new Uint8Array(MIN_BUFFER_BYTES);
    this.#bytes -= spare.length;
    return spare;
  }

  /** Gives the buffer back in which these bytes were. */
  give({ length, buffer }: Uint8Array): void {
    if (length > MIN_BUFFER_BYTES) this.#busyAt = this.#now();
    else if (buffer.byteLength > MIN_BUFFER_BYTES && this.#now() - this.#busyAt > SPARES_KEPT_MS) {
      this.#spares = this.#spares.filter((spare) => spare.length === MIN_BUFFER_BYTES);
      this.#bytes = this.#spares.length * MIN_BUFFER_BYTES;
      return;
    }
    if (this.#bytes + buffer.byteLength > MAX_SPARE_BYTES) return;
    this.#bytes += buffer.byteLength;
    this.#spares.push(new Uint8Array(buffer));
  }
}
