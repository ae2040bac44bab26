/**
 * MessagePack → values. The bytes are a stranger's: every declared length is checked against the
 * bytes that are left before anything is allocated, and the depth is limited.
 *
 * @module
 */

import type { StreamOpener } from "./codec.ts";
import { type Attachment, EMPTY } from "./frame.ts";
import { Constant, Extension, isTag } from "./extensions.ts";
import {
  bigintOf,
  dateOf,
  lengthOfSource,
  malformed,
  numberIfExact,
  viewOf,
} from "./extension_values.ts";
import { asString, defineField, rebuildError } from "./error_parts.ts";
import { KeyCache, readAscii, SHORT_STRING } from "./short_strings.ts";
import { MAX_READ_BYTES } from "./framer.ts";
import { MAX_COMPOUND_VALUES, MAX_DEPTH, MAX_REGEXP_LENGTH } from "./limits.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

const NONE: readonly Attachment[] = [];

/** Decodes one value at a time. */
export class Decoder {
  #bytes: Uint8Array = EMPTY;
  #dataView: DataView | undefined;
  #from = 0;
  #at = 0;
  #end = 0;
  #keys = new KeyCache();
  #streams: StreamOpener | undefined;
  #attachments = NONE;
  readonly #isPlain: boolean;
  #attached = 0;
  /** Compound values that there may still be. */
  #left = 0;

  /** @param isPlain Whether there are no values but those that every MessagePack has. */
  constructor(isPlain = false) {
    this.#isPlain = isPlain;
  }

  /**
   * Decodes the bytes from `from` to `to`.
   *
   * @param attachments What belongs among them, by its place behind `from`.
   */
  decode(
    bytes: Uint8Array,
    from: number,
    to: number,
    streams: StreamOpener | undefined,
    attachments: readonly Attachment[] = NONE,
  ): unknown {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#dataView = undefined;
    }
    this.#from = from;
    this.#at = from;
    this.#end = to;
    this.#streams = streams;
    this.#attachments = attachments;
    this.#attached = 0;
    this.#left = MAX_COMPOUND_VALUES;
    try {
      const value = this.#read(0);
      if (this.#attached !== attachments.length) {
        throw malformed("an attachment is not where it belongs");
      }
      if (this.#at !== this.#end) throw malformed(`${this.#end - this.#at} bytes too many`);
      return value;
    } finally {
      // Nothing large is kept, but for what a connection reads into again and again, nor what belongs to a call.
      this.#streams = undefined;
      this.#attachments = NONE;
      if (bytes.length > MAX_READ_BYTES) {
        this.#bytes = EMPTY;
        this.#dataView = undefined;
      }
    }
  }

