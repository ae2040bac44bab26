// Types by hand for the plain JavaScript of the standard library on npm: see ../README.md.
import { decode as decodeImpl } from "npm:deno-std@1.4.0/msgpack/decode.js";
import type { ValueType } from "./encode.ts";

/** Decodes one MessagePack value; throws `EvalError` if the bytes are not exactly one value. */
export const decode: (data: Uint8Array) => ValueType = decodeImpl;
