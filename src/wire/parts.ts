/**
 * Large payloads in parts (`docs/protocol.md`, section 3a): the controller passes the first ones on
 * while the last ones are still to come, and what others send may come between.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import { type Attachment, Flag, type Frame, Kind, payloadSize } from "./frame.ts";
import { kindName } from "./kind_name.ts";
import { readU32 } from "./frame_codec.ts";
import { MAX_ATTACHMENTS } from "./limits.ts";

/** What goes from one node to one other, and whose payload the controller need not look into. */
export const DIVISIBLE: ReadonlySet<Kind> = new Set<Kind>([
  ...[Kind.Call, Kind.Transfer, Kind.Result, Kind.Error, Kind.Item, Kind.Fail],
]);

/** How the size of a payload is announced. */
export const SIZE_BYTES = 4;
/** How the place of an attachment in it is: offset and size. */
export const PLACE_BYTES = 8;

/** Where an attachment is in the payload as it travels. */
export interface Place {
  readonly offset: number;
  readonly size: number;
}

/** Bytes that the payload of a frame has when it travels. */
export function wholeBytes(frame: Frame): number {
  return payloadSize(frame) + attachedBytes(frame.attachments);
}

/** Bytes of attachments. */
export function attachedBytes(attachments: readonly Attachment[] | undefined): number {
  let size = 0;
  if (attachments !== undefined) { for (const { bytes } of attachments) size += bytes.length; }
  return size;
}

/** What is kept after the value that it belongs to may have changed. */
export function copyOf({ at, bytes }: Attachment): Attachment {
  return { at, bytes: bytes.slice() };
}

/**
 * Size of the payload that a frame has, or that it announces.
 *
 * @throws {ProtocolError} when a frame of its kind cannot announce one, or does not say how large it is.
 */
export function announcedBytes(frame: Frame): number {
  if ((frame.flags & Flag.InParts) === 0) return payloadSize(frame);
  const { kind, payload } = frame;
  if (!DIVISIBLE.has(kind)) throw new ProtocolError(`${kindName(kind)} cannot come in parts`);
  const places = (payload.length - SIZE_BYTES) / PLACE_BYTES;
  if (!(Number.isInteger(places) && places >= 0 && places <= MAX_ATTACHMENTS)) {
    throw new ProtocolError(`${kindName(kind)} in parts must say how large its payload is`);
  }
  return readU32(payload, 0);
}

/**
 * The places of attachments that an announcement tells.
 *
 * @throws {ProtocolError} when they cannot be there.
 */
export function announcedPlaces(announcement: Uint8Array): Place[] {
  const size = readU32(announcement, 0);
  const places: Place[] = [];
  let end = 0;
  for (let field = SIZE_BYTES; field < announcement.length; field += PLACE_BYTES) {
    const place = { offset: readU32(announcement, field), size: readU32(announcement, field + 4) };
    if (place.offset < end || place.size === 0 || place.size > size - place.offset) {
      throw new ProtocolError("Attachments are announced where they cannot be");
    }
    places.push(place);
    end = place.offset + place.size;
  }
  return places;
}
