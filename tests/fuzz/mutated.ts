import fc from "fast-check";

/** Valid bytes with a few of them changed, put in, left out or cut off. */
export function mutated(valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const change = fc.record({
    how: fc.constantFrom("set", "insert", "delete", "cut", "max"),
    where: fc.double({ min: 0, max: 1, noNaN: true }),
    byte: fc.oneof(
      fc.integer({ min: 0, max: 255 }),
      fc.constantFrom(0, 1, 0x7f, 0x80, 0x9f, 0xc1, 0xc9, 0xdd, 0xdf, 0xff),
    ),
  });
  return fc.tuple(valid, fc.array(change, { minLength: 1, maxLength: 4 })).map(
    ([bytes, changes]) => {
      const list = [...bytes];
      for (const { how, where, byte } of changes) {
        const at = Math.min(Math.floor(where * list.length), Math.max(list.length - 1, 0));
        if (how === "set") list[at] = byte;
        else if (how === "insert") list.splice(at, 0, byte);
        else if (how === "delete") list.splice(at, 1);
        else if (how === "cut") list.length = at;
        else list.splice(at, 4, 0xff, 0xff, 0xff, 0xff);
      }
      return Uint8Array.from(list);
    },
  );
}
