/**
 * What the system's allocator does with the memory of large values when they are collected.
 *
 * @module
 */

/** A little less than 32 MiB, which is the largest block that glibc learns from. */
const LARGEST_LESSON_BYTES = 31 * 1024 * 1024;

let kept = false;

/**
 * Has glibc's `malloc` keep up to 62 MiB that are freed, to give them out again, where it would return all but a few to
 * the system and take them anew, page by page. It learns that from a large block that is freed, which nobody has
 * touched; see `M_MMAP_THRESHOLD` in {@link https://man7.org/linux/man-pages/man3/mallopt.3.html | mallopt(3)}. Once is
 * enough for the process. Other allocators do not care.
 */
export function keepFreedMemory(): void {
  if (kept) return;
  kept = true;
  try {
    new ArrayBuffer(LARGEST_LESSON_BYTES).transfer(0);
  } catch {
    // There is so little memory that none should be kept.
  }
}
