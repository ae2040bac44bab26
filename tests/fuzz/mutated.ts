import fc from "fast-check";

const HOWS = [
  ...["set", "flip", "insert", "delete", "cut", "max"],
  ...["duplicate", "move", "length", "splice"],
] as const;

/** Lengths and counts at which something could go over an edge. */
const EDGES = [
  ...[0, 1, 4, 19, 20, 21, 23, 24, 255, 4_095, 4_096, 32_767, 32_768, 65_535, 65_536],
  ...[2 ** 21 - 4, 2 ** 21, 2 ** 26, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1],
];

interface Change {
  readonly how: typeof HOWS[number];
  /** Places in the bytes, from 0 for the first to 1 for the last. */
  readonly where: number;
  readonly whence: number;
  readonly size: number;
  readonly byte: number;
  readonly edge: number;
}

const place = fc.double({ min: 0, max: 1, noNaN: true });

const anyChange: fc.Arbitrary<Change> = fc.record({
  how: fc.constantFrom(...HOWS),
  where: place,
  whence: place,
  size: fc.integer({ min: 1, max: 40 }),
  byte: fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(0, 1, 0x7f, 0x80, 0x9f, 0xc1, 0xc9, 0xdd, 0xdf, 0xff),
  ),
  edge: fc.constantFrom(...EDGES),
});

/**
 * Valid bytes with a few of them changed, put in, left out, cut off, repeated, moved, made a length,
 * or mixed with other valid bytes.
 */
export function mutated(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const changes = fc.array(anyChange, { minLength: 1, maxLength: 4 });
  return fc.tuple(valid, valid, changes).map(([bytes, other, changes]) => {
    const list = [...bytes];
    for (const change of changes) mutate(list, other, change);
    return Uint8Array.from(list);
  });
}

function mutate(list: number[], other: Uint8Array, change: Change): void {
  const { how, where, whence, size, byte, edge } = change;
  const index = (from: number, length: number) =>
    Math.min(Math.floor(from * length), Math.max(length - 1, 0));
  const at = index(where, list.length);
  const from = index(whence, list.length);
  switch (how) {
    case "set":
      list[at] = byte;
      break;
    case "flip":
      list[at] = (list[at] ?? 0) ^ (1 << (byte & 7));
      break;
    case "insert":
      list.splice(at, 0, byte);
      break;
    case "delete":
      list.splice(at, size);
      break;
    case "cut":
      list.length = at;
      break;
    case "max":
      list.splice(at, 4, 0xff, 0xff, 0xff, 0xff);
      break;
    case "duplicate":
      list.splice(at, 0, ...list.slice(from, from + size));
      break;
    case "move":
      list.splice(at, 0, ...list.splice(from, size));
      break;
    case "length":
      list.splice(at, 4, edge >>> 24, (edge >>> 16) & 255, (edge >>> 8) & 255, edge & 255);
      break;
    case "splice":
      list.splice(at, size, ...other.slice(index(whence, other.length)).slice(0, size));
  }
}
