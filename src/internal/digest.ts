/**
 * Digests, and how to compare them.
 *
 * @module
 */

/** SHA-256 of bytes, which may change after the call. */
export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.slice()));
}

/** Compares bytes. Takes as long wherever they differ, so that time tells nothing of them. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let i = 0; i < one.length; i++) difference |= one[i]! ^ other[i]!;
  return difference === 0;
}
