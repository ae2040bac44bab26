/**
 * Values → MessagePack in one pass over the value.
 *
 * @module
 */

import { EncodeError } from "../errors.ts";
import { ByteWriter } from "./byte_writer.ts";
import type { AttachmentTaker, StreamWriter } from "./codec.ts";
import { BINARY_VIEWS, Constant, Extension } from "./extensions.ts";
import { lengthOfSource } from "./extension_values.ts";
import { errorParts } from "./error_parts.ts";
import { isStreamable, type Streamable } from "./streamable.ts";
import type { LargePayloads } from "./large_payloads.ts";
import { MAX_BIGINT_BYTES, MAX_DEPTH, MAX_MAX_FRAME_BYTES, MAX_REGEXP_LENGTH } from "./limits.ts";
import { className, inheritsSomething, isExactly, isPlainArray } from "./prototypes.ts";

/** Encodes one value at a time. */
export class Encoder {
  /** Most that a value may take: one whose parts occur in it again and again has no other end. */
  maxBytes: number = MAX_MAX_FRAME_BYTES;
  #out = new ByteWriter((written) => {
    if (written <= this.maxBytes) return;
    throw new EncodeError(`Cannot send ${this.#root}: above ${this.maxBytes} bytes; ${SEND_LESS}`);
  });
  #root = "";
  #path: (string | number | undefined)[] = []; // undefined for a key that travels only
  /** Depth of the value that is being written. */
  #depth = 0;
  #streams: StreamWriter | undefined;
  readonly #large: LargePayloads | undefined;
  #apart: AttachmentTaker | undefined;
  #apartBytes = 0;
  /** Keys that came before, as they are written. */
  #keys = new Map<string, Uint8Array>();
  /** Whether objects inherit something that can be enumerated. */
  #inherits = false;

  /** @param large Keeps large arrays apart. */
  constructor(large?: LargePayloads) {
    this.#large = large;
  }

  /** See {@linkcode Codec.encode}. */
  encode(
    value: unknown,
    root: string,
    streams?: StreamWriter,
    apart?: AttachmentTaker,
  ): Uint8Array {
    this.#root = root;
    this.#streams = streams;
    this.#apart = this.#large && apart;
    this.#apartBytes = 0;
    this.#inherits = inheritsSomething();
    try {
      this.#write(value, 0);
      if (this.#apartBytes !== 0) this.#large!.check(apart!, this.#apartBytes);
    } catch (error) {
      this.#out.finish();
      throw error instanceof EncodeError ? error : this.#unreadable(error);
    } finally {
      this.#streams = this.#apart = undefined; // they would keep the value
    }
    return this.#out.finish();
  }

  /** A getter, a proxy or a detached buffer in the value threw. */
  #unreadable(cause: unknown): EncodeError {
    const why = cause instanceof Error ? cause.message : typeof cause;
    return new EncodeError(`Cannot send ${this.#pathTo(this.#depth)}: it cannot be read: ${why}`, {
      cause,
    });
  }

  #write(value: unknown, depth: number): void {
    this.#depth = depth;
    switch (typeof value) {
      case "string":
        return this.#string(value, depth);
      case "number":
        if (value === 0 && 1 / value < 0) return this.#constant(Constant.NegativeZero);
        return this.#out.number(value);
      case "boolean":
        return this.#out.byte(value ? 0xc3 : 0xc2);
      case "undefined":
        return this.#constant(Constant.Undefined);
      case "object":
        if (value === null) return this.#out.byte(0xc0);
        if (depth >= MAX_DEPTH) this.#refuse(depth, "is nested too deep", TOO_DEEP);
        if (Array.isArray(value) && isPlainArray(value)) return this.#array(value, depth);
        return this.#object(value, depth);
      case "bigint":
        return this.#bigint(value, depth);
      default:
        this.#refuse(depth, `is a ${typeof value}`, NO_CODE);
    }
  }

  #refuse(depth: number, what: string, hint: string): never {
    throw new EncodeError(`Cannot send ${this.#pathTo(depth)}: it ${what}; ${hint}`);
  }

  #pathTo(depth: number): string {
    let path = this.#root;
    for (const key of this.#path.slice(0, Math.min(depth, 12))) {
      if (key === undefined) continue;
      path += typeof key === "number"
        ? `[${key}]`
        : /^[A-Za-z_$][\w$]*$/.test(key)
        ? `.${key}`
        : `[${JSON.stringify(key)}]`;
    }
    return depth > 12 ? `${path}…` : path;
  }

  #array(value: readonly unknown[], depth: number): void {
    const length = value.length;
    this.#out.arrayHead(length);
    for (let i = 0; i < length; i++) {
      this.#path[depth] = i;
      this.#write(value[i], depth + 1);
    }
  }

  #object(value: object, depth: number): void {
    if (isStreamable(value)) {
      if ("then" in value) this.#refuse(depth, "is a call that was not made", AWAIT_FIRST);
      return this.#stream(value, depth);
    }
    const prototype = Object.getPrototypeOf(value);
    // An object of another realm is plain too if nothing but its own Object.prototype is above.
    if (
      prototype === Object.prototype || prototype === null ||
      Object.getPrototypeOf(prototype) === null
    ) {
      const mixed = this.#inherits || prototype !== Object.prototype;
      return this.#plain(value as Record<string, unknown>, depth, mixed);
    }
    if (isExactly(value, Date)) return this.#date(value);
    if (value instanceof Uint8Array) return this.#binary(value, depth);
    if (ArrayBuffer.isView(value)) return this.#otherView(value, depth);
    if (value instanceof ArrayBuffer) return this.#rawBinary(0, new Uint8Array(value));
    if (isExactly(value, Map)) return this.#map(value, depth);
    if (isExactly(value, Set)) return this.#list(Extension.Set, [...value], depth);
    if (value instanceof Error) return this.#error(value, depth);
    if (isExactly(value, RegExp)) {
      const { source, flags } = value;
      const length = lengthOfSource(source);
      if (length > MAX_REGEXP_LENGTH) {
        this.#refuse(depth, `is a RegExp of length ${length}`, SHORTER);
      }
      return this.#list(Extension.RegExp, [source, flags], depth);
    }
    if (isExactly(value, URL)) return this.#url(value);
    if (value instanceof Promise) this.#refuse(depth, "is a Promise", AWAIT_FIRST);
    this.#refuse(depth, `is an instance of ${className(prototype)}`, NO_CODE);
  }

  #string(value: string, depth: number): void {
    if (this.#out.string(value)) return;
    this.#refuse(
      depth,
      "is a string with half a surrogate pair",
      "only whole characters can travel",
    );
  }

  /**
   * `for … in` costs a fourth of what looking fields up by their keys does.
   *
   * @param mixed Whether some of what it gives may be inherited.
   */
  #plain(value: Record<string, unknown>, depth: number, mixed: boolean): void {
    let size = 0;
    for (const key in value) if (!mixed || Object.hasOwn(value, key)) size++;
    this.#out.mapHead(size);
    for (const key in value) {
      if (mixed && !Object.hasOwn(value, key)) continue;
      size--;
      this.#path[depth] = key;
      this.#key(key, depth + 1);
      this.#depth = depth + 1; // a getter may throw
      this.#write(value[key], depth + 1);
    }
    if (size !== 0) this.#refuse(depth, "was changed meanwhile", "a getter must not do that");
  }

  /** The same few keys come again and again: how they are written is kept. */
  #key(key: string, depth: number): void {
    const known = this.#keys.get(key);
    if (known !== undefined) return this.#out.small(known);
    const at = this.#out.at;
    this.#string(key, depth);
    if (this.#keys.size >= MAX_KEYS || key.length > MAX_KEY_LENGTH) return;
    this.#keys.set(key, this.#out.bytes.slice(at, this.#out.at));
  }

  #constant(constant: number): void {
    const at = this.#out.reserve(3);
    this.#out.bytes[at] = 0xd4;
    this.#out.bytes[at + 1] = Extension.Constant;
    this.#out.bytes[at + 2] = constant;
  }

  /** Writes the head of an extension, its content in place, and then the length into the head. */
  #extension(type: number, content: () => void): void {
    const apart = this.#apart;
    this.#apart = undefined; // its length counts what lies in it
    const at = this.#out.reserve(6);
    this.#out.bytes[at] = 0xc9;
    this.#out.bytes[at + 5] = type;
    content();
    this.#apart = apart;
    this.#out.view.setUint32(at + 1, this.#out.at - at - 6);
  }

  #list(type: number, items: unknown[], depth: number): void {
    this.#extension(type, () => this.#array(items, depth));
  }

  #bigint(value: bigint, depth: number): void {
    const negative = value < 0n;
    let hex = (negative ? -value : value).toString(16);
    if (hex.length % 2) hex = "0" + hex;
    const size = hex.length / 2;
    if (size > MAX_BIGINT_BYTES) {
      this.#refuse(depth, `is a bigint of ${size} bytes`, `at most ${MAX_BIGINT_BYTES} can travel`);
    }
    this.#extension(Extension.BigInt, () => {
      const at = this.#out.reserve(1 + size);
      this.#out.bytes[at] = negative ? 1 : 0;
      for (let i = 0; i < size; i++) {
        this.#out.bytes[at + 1 + i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
      }
    });
  }

  #date(value: Date): void {
    const ms = value.getTime();
    if (Number.isNaN(ms)) return this.#constant(Constant.InvalidDate);
    const seconds = Math.floor(ms / 1000);
    const at = this.#out.reserve(15); // timestamp 96: reaches every Date there is
    this.#out.bytes[at] = 0xc7;
    this.#out.bytes[at + 1] = 12;
    this.#out.bytes[at + 2] = 0xff;
    this.#out.view.setUint32(at + 3, (ms - seconds * 1000) * 1_000_000);
    this.#out.view.setBigInt64(at + 7, BigInt(seconds));
  }

  #binary(value: Uint8Array, depth: number): void {
    if (isDetached(value.buffer)) this.#refuse(depth, "was transferred", "its bytes are elsewhere");
    const length = value.length;
    if (length < 0x100) this.#out.head2(0xc4, length);
    else if (length < 0x10000) this.#out.head3(0xc5, length);
    else this.#out.head5(0xc6, length);
    this.#bytes(value);
  }

  /** Large ones are copied once: by whoever sends them. */
  #bytes(bytes: Uint8Array): void {
    if (this.#apart !== undefined && this.#large!.take(this.#apart, this.#out.at, bytes)) {
      this.#apartBytes += bytes.length;
      return;
    }
    const at = this.#out.reserve(bytes.length);
    this.#out.bytes.set(bytes, at);
  }

  #otherView(value: ArrayBufferView, depth: number): void {
    const kind = BINARY_VIEWS.findIndex((type) => type !== undefined && value instanceof type);
    if (kind < 0) this.#refuse(depth, `is an instance of ${className(value)}`, NO_CODE);
    this.#rawBinary(kind, new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }

  #rawBinary(kind: number, content: Uint8Array): void {
    const at = this.#out.reserve(7);
    this.#out.bytes[at] = 0xc9;
    this.#out.view.setUint32(at + 1, content.length + 1);
    this.#out.bytes[at + 5] = Extension.Binary;
    this.#out.bytes[at + 6] = kind;
    this.#bytes(content);
  }

  #map(value: ReadonlyMap<unknown, unknown>, depth: number): void {
    this.#extension(Extension.Map, () => {
      const entries = [...value]; // a getter in one may add another
      this.#out.arrayHead(entries.length * 2);
      for (const [key, item] of entries) {
        const text = typeof key === "object" ? "object" : String(key);
        this.#path[depth] = `key ${text}`;
        this.#write(key, depth + 1);
        this.#path[depth] = text;
        this.#write(item, depth + 1);
      }
    });
  }

  #error(value: Error, depth: number): void {
    const parts = errorParts(value);
    const { fields } = parts;
    if (fields !== undefined) {
      // Read when it is their turn: for whoever reads the path, they are fields of the error itself.
      const get = () => (this.#path[depth] = undefined, fields);
      Object.defineProperty(parts, "fields", { get });
    }
    this.#extension(Extension.Error, () => this.#plain(parts, depth, true));
  }

  #url(value: URL): void {
    this.#extension(Extension.Url, () => {
      const bytes = new TextEncoder().encode(value.href);
      const at = this.#out.reserve(bytes.length);
      this.#out.bytes.set(bytes, at);
    });
  }

  #stream(value: Streamable, depth: number): void {
    if (this.#streams === undefined) {
      this.#refuse(
        depth,
        "is an iterable",
        "only arguments and a callback's result itself may be, not for period() or transferAndCall()",
      );
    }
    const number = this.#streams.addStream(value);
    const at = this.#out.reserve(4);
    this.#out.bytes[at] = 0xd5;
    this.#out.bytes[at + 1] = Extension.Stream;
    this.#out.bytes[at + 2] = number >>> 8;
    this.#out.bytes[at + 3] = number;
  }
}

/** What to do with a value that is too large. */
export const SEND_LESS = "send it in parts as a stream, or raise maxFrameBytes";

const MAX_KEYS = 512;
const MAX_KEY_LENGTH = 32;

const TOO_DEEP = `at most ${MAX_DEPTH} levels are allowed (is it circular?)`;
const SHORTER = `at most ${MAX_REGEXP_LENGTH} can travel; \\p counts as 64, RGI as 512`;
const NO_CODE =
  "send plain objects, arrays, Map, Set, Date, Error, URL, RegExp, typed arrays or primitive values";
const AWAIT_FIRST = "await it first";

/** `ArrayBuffer.prototype.detached` is not everywhere yet. */
function isDetached(buffer: ArrayBufferLike): boolean {
  return (buffer as { detached?: boolean }).detached === true;
}
