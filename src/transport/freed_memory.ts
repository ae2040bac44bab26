/**
 * What the system's allocator does with the memory of large values when they are collected.
 *
 * @module
 */

/** A little less than 32 MiB, which is the largest block that glibc learns from. */
const BLOCK_BYTES = 31 * 1024 * 1024;
/** As many blocks as there is room for in what is kept. */
const BLOCKS = 4;
/** Large enough that it lies behind the blocks, not in a gap before them. */
const LID_BYTES = 1024 * 1024;

/** Stays where it is, so that what is freed before it is no end of the heap, which glibc would return. */
let lid: ArrayBuffer | undefined;

/**
 * Has glibc's `malloc` keep 124 MiB for large values, to give them out again when they are freed, where it would return
 * all but a few to the system and take them anew, page by page. It learns from a large block that is freed to take such
 * blocks from its heap, of which it returns the end when that is free (`M_MMAP_THRESHOLD` and `M_TRIM_THRESHOLD` in
 * {@link https://man7.org/linux/man-pages/man3/mallopt.3.html | mallopt(3)}); so room is made there, and something small
 * left behind it. Nobody touches that room, so that it is memory only as it is used. Once is enough for the process.
 * Other allocators do not care.
 */
export function keepFreedMemory(): void {
  if (lid !== undefined) return;
  try {
    new ArrayBuffer(BLOCK_BYTES).transfer(0);
    const length = "WorkerGlobalScope" in globalThis ? 0 : BLOCKS; // workers have no heap as large as that
    const blocks = Array.from({ length }, () => new ArrayBuffer(BLOCK_BYTES));
    lid = new ArrayBuffer(LID_BYTES);
    for (const block of blocks) block.transfer(0);
  } catch {
    lid = new ArrayBuffer(0); // There is so little memory that none should be kept.
  }
}
