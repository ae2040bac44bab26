/**
 * How large payloads are sent: cut into parts, and large arrays apart from them (`docs/protocol.md`,
 * section 3a). A page sends them as they are, and does not load this.
 *
 * @module
 */

import { EncodeError } from "../errors.ts";
import type { AttachmentTaker } from "./codec.ts";
import { type Attachment, Flag, type Frame, frame, Kind } from "./frame.ts";
import { writeU32 } from "./frame_codec.ts";
import {
  HEADER_BYTES,
  MAX_ATTACHMENTS,
  MIN_ATTACHMENT_BYTES,
  MIN_DIVIDED_BYTES,
} from "./limits.ts";
import { attachedBytes, DIVISIBLE, PLACE_BYTES, SIZE_BYTES } from "./parts.ts";

/** What an encoder and an outbox do with what is large. */
export interface LargePayloads {
  /**
   * Keeps an array apart from the payload that is being encoded.
   *
   * @param at Where it belongs.
   * @returns Whether it does.
   */
  take(taker: AttachmentTaker, at: number, bytes: Uint8Array): boolean;
  /** @throws {EncodeError} when what was taken has changed while the rest was encoded. */
  check(taker: AttachmentTaker, takenBytes: number): void;
  /** Sends a frame, in parts if it is large. */
  divide(whole: Frame, send: (frame: Frame) => void): void;
}

/** Four parts, with their headers, fill what a connection reads and writes at a time. */
const PART_BYTES = 64 * 1024 - HEADER_BYTES;
/**
 * Linux takes and gives what goes over a UNIX socket in pieces of 104 KiB, less 64 bytes (`unix_stream_sendmsg`): a
 * larger part would leave when its second piece is there, and a smaller one tear.
 */
const UNIX_PART_BYTES = 103 * 1024 - HEADER_BYTES;

/** The way of this implementation. */
export const largePayloads: LargePayloads = {
  take(taker, at, { buffer, byteOffset, length }) {
    if (length < MIN_ATTACHMENT_BYTES) return false;
    const attachments = taker.attachments ??= [];
    if (attachments.length >= MAX_ATTACHMENTS) return false;
    attachments.push({ at, bytes: new Uint8Array(buffer, byteOffset, length) });
    return true;
  },
  // A getter, for example, may have transferred what came before it.
  check({ attachments }, takenBytes) {
    if (attachedBytes(attachments) === takenBytes) return;
    throw new EncodeError("Cannot send a value in which an array was changed meanwhile");
  },
  divide: (whole, send) => sendDivided(whole, PART_BYTES, send),
};

/** The same, for nodes whose controller is at a UNIX socket. */
export const largePayloadsOverUnix: LargePayloads = {
  ...largePayloads,
  divide: (whole, send) => sendDivided(whole, UNIX_PART_BYTES, send),
};

/** Sends a frame: in parts, directly behind each other, if its payload is large. */
function sendDivided(whole: Frame, partBytes: number, send: (frame: Frame) => void): void {
  const { kind, payload, attachments } = whole;
  const isSmall = payload.length < MIN_DIVIDED_BYTES || !DIVISIBLE.has(kind);
  if (isSmall && attachments === undefined) send(whole);
  else sendInParts(whole, partBytes, send);
}

function sendInParts(whole: Frame, partBytes: number, send: (frame: Frame) => void): void {
  const { call, stream, peer, payload, attachments } = whole;
  const announcement = announce(payload, attachments ?? []);
  const flags = whole.flags | Flag.InParts;
  send({ ...whole, flags, payload: announcement, attachments: undefined });
  const sendAll = (bytes: Uint8Array) => {
    for (let at = 0; at < bytes.length; at += partBytes) {
      const part = bytes.subarray(at, at + partBytes);
      send(frame(Kind.Part, { call, stream, peer, payload: part }));
    }
  };
  let sent = 0;
  for (const { at, bytes } of attachments ?? []) {
    sendAll(payload.subarray(sent, at));
    sendAll(bytes);
    sent = at;
  }
  sendAll(payload.subarray(sent));
}

function announce(payload: Uint8Array, attachments: readonly Attachment[]): Uint8Array {
  const announcement = new Uint8Array(SIZE_BYTES + attachments.length * PLACE_BYTES);
  writeU32(announcement, 0, payload.length + attachedBytes(attachments));
  let before = 0;
  for (const [i, { at, bytes }] of attachments.entries()) {
    const field = SIZE_BYTES + i * PLACE_BYTES;
    writeU32(announcement, field, at + before);
    writeU32(announcement, field + 4, bytes.length);
    before += bytes.length;
  }
  return announcement;
}
