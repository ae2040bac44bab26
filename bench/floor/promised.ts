/**
 * The floor for whoever has a promise for each message, as `await g.call.add(1, 2)` does.
 *
 * @module
 */

import { BUFFER_BYTES, writeAll } from "./socket.ts";

/**
 * Sends messages that come back in order: all of one turn in one write.
 *
 * @returns Sends one; resolves when it has come back.
 */
export function promisedEchoes(
  socket: Deno.Conn,
  messageBytes: number,
  maxInFlight: number,
): () => Promise<void> {
  const messages = new Uint8Array(messageBytes * maxInFlight);
  const waiting: (() => void)[] = new Array(maxInFlight);
  let first = 0;
  let next = 0;
  let toSend = 0;
  let flushing = false;

  const flush = async () => {
    flushing = true;
    await undefined; // the rest of the turn
    while (toSend > 0) {
      const now = toSend;
      toSend = 0;
      await writeAll(socket, messages.subarray(0, messageBytes * now));
    }
    flushing = false;
  };

  const read = async () => {
    const incoming = new Uint8Array(BUFFER_BYTES);
    let partial = 0;
    for (let bytes; (bytes = await socket.read(incoming)) !== null;) {
      partial += bytes;
      for (; partial >= messageBytes; partial -= messageBytes) waiting[first++ % maxInFlight]!();
    }
  };
  read().catch(() => {}); // it was closed

  return () => {
    toSend++;
    if (!flushing) flush();
    return new Promise((resolve) => waiting[next++ % maxInFlight] = resolve);
  };
}
