/**
 * A payload of which not all parts have come.
 *
 * @module
 */

import { concat } from "../internal/concat.ts";
import type { Attachment } from "../wire/frame.ts";
import type { Place } from "../wire/parts.ts";

/** An array of bytes takes so much, however few they are. */
const MIN_PIECE_BYTES = 512;

/** Asked before memory is taken for a payload; throws if there may be no more of it. */
export type CheckRoom = (bytes: number, wanting: UnfinishedPayload) => void;

/**
 * Takes parts: what lies in a place of an attachment into an array of its own, which can be handed to
 * the user, and everything else into one payload. Memory is taken for an attachment when it begins, and
 * for the rest as it comes, not as it was announced.
 */
export class UnfinishedPayload {
  /** How many bytes of it there are. */
  there = 0;
  /** Memory that it has taken. */
  heldBytes = 0;
  /** Attachments that are complete. */
  readonly attachments: Attachment[] = [];
  readonly #size: number;
  readonly #places: readonly Place[];
  readonly #checkRoom: CheckRoom;
  #pieces: Uint8Array[] = [];
  #piecesBytes = 0;
  #attachment: Uint8Array | undefined;

  /**
   * @param size Bytes that were announced.
   * @param places Where attachments are in them.
   * @param checkRoom Whether there may be more memory.
   */
  constructor(size: number, places: readonly Place[], checkRoom: CheckRoom) {
    this.#size = size;
    this.#places = places;
    this.#checkRoom = checkRoom;
  }

  /** Whether it is complete. */
  get isWhole(): boolean {
    return this.there === this.#size;
  }

  /** All but the attachments. */
  get payload(): Uint8Array {
    return concat(this.#pieces);
  }

  /** Takes a part; false if that is more than was announced. */
  add(part: Uint8Array): boolean {
    if (part.length > this.#size - this.there) return false;
    for (let at = 0; at < part.length;) {
      const place = this.#places[this.attachments.length];
      const isAttachment = place !== undefined && this.there >= place.offset;
      const end = isAttachment ? place.offset + place.size : place?.offset ?? this.#size;
      const bytes = part.subarray(at, at + end - this.there);
      if (isAttachment) this.#addToAttachment(bytes, place);
      else this.#addPiece(bytes);
      this.there += bytes.length;
      at += bytes.length;
    }
    return true;
  }

  #addToAttachment(bytes: Uint8Array, { offset, size }: Place): void {
    const attachment = this.#attachment ??= new Uint8Array(this.#claim(size));
    attachment.set(bytes, this.there - offset);
    if (this.there + bytes.length < offset + size) return;
    this.attachments.push({ at: this.#piecesBytes, bytes: attachment });
    this.#attachment = undefined;
  }

  #addPiece(bytes: Uint8Array): void {
    this.#claim(Math.max(bytes.length, MIN_PIECE_BYTES));
    this.#pieces.push(bytes.slice());
    this.#piecesBytes += bytes.length;
  }

  #claim(size: number): number {
    this.#checkRoom(size, this);
    this.heldBytes += size;
    return size;
  }
}
