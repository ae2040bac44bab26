/**
 * A socket of the runtime as a byte stream.
 *
 * @module
 */

import { keepFreedMemory } from "./freed_memory.ts";
import type { ByteStream } from "./transport.ts";

/** Who has room for so much expects large values. */
const LARGE_READ_BYTES = 256 * 1024;

/** Closes the socket once, however often it is asked to; the runtime throws the second time. */
export class SocketStream implements ByteStream {
  /** See {@linkcode ByteStream.remote}. */
  readonly remote: string | undefined;
  #socket: Deno.Conn;
  #closed = false;

  /** @param socket A connected socket. */
  constructor(socket: Deno.Conn) {
    this.#socket = socket;
    const address = socket.remoteAddr;
    this.remote = "hostname" in address ? address.hostname : undefined;
  }

  /** See {@linkcode ByteStream.read}. */
  read(into: Uint8Array): Promise<number | null> {
    if (into.length >= LARGE_READ_BYTES) keepFreedMemory();
    return this.#socket.read(into);
  }

  /** See {@linkcode ByteStream.write}. */
  write(bytes: Uint8Array): Promise<number> {
    return this.#socket.write(bytes);
  }

  /** See {@linkcode ByteStream.close}. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.close();
  }
}
