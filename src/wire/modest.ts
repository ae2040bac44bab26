/**
 * Looking over a payload before it is decoded.
 *
 * @module
 */

import { Extension } from "./extensions.ts";

/** What follows each head from `c0` on: bytes of a length or count, or of the value itself; see the MessagePack specification. */
const LENGTH_BYTES = [0, 0, 0, 0, 1, 2, 4, 0, 0, 0, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8];

/**
 * Whether a payload is MessagePack of a few simple values: no more than so many, and of the extensions the constants alone.
 * Others may take a stranger's bytes and make far more of them: a `Set` is slow to make, an empty map takes fifty bytes.
 *
 * @param bytes The payload.
 * @param maxValues Most values, keys and lists included.
 */
export function isModest(bytes: Uint8Array, maxValues: number): boolean {
  const { length } = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  let at = 0;
  for (let left = 1, seen = 0; left > 0; left--) {
    if (at >= length || ++seen > maxValues) return false;
    const head = bytes[at++]!;
    if (head < 0x80 || head >= 0xe0) continue; // a small number
    if (head < 0x90) left += 2 * (head & 0x0f);
    else if (head < 0xa0) left += head & 0x0f;
    else if (head < 0xc0) at += head & 0x1f;
    else if (head < 0xd4) {
      const size = LENGTH_BYTES[head - 0xc0]!;
      if (head === 0xc1 || (head >= 0xc7 && head <= 0xc9) || at + size > length) return false;
      at += head <= 0xc6 ? size + numberAt(view, at, size) : size;
    } else if (head <= 0xd8) {
      if (head !== 0xd4 || bytes[at] !== Extension.Constant) return false;
      at += 2;
    } else {
      const size = head === 0xd9 ? 1 : head % 2 === 0 ? 2 : 4;
      if (at + size > length) return false;
      const count = numberAt(view, at, size);
      at += size;
      if (head <= 0xdb) at += count; // a string
      else left += head <= 0xdd ? count : 2 * count;
    }
  }
  return at === length;
}

function numberAt(view: DataView, at: number, size: number): number {
  switch (size) {
    case 0:
      return 0;
    case 1:
      return view.getUint8(at);
    case 2:
      return view.getUint16(at);
    default:
      return view.getUint32(at);
  }
}
