/**
 * Byte stream → frames.
 *
 * @module
 */

import { EMPTY, type Frame, ReceivedFrame } from "./frame.ts";
import { readHeader, readPayloadSize } from "./frame_codec.ts";
import { monotonicMs } from "../internal/monotonic.ts";
import { HEADER_BYTES, LARGE_PAYLOAD_BYTES } from "./limits.ts";

const MIN_READ_BYTES = 1024;
/** As much as a connection reads at a time, but for large payloads. */
export const MAX_READ_BYTES: number = 256 * 1024;
/** Buffers that were grown for a burst are kept so long after it; fresh memory is expensive. */
const KEPT_MS = 1_000;

/**
 * Cuts a byte stream into frames. Whoever owns it reads into {@linkcode Framer.space} and tells by
 * {@linkcode Framer.advance} how many bytes came. A large payload lands in a buffer of its own, which
 * grows as it comes.
 */
export class Framer {
  /** Largest frame that is accepted, its length field included. */
  maxFrameBytes: number;
  #buffer = new Uint8Array(MIN_READ_BYTES);
  #start = 0;
  #end = 0;
  /** Size of the large payload that is being received, 0 if none is, and how much of it is there. */
  #largeSize = 0;
  #largeEnd = 0;
  /** Where large payloads land. */
  #largeBuffer = EMPTY;
  #grownAt = 0;
  #frame = new ReceivedFrame();
  #now: () => number;

  /**
   * @param maxFrameBytes Largest frame that is accepted.
   * @param now The clock.
   */
  constructor(maxFrameBytes: number, now: () => number = monotonicMs) {
    this.maxFrameBytes = maxFrameBytes;
    this.#now = now;
  }

  /** Bytes received that are not part of a delivered frame yet. */
  get bufferedBytes(): number {
    const large = this.#largeSize === 0 ? 0 : HEADER_BYTES + this.#largeEnd;
    return this.#end - this.#start + large;
  }

  /** Where the next bytes of the stream belong. Never empty. */
  space(): Uint8Array {
    if (this.#largeSize !== 0) {
      this.#makeRoom(this.#largeEnd);
      return this.#largeBuffer.subarray(this.#largeEnd, this.#largeSize);
    }
    if (this.#start === this.#end) this.#start = this.#end = 0;
    else if (this.#end === this.#buffer.length) this.#compact();
    return this.#end === 0 ? this.#buffer : this.#buffer.subarray(this.#end);
  }

  #compact(): void {
    this.#buffer.copyWithin(0, this.#start, this.#end);
    this.#end -= this.#start;
    this.#start = 0;
  }

  /**
   * Takes `count` bytes that were read into {@linkcode Framer.space} and delivers the frames that
   * are complete with them.
   *
   * @param count Number of bytes read.
   * @param onFrame Called for each frame. The frame is reused: it and its payload are valid during
   * the call only.
   * @throws {ProtocolError} when the bytes are not frames; the stream cannot be read further then.
   */
  advance(count: number, onFrame: (frame: Frame) => void): void {
    if (this.#largeSize !== 0) {
      this.#largeEnd += count;
      if (this.#largeEnd === this.#largeSize) this.#deliverLarge(onFrame);
      return;
    }
    const filled = count === this.#buffer.length - this.#end;
    this.#end += count;
    this.#deliverAll(onFrame);
    if (filled) this.#grow();
    else if (this.#grownAt !== 0) this.#shrink();
  }

  #deliverAll(onFrame: (frame: Frame) => void): void {
    while (this.#end - this.#start >= 4) {
      const size = readPayloadSize(this.#buffer, this.#start, this.maxFrameBytes);
      if (this.#end - this.#start < HEADER_BYTES) return;
      const from = this.#start + HEADER_BYTES;
      if (this.#end - from >= size) {
        readHeader(this.#buffer, this.#start, this.#frame);
        this.#start = from + size;
        this.#deliver(this.#buffer, from, from + size, onFrame);
      } else if (size >= LARGE_PAYLOAD_BYTES) {
        readHeader(this.#buffer, this.#start, this.#frame);
        this.#largeSize = size;
        this.#largeEnd = this.#end - from;
        this.#makeRoom(this.#largeEnd);
        this.#largeBuffer.set(this.#buffer.subarray(from, this.#end));
        this.#start = this.#end;
        this.#grownAt = this.#now();
        return;
      } else return;
    }
  }

  /** For more than the `came` bytes of a large payload, but not for all of it: what was announced may never come. */
  #makeRoom(came: number): void {
    const former = this.#largeBuffer;
    if (former.length > came) return;
    const bytes = Math.min(this.#largeSize, Math.max(LARGE_PAYLOAD_BYTES, 2 * came));
    this.#largeBuffer = new Uint8Array(bytes);
    this.#largeBuffer.set(former);
  }

  #deliverLarge(onFrame: (frame: Frame) => void): void {
    const size = this.#largeSize;
    this.#largeSize = 0;
    this.#deliver(this.#largeBuffer, 0, size, onFrame);
  }

  #deliver(memory: Uint8Array, from: number, to: number, onFrame: (frame: Frame) => void): void {
    const received = this.#frame;
    received.memory = memory;
    received.from = from;
    received.to = to;
    onFrame(received);
  }

  /** A read that filled the buffer says that more was waiting: larger reads cost less per frame. */
  #grow(): void {
    this.#grownAt = this.#now();
    if (this.#buffer.length === MAX_READ_BYTES) return;
    this.#use(new Uint8Array(this.#buffer.length * 4));
  }

  /** Gives memory back that has not been needed for a while. */
  #shrink(): void {
    if (this.#now() - this.#grownAt < KEPT_MS || this.#start !== this.#end) return;
    this.#grownAt = 0;
    this.#largeBuffer = EMPTY;
    if (this.#buffer.length > MIN_READ_BYTES) this.#use(new Uint8Array(MIN_READ_BYTES));
  }

  #use(buffer: Uint8Array<ArrayBuffer>): void {
    buffer.set(this.#buffer.subarray(this.#start, this.#end));
    this.#end -= this.#start;
    this.#start = 0;
    this.#buffer = buffer;
  }
}
