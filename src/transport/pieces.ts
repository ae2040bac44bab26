/**
 * Messages that a WebSocket client of Deno sends at once.
 *
 * @module
 */

/** The longest of them. Who holds back hears at once that one of this size was taken: there is more. */
export const PIECE_BYTES = 1_024;

/** A larger message fills a segment, which does not wait. */
const MAX_HELD_BYTES = 65_536;

/**
 * Deno's client writes the head of a message of more than {@linkcode PIECE_BYTES} and the rest one by one, and leaves
 * Nagle's algorithm on: the rest waits until the head is acknowledged, which a system delays by 40 ms. Messages of one
 * write are answered by credits.
 *
 * @returns What is sent instead of one message.
 */
export function* piecesOf(bytes: Uint8Array): Generator<Uint8Array> {
  const isHeld = bytes.length < MAX_HELD_BYTES && "Deno" in globalThis;
  for (; isHeld && bytes.length > PIECE_BYTES; bytes = bytes.subarray(PIECE_BYTES)) {
    yield bytes.subarray(0, PIECE_BYTES);
  }
  yield bytes;
}
