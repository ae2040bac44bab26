export { decode } from "./decode.ts";
export { encode, type ValueMap, type ValueType } from "./encode.ts";
