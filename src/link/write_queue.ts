/**
 * Frames that wait to be written.
 *
 * @module
 */

import type { Frame } from "../wire/frame.ts";
import { writeHeader } from "../wire/frame_codec.ts";
import { HEADER_BYTES, LARGE_PAYLOAD_BYTES } from "../wire/limits.ts";

const MIN_BUFFER_BYTES = 4 * 1024;
const KEPT_BUFFER_BYTES = 64 * 1024;
const MAX_BUFFER_BYTES = 256 * 1024;

/** Bytes to be written in one go. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** Whether the buffer behind `bytes` is the queue's own and may be used again. */
  readonly reusable: boolean;
}

/**
 * Packs small frames behind each other into one buffer, so that they leave in one write, and keeps
 * large payloads as they are, so that they are never copied.
 */
export class WriteQueue {
  #sealed: Piece[] = [];
  #open: Uint8Array | undefined;
  #used = 0;
  #spare: Uint8Array | undefined;
  #bytes = 0;

  /** Bytes that were added and not yet {@linkcode WriteQueue.written}. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a frame. A payload of {@linkcode LARGE_PAYLOAD_BYTES} or more must not change any more. */
  add(frame: Frame): void {
    const { payload } = frame;
    const large = payload.length >= LARGE_PAYLOAD_BYTES;
    const size = large ? HEADER_BYTES : HEADER_BYTES + payload.length;
    const buffer = this.#room(size);
    writeHeader(buffer, this.#used, frame);
    if (!large) buffer.set(payload, this.#used + HEADER_BYTES);
    this.#used += size;
    this.#bytes += HEADER_BYTES + payload.length;
    if (large) {
      this.#seal();
      this.#sealed.push({ bytes: payload, reusable: false });
    }
  }

  /** Adds bytes that are not a frame. */
  addRaw(bytes: Uint8Array): void {
    this.#room(bytes.length).set(bytes, this.#used);
    this.#used += bytes.length;
    this.#bytes += bytes.length;
  }

  /** The open buffer, with at least `size` bytes free behind what is used. */
  #room(size: number): Uint8Array {
    if (this.#open !== undefined && this.#used + size > MAX_BUFFER_BYTES) this.#seal();
    if (this.#open === undefined) {
      this.#open = this.#spare ?? new Uint8Array(MIN_BUFFER_BYTES);
      this.#spare = undefined;
    }
    const needed = this.#used + size;
    if (needed > this.#open.length) {
      let length = this.#open.length;
      while (length < needed) length *= 4;
      const grown = new Uint8Array(length);
      grown.set(this.#open.subarray(0, this.#used));
      this.#open = grown;
    }
    return this.#open;
  }

  #seal(): void {
    if (this.#open === undefined || this.#used === 0) return;
    this.#sealed.push({ bytes: this.#open.subarray(0, this.#used), reusable: true });
    this.#open = undefined;
    this.#used = 0;
  }

  /** Takes all that waits, in order. Each piece goes back by {@linkcode WriteQueue.written}. */
  take(): Piece[] {
    this.#seal();
    const pieces = this.#sealed;
    this.#sealed = [];
    return pieces;
  }

  /** Tells that a piece from {@linkcode WriteQueue.take} was written. */
  written({ bytes, reusable }: Piece): void {
    this.#bytes -= bytes.length;
    // A buffer that a burst made large is not worth keeping for an idle connection.
    if (reusable && bytes.buffer.byteLength <= KEPT_BUFFER_BYTES) {
      this.#spare ??= new Uint8Array(bytes.buffer);
    }
  }
}
