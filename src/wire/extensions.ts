/**
 * Numbers of the extension types, shared by encoder and decoder.
 *
 * @module
 */

/** MessagePack extension types. */
export const Extension = {
  Timestamp: -1,
  Constant: 1,
  BigInt: 2,
  Map: 3,
  Set: 4,
  RegExp: 5,
  Url: 6,
  Error: 7,
  Binary: 8,
  Stream: 9,
} as const;

/** Data of {@linkcode Extension.Constant}. */
export const Constant = { Undefined: 0, NegativeZero: 1, InvalidDate: 15 } as const;

/** Constructor of a typed array or another view of bytes. */
export interface BinaryView {
  new (buffer: ArrayBuffer): ArrayBufferView;
  readonly name: string;
  readonly BYTES_PER_ELEMENT?: number;
}

/** First data byte of {@linkcode Extension.Binary} is the index in this list. */
export const BINARY_VIEWS: readonly (BinaryView | undefined)[] = [
  undefined, // 0 is ArrayBuffer itself
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
  (globalThis as { Float16Array?: BinaryView }).Float16Array, // not everywhere yet
];

/** The error classes that are rebuilt as what they were; any other becomes an `Error`. */
export const ERROR_CLASSES: ReadonlyMap<string, new (message: string) => Error> = new Map(
  [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError]
    .map((type) => [type.name, type]),
);

/** Whether a tag is the short form, or one of the two long ones, of an array or a map. */
export function isTag(tag: number | undefined, short: number, long: number): boolean {
  return tag !== undefined && ((tag & 0xf0) === short || tag === long || tag === long + 1);
}
