/**
 * Byte stream → frames.
 *
 * @module
 */

import { EMPTY, type Frame, frame, Kind } from "./frame.ts";
import { readHeader, readPayloadSize } from "./frame_codec.ts";
import { HEADER_BYTES, LARGE_PAYLOAD_BYTES } from "./limits.ts";

const MIN_BUFFER_BYTES = 4 * 1024;
const MAX_BUFFER_BYTES = 256 * 1024;

/**
 * Cuts a byte stream into frames. Whoever owns it reads into {@linkcode Framer.space} and tells by
 * {@linkcode Framer.advance} how many bytes came; so bytes are never copied between reads, and a
 * large payload lands in a buffer of its own.
 */
export class Framer {
  /** Largest frame that is accepted, its length field included. */
  maxFrameBytes: number;
  #buffer = new Uint8Array(MIN_BUFFER_BYTES);
  #start = 0;
  #end = 0;
  /** Buffer of the large payload that is being received, and how much of it is there. */
  #large: Uint8Array | undefined;
  #largeEnd = 0;
  #frame: Frame = frame(Kind.Ping);

  /** @param maxFrameBytes Largest frame that is accepted. */
  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes;
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
    return this.#buffer.subarray(this.#end);
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
   * @param onFrame Called for each frame. The frame is reused: it, and a payload shorter than
   * {@linkcode LARGE_PAYLOAD_BYTES}, are valid during the call only. A larger payload is handed over.
   * @throws {ProtocolError} when the bytes are not frames; the stream cannot be read further then.
   */
  advance(count: number, onFrame: (frame: Frame) => void): void {
    if (this.#large !== undefined) {
      this.#largeEnd += count;
      if (this.#largeEnd < this.#large.length) return;
      const payload = this.#large;
      this.#large = undefined;
      this.#largeEnd = 0;
      this.#deliver(payload, onFrame);
      return;
    }
    const filled = count === this.#buffer.length - this.#end;
    this.#end += count;
    this.#deliverAll(onFrame);
    if (filled && this.#buffer.length < MAX_BUFFER_BYTES) this.#grow();
  }

  #deliverAll(onFrame: (frame: Frame) => void): void {
    while (this.#end - this.#start >= 4) {
      const size = readPayloadSize(this.#buffer, this.#start, this.maxFrameBytes);
      if (this.#end - this.#start < HEADER_BYTES) return;
      const from = this.#start + HEADER_BYTES;
      if (size >= LARGE_PAYLOAD_BYTES) {
        readHeader(this.#buffer, this.#start, this.#frame);
        const there = Math.min(size, this.#end - from);
        const payload = new Uint8Array(size);
        payload.set(this.#buffer.subarray(from, from + there));
        this.#start = from + there;
        if (there < size) {
          this.#large = payload;
          this.#largeEnd = there;
          return;
        }
        this.#deliver(payload, onFrame);
      } else {
        if (this.#end - from < size) return;
        readHeader(this.#buffer, this.#start, this.#frame);
        this.#start = from + size;
        this.#deliver(size === 0 ? EMPTY : this.#buffer.subarray(from, from + size), onFrame);
      }
    }
  }

  #deliver(payload: Uint8Array, onFrame: (frame: Frame) => void): void {
    this.#frame.payload = payload;
    onFrame(this.#frame);
    this.#frame.payload = EMPTY;
  }

  /** A read that filled the buffer says that more was waiting: larger reads cost less per frame. */
  #grow(): void {
    const grown = new Uint8Array(this.#buffer.length * 4);
    grown.set(this.#buffer.subarray(this.#start, this.#end));
    this.#end -= this.#start;
    this.#start = 0;
    this.#buffer = grown;
  }
}
