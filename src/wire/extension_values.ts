/**
 * What the bytes of an extension mean, where nothing is nested in it.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import { BINARY_VIEWS } from "./extensions.ts";
import { MAX_BIGINT_BYTES } from "./limits.ts";

/** The error of a payload that is none. */
export function malformed(why: string): ProtocolError {
  return new ProtocolError(`Cannot decode the payload: ${why}`);
}

/** A timestamp of MessagePack. @throws {ProtocolError} when it has a size that none has. */
export function dateOf(view: DataView, at: number, size: number): Date {
  if (size === 4) return new Date(view.getUint32(at) * 1000);
  if (size === 8) {
    const high = view.getUint32(at);
    const seconds = (high & 3) * 0x100000000 + view.getUint32(at + 4);
    return new Date(seconds * 1000 + Math.floor((high >>> 2) / 1_000_000));
  }
  if (size === 12) {
    const ms = Math.floor(view.getUint32(at) / 1_000_000);
    return new Date(Number(view.getBigInt64(at + 4)) * 1000 + ms);
  }
  throw malformed(`a timestamp of ${size} bytes`);
}

/** A sign byte and a magnitude. @throws {ProtocolError} when it is too large, or has no sign. */
export function bigintOf(bytes: Uint8Array, at: number, size: number): bigint {
  if (size - 1 > MAX_BIGINT_BYTES || size < 1) throw malformed(`a bigint of ${size} bytes`);
  const sign = bytes[at]!;
  if (sign > 1) throw malformed(`a bigint of sign ${sign}`);
  let hex = "0";
  for (let i = at + 1; i < at + size; i++) hex += bytes[i]!.toString(16).padStart(2, "0");
  const magnitude = BigInt("0x" + hex);
  return sign === 1 ? -magnitude : magnitude;
}

/** Bytes as the kind of array, or other view, that they are of. @throws {ProtocolError} when there is none. */
export function viewOf(kind: number, buffer: ArrayBuffer): ArrayBuffer | ArrayBufferView {
  if (kind === 0) return buffer;
  const View = BINARY_VIEWS[kind];
  if (View === undefined) throw malformed(`unknown binary kind ${kind}`);
  return new View(buffer);
}

/**
 * How long the source of a `RegExp` is, properties of Unicode, and those of emojis, counted as what the engine puts in their
 * place: lists of thousands.
 */
export function lengthOfSource(source: string): number {
  return source.length + 64 * source.split(/\\p/i).length + 512 * source.split("RGI").length - 576;
}

/** A number where it is as exact. */
export function numberIfExact(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