  /** Made when it is first asked for: most small values do without. */
  get #view(): DataView {
    const { buffer, byteOffset, byteLength } = this.#bytes;
    return this.#dataView ??= new DataView(buffer, byteOffset, byteLength);
  }

  /** Claims the next `size` bytes and tells where they begin. */
  #take(size: number): number {
    const at = this.#at;
    if (size > this.#end - at) {
      throw malformed(`${size} bytes announced, ${this.#end - at} left`);
    }
    this.#at = at + size;
    return at;
  }

  #u8(): number {
    return this.#bytes[this.#take(1)]!;
  }

  #u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  #u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  #read(depth: number): unknown {
    const tag = this.#u8();
    if (tag < 0x80) return tag;
    if (tag >= 0xe0) return tag - 0x100;
    if (tag < 0x90) return this.#object(tag & 0x0f, depth);
    if (tag < 0xa0) return this.#array(tag & 0x0f, depth);
    if (tag < 0xc0) return this.#string(tag & 0x1f);
    switch (tag) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.#binary(this.#u8());
      case 0xc5:
        return this.#binary(this.#u16());
      case 0xc6:
        return this.#binary(this.#u32());
      case 0xc7:
        return this.#extension(this.#u8(), depth);
      case 0xc8:
        return this.#extension(this.#u16(), depth);
      case 0xc9:
        return this.#extension(this.#u32(), depth);
      case 0xca:
        return this.#view.getFloat32(this.#take(4));
      case 0xcb:
        return this.#view.getFloat64(this.#take(8));
      case 0xcc:
        return this.#u8();
      case 0xcd:
        return this.#u16();
      case 0xce:
        return this.#u32();
      case 0xcf:
        return numberIfExact(this.#view.getBigUint64(this.#take(8)));
      case 0xd0:
        return this.#view.getInt8(this.#take(1));
      case 0xd1:
        return this.#view.getInt16(this.#take(2));
      case 0xd2:
        return this.#view.getInt32(this.#take(4));
      case 0xd3:
        return numberIfExact(this.#view.getBigInt64(this.#take(8)));
      case 0xd4:
      case 0xd5:
      case 0xd6:
      case 0xd7:
      case 0xd8:
        return this.#extension(1 << (tag - 0xd4), depth);
      case 0xd9:
        return this.#string(this.#u8());
      case 0xda:
        return this.#string(this.#u16());
      case 0xdb:
        return this.#string(this.#u32());
      case 0xdc:
        return this.#array(this.#u16(), depth);
      case 0xdd:
        return this.#array(this.#u32(), depth);
      case 0xde:
        return this.#object(this.#u16(), depth);
      case 0xdf:
        return this.#object(this.#u32(), depth);
      default:
        throw malformed(`unknown tag 0x${tag.toString(16)}`);
    }
  }

  #string(size: number): string {
    const start = this.#take(size);
    const end = start + size;
    const short = size <= SHORT_STRING ? readAscii(this.#bytes, start, end) : undefined;
    return short ?? utf8.decode(this.#bytes.subarray(start, end));
  }

  #binary(size: number): Uint8Array {
    this.#spend(1);
    return this.#attachment(this.#at, size) ?? this.#copy(size);
  }

  /** What belongs at a place, if it is kept apart. */
  #attachment(at: number, size: number): Uint8Array | undefined {
    const attachment = this.#attachments[this.#attached];
    if (attachment?.at !== at - this.#from || attachment.bytes.length !== size) return undefined;
    this.#attached++;
    return attachment.bytes;
  }

  /** Memory that is copied into at once need not be cleared before, as with `slice()`. */
  #copy(size: number): Uint8Array<ArrayBuffer> {
    const at = this.#take(size);
    return new Uint8Array(this.#bytes.subarray(at, at + size));
  }

  /** Every element needs at least a byte, so a count above the bytes left is a lie. */
  #count(count: number, bytesEach: number, depth: number): void {
    if (count * bytesEach > this.#end - this.#at) {
      throw malformed(`${count} elements announced, ${this.#end - this.#at} bytes left`);
    }
    if (depth >= MAX_DEPTH) throw malformed(`nested deeper than ${MAX_DEPTH} levels`);
    this.#spend(1);
  }

  /** Makes something that takes much more memory than its bytes. */
  #spend(values: number): void {
    if ((this.#left -= values) < 0) throw malformed("too many values; send them in several calls");
  }

  #array(length: number, depth: number): unknown[] {
    this.#count(length, 1, depth);
    // As most calls' arguments are: the first push makes room for 17.
    if (length === 1) return [this.#read(depth + 1)];
    if (length === 2) return [this.#read(depth + 1), this.#read(depth + 1)];
    const result: unknown[] = [];
    for (let i = 0; i < length; i++) result.push(this.#read(depth + 1));
    return result;
  }

  #object(size: number, depth: number): Record<string, unknown> {
    this.#count(size, 2, depth);
    const result: Record<string, unknown> = {};
    for (let i = 0; i < size; i++) {
      const key = this.#key();
      const value = this.#read(depth + 1);
      if (key === "__proto__") defineField(result, key, value);
      else result[key] = value;
    }
    return result;
  }

  #key(): string {
    const tag = this.#u8();
    if (tag >= 0xa0 && tag < 0xc0) {
      const size = tag & 0x1f;
      if (size > this.#end - this.#at) this.#take(size); // throws
      const known = this.#keys.find(this.#bytes, this.#at, size);
      if (known === undefined) return this.#keys.add(this.#string(size), size);
      this.#at += size;
      return known;
    }
    if (tag < 0xd9 || tag > 0xdb) throw malformed("a key must be a string");
    this.#at--;
    return this.#read(0) as string; // a longer one
  }

  #extension(size: number, depth: number): unknown {
    const type = this.#view.getInt8(this.#take(1));
    if (type === Extension.Binary) {
      const apart = this.#attachment(this.#at + 1, size - 1);
      if (apart !== undefined) return viewOf(this.#u8(), apart.buffer as ArrayBuffer);
    }
    const start = this.#take(size);
    const outerEnd = this.#end;
    // What is nested in the extension sees only the extension's own bytes.
    this.#at = start;
    this.#end = start + size;
    const value = this.#content(type, size, depth);
    if (this.#at !== this.#end) throw malformed(`extension ${type} has bytes too many`);
    this.#end = outerEnd;
    return value;
  }

  #content(type: number, size: number, depth: number): unknown {
    this.#spend(type < Extension.RegExp ? 1 : 16);
    switch (this.#isPlain ? undefined : type) {
      case Extension.Timestamp:
        return dateOf(this.#view, this.#take(size), size);
      case Extension.Constant:
        return this.#constant(this.#u8());
      case Extension.BigInt:
        return bigintOf(this.#bytes, this.#take(size), size);
      case Extension.Map:
        return this.#map(depth);
      case Extension.Set:
        return new Set(this.#list(depth));
      case Extension.RegExp: {
        const [source, flags] = this.#list(depth);
        const length = lengthOfSource(asString(source));
        if (length > MAX_REGEXP_LENGTH) throw malformed(`a RegExp of length ${length}`);
        this.#spend(length ** 2 / 16);
        return new RegExp(asString(source), asString(flags));
      }
      case Extension.Url:
        return new URL(this.#string(size));
      case Extension.Error:
        return this.#error(depth);
      case Extension.Binary:
        return viewOf(this.#u8(), this.#copy(size - 1).buffer);
      case Extension.Stream: {
        const stream = this.#u16();
        if (this.#streams === undefined) throw malformed("a stream is not allowed here");
        return this.#streams(stream);
      }
      default:
        throw malformed(`unknown extension ${type}`);
    }
  }

  #list(depth: number): unknown[] {
    // Looked at before it is read: an extension in an extension would escape the depth limit.
    if (!isTag(this.#bytes[this.#at], 0x90, 0xdc)) {
      throw malformed("the extension must hold an array");
    }
    return this.#read(depth) as unknown[];
  }

  #constant(constant: number): unknown {
    if (constant === Constant.Undefined) return undefined;
    if (constant === Constant.NegativeZero) return -0;
    if (constant === Constant.InvalidDate) return new Date(NaN);
    throw malformed(`unknown constant ${constant}`);
  }

  #map(depth: number): Map<unknown, unknown> {
    const list = this.#list(depth);
    if (list.length % 2 !== 0) throw malformed("a Map with a key without value");
    const result = new Map<unknown, unknown>();
    for (let i = 0; i + 1 < list.length; i += 2) result.set(list[i], list[i + 1]);
    return result;
  }

  #error(depth: number): Error {
    if (!isTag(this.#bytes[this.#at], 0x80, 0xde)) {
      throw malformed("an error must hold a map");
    }
    return rebuildError(this.#read(depth) as Record<string, unknown>);
  }
}
