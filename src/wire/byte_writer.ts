/**
 * The bytes of MessagePack's own types.
 *
 * @module
 */

import { SHORT_STRING, writeAscii } from "./short_strings.ts";

const INITIAL_BYTES = 4096;
const CACHED_VIEWS = 64;
/** A larger buffer is kept only until the runtime wants its memory. */
const KEPT_BYTES = 64 * 1024;

const utf8 = new TextEncoder();

/** Writes into a buffer that grows and is kept for the next value. */
export class ByteWriter {
  /** The buffer. It may be another one after any call. */
  bytes: Uint8Array = new Uint8Array(INITIAL_BYTES);
  /** The same buffer, for numbers. */
  view: DataView = new DataView(this.bytes.buffer);
  /** Where the next byte goes. */
  at = 0;
  readonly #onGrowth: (written: number) => void;
  /** What {@linkcode ByteWriter.finish} gave before, by size: a view costs more than a small value. */
  #views: Uint8Array[] = [];
  /** The last large buffer: fresh memory costs more than writing into it. */
  #large: WeakRef<Uint8Array> | undefined;

  /** @param onGrowth Told how much was written whenever the buffer must grow. Throws when it must not. */
  constructor(onGrowth: (written: number) => void) {
    this.#onGrowth = onGrowth;
  }

  /**
   * Gives what was written and begins anew.
   *
   * @returns A view that is valid until the next byte is written.
   */
  finish(): Uint8Array {
    const size = this.at;
    this.at = 0;
    if (size < CACHED_VIEWS) return this.#views[size] ??= this.bytes.subarray(0, size);
    const result = this.bytes.subarray(0, size);
    if (this.bytes.length > KEPT_BYTES) {
      this.#large = new WeakRef(this.bytes);
      this.#use(new Uint8Array(INITIAL_BYTES));
    }
    return result;
  }

  #use(bytes: Uint8Array): void {
    this.bytes = bytes;
    this.#views = [];
    this.view = new DataView(bytes.buffer);
  }

  /** Makes room for `size` bytes and tells where it begins. */
  reserve(size: number): number {
    const at = this.at;
    const end = at + size;
    if (end > this.bytes.length) {
      this.#onGrowth(at);
      const grown = this.#larger(Math.max(end, this.bytes.length * 2));
      grown.set(this.bytes.subarray(0, at));
      this.#use(grown);
    }
    this.at = end;
    return at;
  }

  #larger(size: number): Uint8Array {
    const large = size > KEPT_BYTES ? this.#large?.deref() : undefined;
    return large !== undefined && large.length >= size ? large : new Uint8Array(size);
  }

  /** Writes a byte. */
  byte(byte: number): void {
    const at = this.reserve(1);
    this.bytes[at] = byte;
  }

  /** Writes a few bytes. */
  small(bytes: Uint8Array): void {
    const length = bytes.length;
    const at = this.reserve(length);
    const into = this.bytes;
    for (let i = 0; i < length; i++) into[at + i] = bytes[i]!;
  }

  /** Writes a tag and one byte. */
  head2(tag: number, value: number): void {
    const at = this.reserve(2);
    this.bytes[at] = tag;
    this.bytes[at + 1] = value;
  }

  /** Writes a tag and two bytes. */
  head3(tag: number, value: number): void {
    const at = this.reserve(3);
    this.bytes[at] = tag;
    this.bytes[at + 1] = value >>> 8;
    this.bytes[at + 2] = value;
  }

  /** Writes a tag and four bytes. */
  head5(tag: number, value: number): void {
    const at = this.reserve(5);
    this.bytes[at] = tag;
    this.view.setUint32(at + 1, value);
  }

  /** Writes a string; false, and nothing is written, if UTF-8 cannot hold it. */
  string(value: string): boolean {
    const length = value.length;
    if (length <= SHORT_STRING) {
      const head = length < 0x20 ? 1 : 2;
      const at = this.reserve(head + length);
      const bytes = this.bytes;
      if (writeAscii(value, bytes, at + head)) {
        bytes[at] = head === 1 ? 0xa0 | length : 0xd9;
        if (head === 2) bytes[at + 1] = length;
        return true;
      }
      this.at = at;
    }
    if (!value.isWellFormed()) return false;
    // UTF-8 needs at most three bytes for a UTF-16 unit; the head is as wide as that needs.
    const most = length * 3;
    const headSize = most < 0x20 ? 1 : most < 0x100 ? 2 : most < 0x10000 ? 3 : 5;
    const at = this.reserve(headSize + most);
    const { written } = utf8.encodeInto(
      value,
      this.bytes.subarray(at + headSize, at + headSize + most),
    );
    this.at = at + headSize + written;
    this.bytes[at] = headSize === 1
      ? 0xa0 | written
      : headSize === 2
      ? 0xd9
      : headSize === 3
      ? 0xda
      : 0xdb;
    if (headSize === 2) this.bytes[at + 1] = written;
    else if (headSize === 3) this.view.setUint16(at + 1, written);
    else if (headSize === 5) this.view.setUint32(at + 1, written);
    return true;
  }

  /** Begins an array of so many items. */
  arrayHead(length: number): void {
    if (length < 0x10) this.byte(0x90 | length);
    else if (length < 0x10000) this.head3(0xdc, length);
    else this.head5(0xdd, length);
  }

  /** Begins a map of so many keys. */
  mapHead(size: number): void {
    if (size < 0x10) this.byte(0x80 | size);
    else if (size < 0x10000) this.head3(0xde, size);
    else this.head5(0xdf, size);
  }

  /** Writes a number: an integer of up to 32 bits in its shortest form, any other as a float. */
  number(value: number): void {
    if ((value | 0) === value) {
      if (value >= 0) {
        if (value < 0x80) return this.byte(value);
        if (value < 0x100) return this.head2(0xcc, value);
        if (value < 0x10000) return this.head3(0xcd, value);
        return this.head5(0xce, value);
      }
      if (value >= -0x20) return this.byte(value & 0xff);
      if (value >= -0x80) return this.head2(0xd0, value & 0xff);
      if (value >= -0x8000) return this.head3(0xd1, value & 0xffff);
      return this.head5(0xd2, value >>> 0);
    }
    if (value >= 0x80000000 && value <= 0xffffffff && Number.isInteger(value)) {
      return this.head5(0xce, value);
    }
    const at = this.reserve(9);
    this.bytes[at] = 0xcb;
    this.view.setFloat64(at + 1, value);
  }
}
