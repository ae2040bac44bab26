/**
 * A payload of which not all parts have come.
 *
 * @module
 */

import { concat } from "../internal/concat.ts";
import { type Attachment, EMPTY } from "../wire/frame.ts";
import type { Place } from "../wire/parts.ts";

/** An array of bytes takes so much, however few they are. */
const MIN_PIECE_BYTES = 512;

/**
 * Adds to what a payload has taken: so many bytes, or only the `least` if that is much already. Tells how many; throws if
 * there may be no more.
 */
export type ClaimMemory = (wanting: UnfinishedPayload, bytes: number, least: number) => number;

/**
 * Takes parts: what lies in a place of an attachment into an array of its own, which can be handed to
 * the user, and everything else into one payload. Memory is taken as they come, not as it was announced; for an
 * attachment when it begins, if there is plenty.
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
  readonly #claim: ClaimMemory;
  #pieces: Uint8Array[] = [];
  #piecesBytes = 0;
  #attachment = EMPTY;

  /**
   * @param size Bytes that were announced.
   * @param places Where attachments are in them.
   * @param claim Gives memory.
   */
  constructor(size: number, places: readonly Place[], claim: ClaimMemory) {
    this.#size = size;
    this.#places = places;
    this.#claim = claim;
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
    const from = this.there - offset;
    const end = from + bytes.length;
    const former = this.#attachment;
    if (end > former.length) {
      const least = Math.min(size, 2 * end) - former.length;
      const more = this.#claim(this, size - former.length, least);
      this.#attachment = new Uint8Array(former.length + more);
      this.#attachment.set(former);
    }
    this.#attachment.set(bytes, from);
    if (end < size) return;
    this.attachments.push({ at: this.#piecesBytes, bytes: this.#attachment });
    this.#attachment = EMPTY;
  }

  #addPiece(bytes: Uint8Array): void {
    const taken = Math.max(bytes.length, MIN_PIECE_BYTES);
    this.#claim(this, taken, taken);
    this.#pieces.push(bytes.slice());
    this.#piecesBytes += bytes.length;
  }
}
