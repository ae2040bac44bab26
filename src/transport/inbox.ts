/**
 * Bytes that have come and are not read yet.
 *
 * @module
 */

/** Messages below this size share a buffer, so that many tiny ones take no more than their bytes. */
const SHARED_BYTES = 16 * 1024;

interface Chunk {
  readonly buffer: Uint8Array;
  start: number;
  end: number;
}

/** Bytes in the order in which they came. */
export class Inbox {
  #chunks: Chunk[] = [];
  #first = 0;
  #bytes = 0;

  /** How many bytes wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many buffers they take. */
  get buffers(): number {
    return this.#chunks.length - this.#first;
  }

  /** Adds bytes, which must not change any more. */
  add(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#bytes += bytes.length;
    const last = this.#first < this.#chunks.length ? this.#chunks.at(-1) : undefined;
    if (last !== undefined && last.buffer.length - last.end >= bytes.length) {
      last.buffer.set(bytes, last.end);
      last.end += bytes.length;
    } else if (last !== undefined && bytes.length < SHARED_BYTES) {
      const buffer = new Uint8Array(SHARED_BYTES);
      buffer.set(bytes);
      this.#chunks.push({ buffer, start: 0, end: bytes.length });
    } else {
      this.#chunks.push({ buffer: bytes, start: 0, end: bytes.length });
    }
  }

  /** Takes as many bytes as there are and fit. @returns How many. */
  take(into: Uint8Array): number {
    let taken = 0;
    while (taken < into.length && this.#bytes > 0) {
      const chunk = this.#chunks[this.#first]!;
      const count = Math.min(chunk.end - chunk.start, into.length - taken);
      into.set(chunk.buffer.subarray(chunk.start, chunk.start + count), taken);
      taken += count;
      this.#bytes -= count;
      chunk.start += count;
      if (chunk.start === chunk.end) this.#next();
    }
    return taken;
  }

  #next(): void {
    this.#first++;
    if (this.#bytes > 0 && this.#first < 1024) return;
    this.#chunks.splice(0, this.#first);
    this.#first = 0;
  }

  /** Forgets everything. */
  clear(): void {
    this.#chunks = [];
    this.#first = this.#bytes = 0;
  }
}
