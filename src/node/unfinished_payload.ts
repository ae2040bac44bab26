/**
 * A payload of which not all parts have come.
 *
 * @module
 */

import type { Attachment } from "../wire/frame.ts";
import type { Place } from "../wire/parts.ts";

/** Memory for bytes other than attachments at first; more is taken as they come. */
const FIRST_BYTES = 256 * 1024;

/**
 * Takes parts: what lies in a place of an attachment into an array of its own, which can be handed to
 * the user, and everything else into one array.
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
  readonly #checkRoom: (bytes: number) => void;
  #other: Uint8Array;
  #otherThere = 0;
  #attachment: Uint8Array | undefined;

  /**
   * @param size Bytes that were announced.
   * @param places Where attachments are in them.
   * @param checkRoom Called before memory is taken; throws if there may be no more of it.
   * @param spare Memory that may be used.
   */
  constructor(
    size: number,
    places: readonly Place[],
    checkRoom: (bytes: number) => void,
    spare: Uint8Array | undefined,
  ) {
    this.#size = size;
    this.#places = places;
    this.#checkRoom = checkRoom;
    const others = places.reduce((rest, place) => rest - place.size, size);
    const reused = spare !== undefined && spare.length >= others;
    this.#other = reused ? spare : this.#take(Math.min(others, FIRST_BYTES));
  }

  /** Whether it is complete. */
  get isWhole(): boolean {
    return this.there === this.#size;
  }

  /** All but the attachments, and the memory that it lies in. */
  get payload(): Uint8Array {
    return this.#other.subarray(0, this.#otherThere);
  }

  /** The memory in which {@linkcode UnfinishedPayload.payload} lies. */
  get memory(): Uint8Array {
    return this.#other;
  }

  /** Takes a part; false if that is more than was announced. */
  add(part: Uint8Array): boolean {
    if (part.length > this.#size - this.there) return false;
    for (let at = 0; at < part.length;) {
      const place = this.#places[this.attachments.length];
      const isAttachment = place !== undefined && this.there >= place.offset;
      const end = isAttachment ? place.offset + place.size : place?.offset ?? this.#size;
      const count = Math.min(part.length - at, end - this.there);
      const bytes = count === part.length ? part : part.subarray(at, at + count);
      if (isAttachment) this.#addToAttachment(bytes, place);
      else this.#addToOther(bytes);
      this.there += count;
      at += count;
    }
    return true;
  }

  #addToAttachment(bytes: Uint8Array, { offset, size }: Place): void {
    const attachment = this.#attachment ??= this.#take(size);
    attachment.set(bytes, this.there - offset);
    if (this.there + bytes.length < offset + size) return;
    this.attachments.push({ at: this.#otherThere, bytes: attachment });
    this.#attachment = undefined;
  }

  #addToOther(bytes: Uint8Array): void {
    const end = this.#otherThere + bytes.length;
    if (end > this.#other.length) {
      const former = this.#other;
      const most = this.#size - this.there + this.#otherThere;
      this.#other = this.#take(Math.min(most, Math.max(end, former.length * 4)));
      this.#other.set(former.subarray(0, this.#otherThere));
    }
    this.#other.set(bytes, this.#otherThere);
    this.#otherThere = end;
  }

  #take(size: number): Uint8Array {
    this.#checkRoom(size);
    const memory = new Uint8Array(size);
    this.heldBytes += size;
    return memory;
  }
}
