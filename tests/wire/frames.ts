import fc from "fast-check";
import { type Frame, frame, Kind } from "../../src/wire/frame.ts";

export { concat } from "../../src/internal/concat.ts";
export { encodeFrame as toBytes } from "../../src/wire/frame_codec.ts";

/** A payload of so many bytes that no other one is equal to. */
export function payloadOf(size: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) => (i * 31 + (i >>> 8) + seed) & 0xff);
}

/** Frames with payloads of all sizes that are treated differently. */
export const anyFrame: fc.Arbitrary<Frame> = fc.record({
  kind: fc.constantFrom(...Object.values(Kind)),
  call: fc.integer({ min: 0, max: 0x7fffffff }),
  value: fc.integer({ min: 0, max: 0xffffffff }),
  size: fc.oneof(
    { arbitrary: fc.nat({ max: 100 }), weight: 6 },
    { arbitrary: fc.nat({ max: 10_000 }), weight: 2 },
    fc.constantFrom(4071, 4072, 4073, 32767, 32768, 32769, 100_000, 300_000),
  ),
}).map(({ kind, call, value, size }) =>
  frame(kind, { call, value, payload: payloadOf(size, call & 0xff) })
);

/** The payload that announces one in parts: its size, and offset and size of each attachment in it. */
export function announcementOf(...numbers: number[]): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(numbers.length * 4));
  numbers.forEach((number, i) => view.setUint32(i * 4, number));
  return new Uint8Array(view.buffer);
}
