/**
 * Frames that wait to be written.
 *
 * @module
 */

import { type Frame, payloadSize, ReceivedFrame } from "../wire/frame.ts";
import { writeHeader } from "../wire/frame_codec.ts";
import { HEADER_BYTES } from "../wire/limits.ts";
import { SpareBuffers } from "./spare_buffers.ts";

/** What leaves in one write at most. */
export const MAX_BUFFER_BYTES: number = 256 * 1024;
/** Payloads of up to so many bytes are copied by hand: that costs less than asking the runtime to. */
const SMALL_BYTES = 64;
/** Fewer bytes that others have as well are copied behind what waits: a write of their own costs more. */
export const MIN_SHARED_BYTES: number = 64 * 1024;

/**
 * Packs frames behind each other into buffers, each of which leaves in one write. What is added is
 * copied at once: whoever adds it may use its memory again.
 */
export class WriteQueue {
  #sealed: Uint8Array[] = [];
  /** Pieces that others have as well, in order, and who is told when they are here no longer. */
  #shared: { readonly piece: Uint8Array; readonly release: (() => void) | undefined }[] = [];
  #open: Uint8Array | undefined;
  #used = 0;
  #spares: SpareBuffers;
  #bytes = 0;

  /** @param spares Where buffers come from, and go when they were written. */
  constructor(spares: SpareBuffers = new SpareBuffers()) {
    this.#spares = spares;
  }

  /** Bytes that were added and not yet {@linkcode WriteQueue.written}. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a frame. */
  add(frame: Frame): void {
    const size = HEADER_BYTES + payloadSize(frame);
    // What fits into one buffer is not torn; what does not, is wherever a buffer ends.
    const buffer = this.#room(size <= MAX_BUFFER_BYTES ? size : HEADER_BYTES);
    writeHeader(buffer, this.#used, frame);
    this.#used += HEADER_BYTES;
    this.#bytes += HEADER_BYTES;
    if (size > HEADER_BYTES + SMALL_BYTES) return this.addBytes(frame.payload);
    if (frame instanceof ReceivedFrame) this.#addSmall(frame.memory, frame.from, frame.to);
    else this.#addSmall(frame.payload, 0, frame.payload.length);
  }

  #addSmall(memory: Uint8Array, from: number, to: number): void {
    const buffer = this.#open!;
    let at = this.#used;
    for (let i = from; i < to; i++) buffer[at++] = memory[i]!;
    this.#used = at;
    this.#bytes += to - from;
  }

  /** Adds bytes. */
  addBytes(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    for (let at = 0; at < bytes.length;) {
      if (this.#used === MAX_BUFFER_BYTES) this.#seal();
      const end = Math.min(bytes.length, at + MAX_BUFFER_BYTES - this.#used);
      const whole = at === 0 && end === bytes.length;
      this.#room(end - at).set(whole ? bytes : bytes.subarray(at, end), this.#used);
      this.#used += end - at;
      at = end;
    }
  }

  /**
   * Adds bytes that others have as well, and copies them only if they are few and something leaves before.
   *
   * @param release Called when the bytes lie here no longer.
   */
  addShared(piece: Uint8Array, release?: () => void): void {
    if (this.#bytes > 0 && piece.length < MIN_SHARED_BYTES) {
      this.addBytes(piece);
      return release?.();
    }
    this.#seal();
    this.#sealed.push(piece);
    this.#shared.push({ piece, release });
    this.#bytes += piece.length;
  }

  /** The open buffer, with at least `size` bytes free behind what is used. */
  #room(size: number): Uint8Array {
    if (this.#used + size > MAX_BUFFER_BYTES) this.#seal();
    this.#open ??= this.#spares.take();
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
    if (this.#used > 0) this.#sealed.push(this.#close());
  }

  #close(): Uint8Array {
    const piece = this.#open!.subarray(0, this.#used);
    this.#open = undefined;
    this.#used = 0;
    return piece;
  }

  /** Takes what is to be written next, if anything waits. It goes back by {@linkcode WriteQueue.written}. */
  next(): Uint8Array | undefined {
    if (this.#sealed.length > 0) return this.#sealed.shift();
    return this.#used > 0 ? this.#close() : undefined;
  }

  /** Tells that the piece from {@linkcode WriteQueue.next} was written. */
  written(piece: Uint8Array): void {
    this.#bytes -= piece.length;
    if (piece !== this.#shared[0]?.piece) return this.#spares.give(piece);
    this.#shared.shift()!.release?.();
  }

  /** Tells that nothing of it will be written. */
  drop(): void {
    for (const { release } of this.#shared) release?.();
  }
}
