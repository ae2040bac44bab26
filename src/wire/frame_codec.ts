/**
 * Frame header ↔ bytes.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import { type Frame, isKind, KNOWN_FLAGS, payloadSize } from "./frame.ts";
import { HEADER_BYTES } from "./limits.ts";

/** Bytes of the header that the length field counts. */
const COUNTED_HEADER_BYTES = HEADER_BYTES - 4;

/** Writes the header of `frame` at `at`. */
export function writeHeader(into: Uint8Array, at: number, frame: Frame): void {
  writeU32(into, at, COUNTED_HEADER_BYTES + payloadSize(frame));
  into[at + 4] = frame.kind;
  into[at + 5] = frame.flags;
  into[at + 6] = frame.stream >>> 8;
  into[at + 7] = frame.stream;
  writeU32(into, at + 8, frame.call);
  writeU32(into, at + 12, frame.peer);
  writeU32(into, at + 16, frame.name);
  writeU32(into, at + 20, frame.value);
}

/** A frame as bytes of its own. */
export function encodeFrame(frame: Frame): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + frame.payload.length);
  writeHeader(bytes, 0, frame);
  bytes.set(frame.payload, HEADER_BYTES);
  return bytes;
}

/**
 * Reads the size of the payload from the first four bytes of a header.
 *
 * @throws {ProtocolError} when the frame is shorter than a header or larger than `maxFrameBytes`.
 */
export function readPayloadSize(from: Uint8Array, at: number, maxFrameBytes: number): number {
  const length = readU32(from, at);
  if (length < COUNTED_HEADER_BYTES) {
    throw new ProtocolError(
      `Cannot read the frame: its length is ${length}, at least ${COUNTED_HEADER_BYTES} is needed`,
    );
  }
  if (length + 4 > maxFrameBytes) {
    throw new ProtocolError(
      `Cannot read the frame: it has ${length + 4} bytes, at most ${maxFrameBytes} are allowed`,
    );
  }
  return length - COUNTED_HEADER_BYTES;
}

/**
 * Reads a header's fields, but for its length, into `frame`.
 *
 * @throws {ProtocolError} when kind or flags are unknown or the call id is out of range.
 */
export function readHeader(from: Uint8Array, at: number, frame: Frame): void {
  const kind = from[at + 4]!;
  const flags = from[at + 5]!;
  const call = readU32(from, at + 8);
  if (!isKind(kind)) {
    throw new ProtocolError(`Cannot read the frame: unknown kind 0x${kind.toString(16)}`);
  }
  if ((flags & ~KNOWN_FLAGS) !== 0) {
    throw new ProtocolError(`Cannot read the frame: unknown flags 0x${flags.toString(16)}`);
  }
  if (call > 0x7fffffff) throw new ProtocolError(`Cannot read the frame: call id ${call}`);
  frame.kind = kind;
  frame.flags = flags;
  frame.stream = (from[at + 6]! << 8) | from[at + 7]!;
  frame.call = call;
  frame.peer = readU32(from, at + 12);
  frame.name = readU32(from, at + 16);
  frame.value = readU32(from, at + 20);
}

/** Writes 32 bits, big-endian. */
export function writeU32(into: Uint8Array, at: number, value: number): void {
  into[at] = value >>> 24;
  into[at + 1] = value >>> 16;
  into[at + 2] = value >>> 8;
  into[at + 3] = value;
}

/** Reads 32 bits, big-endian. */
export function readU32(from: Uint8Array, at: number): number {
  return ((from[at]! << 24) | (from[at + 1]! << 16) | (from[at + 2]! << 8) | from[at + 3]!) >>> 0;
}
