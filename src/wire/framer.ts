/**
 * Byte stream → frames.
 *
 * @module
 */

import { type Frame, ReceivedFrame } from "./frame.ts";
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
 * {@linkcode Framer.advance} how many bytes came; so bytes are never copied between reads, and a
 * large payload lands in a buffer of its own.
 */
export class Framer {
  /** Largest frame that is accepted, its length field included. */
  maxFrameBytes: number;
  #buffer = new Uint8Array(MIN_READ_BYTES);
  #start = 0;
  #end = 0;
  /** The large payload that is being received, and how much of it is there. */
  #large: Uint8Array | undefined;
  #largeEnd = 0;
  /** Where large payloads land. */
  #largeBuffer: Uint8Array | undefined;
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
    const large = this.#large === undefined ? 0 : HEADER_BYTES + this.#largeEnd;
    return this.#end - this.#start + large;
  }

  /** Where the next bytes of the stream belong. Never empty. */
  space(): Uint8Array {
    if (this.#large !== undefined) return this.#large.subarray(this.#largeEnd);
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
    if (this.#large !== undefined) {
      this.#largeEnd += count;
      if (this.#largeEnd === this.#large.length) this.#deliverLarge(onFrame);
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
        this.#large = this.#largeSpace(size);
        this.#large.set(this.#buffer.subarray(from, this.#end));
        this.#largeEnd = this.#end - from;
        this.#start = this.#end;
        return;
      } else return;
    }
  }

  /** Memory is taken for what was announced, but the system gives it only as it is filled. */
  #largeSpace(size: number): Uint8Array {
    if (this.#largeBuffer === undefined || this.#largeBuffer.length < size) {
      this.#largeBuffer = new Uint8Array(size);
    }
    this.#grownAt = this.#now();
    return this.#largeBuffer.subarray(0, size);
  }

  #deliverLarge(onFrame: (frame: Frame) => void): void {
    const payload = this.#large!;
    this.#large = undefined;
    this.#largeEnd = 0;
    this.#deliver(payload, 0, payload.length, onFrame);
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
    this.#largeBuffer = undefined;
    if (this.#buffer.length > MIN_READ_BYTES) this.#use(new Uint8Array(MIN_READ_BYTES));
  }

  #use(buffer: Uint8Array<ArrayBuffer>): void {
    buffer.set(this.#buffer.subarray(this.#start, this.#end));
    this.#end -= this.#start;
    this.#start = 0;
    this.#buffer = buffer;
  }
}
