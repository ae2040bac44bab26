// Types by hand for the plain JavaScript of the standard library on npm: see ../README.md.
import { encode as encodeImpl } from "npm:deno-std@1.4.0/msgpack/encode.js";

/** A value that can be encoded. */
export type ValueType =
  | number
  | bigint
  | string
  | boolean
  | null
  | Uint8Array
  | readonly ValueType[]
  | ValueMap;

/** A map that can be encoded. */
export interface ValueMap {
  [index: string | number]: ValueType;
}

/** Encodes a value as MessagePack. */
export const encode: (object: ValueType) => Uint8Array<ArrayBuffer> = encodeImpl;
