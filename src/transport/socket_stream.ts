/**
 * A socket of the runtime as a byte stream.
 *
 * @module
 */

import { MAX_READ_BYTES } from "../wire/framer.ts";
import { keepFreedMemory } from "./freed_memory.ts";
import type { ByteStream } from "./transport.ts";

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
    if (into.length >= MAX_READ_BYTES) keepFreedMemory(); // so much comes of large values
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
