import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { SpareBuffers } from "../../src/link/spare_buffers.ts";

const KiB = 1024;
const LARGE_BYTES = 256 * KiB;
/** As many as are kept: 20 MiB of large ones. */
const MAX_LARGE = 80;
const MAX_SMALL = 256;

/** How many of these buffers are given out again. */
function reused(spares: SpareBuffers, given: readonly Uint8Array[]): number {
  const known = new Set(given.map(({ buffer }) => buffer));
  let count = 0;
  while (known.delete(spares.take().buffer)) count++;
  return count;
}

const buffers = (count: number, bytes: number) =>
  Array.from({ length: count }, () => new Uint8Array(bytes));

Deno.test("SpareBuffers keeps no more than 20 MiB, however much is given back", () => {
  const spares = new SpareBuffers(() => 0);
  const given = buffers(2 * MAX_LARGE, LARGE_BYTES);
  for (const buffer of given) spares.give(buffer);
  assertEquals(reused(spares, given), MAX_LARGE);
});

Deno.test("SpareBuffers keeps no more than 256 small buffers", () => {
  const spares = new SpareBuffers(() => 0);
  const given = buffers(2 * MAX_SMALL, 4 * KiB);
  for (const buffer of given) spares.give(buffer);
  assertEquals(reused(spares, given), MAX_SMALL);
});

Deno.test("SpareBuffers keeps as much after each that was taken, and after it has let all go", () => {
  let now = 0;
  const spares = new SpareBuffers(() => now);
  for (let i = 0; i < 2 * MAX_LARGE; i++) {
    const [buffer] = buffers(1, LARGE_BYTES);
    spares.give(buffer!);
    assertStrictEquals(spares.take().buffer, buffer!.buffer);
  }
  for (const buffer of buffers(MAX_LARGE, LARGE_BYTES)) spares.give(buffer);
  now += 1_001;
  spares.give(new Uint8Array(LARGE_BYTES).subarray(0, 10)); // little is written by now
  assertEquals(spares.take().length, 4 * KiB);
  const given = buffers(MAX_LARGE, LARGE_BYTES);
  for (const buffer of given) spares.give(buffer);
  assertEquals(reused(spares, given), MAX_LARGE);
});

Deno.test("SpareBuffers keeps large buffers for a second after one was needed, and no longer", () => {
  let now = 5_000;
  const spares = new SpareBuffers(() => now);
  const [buffer] = buffers(1, LARGE_BYTES);
  spares.give(buffer!);
  for (const [passed, isKept] of [[1_000, true], [1, false]] as const) {
    const little = spares.take().subarray(0, 10);
    now += passed;
    spares.give(little);
    const taken = spares.take();
    assertEquals(taken.buffer === buffer!.buffer, isKept);
    spares.give(taken.subarray(0, 10));
  }
});

Deno.test("SpareBuffers gives whole buffers, of which only a part was filled", () => {
  const spares = new SpareBuffers(() => 0);
  const buffer = new Uint8Array(LARGE_BYTES);
  spares.give(buffer.subarray(0, 5_000));
  const taken = spares.take();
  assertStrictEquals(taken.buffer, buffer.buffer);
  assertEquals([taken.byteOffset, taken.length], [0, LARGE_BYTES]);
  const small = new Uint8Array(4 * KiB);
  spares.give(small.subarray(0, 5));
  assertEquals(spares.take().length, 4 * KiB);
  assert(spares.take().buffer !== small.buffer);
});
