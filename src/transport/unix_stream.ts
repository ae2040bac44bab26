/**
 * A UNIX socket of the runtime as a byte stream.
 *
 * @module
 */

import { AdaptiveSpin } from "./adaptive_spin.ts";
import { SocketStream } from "./socket_stream.ts";

/** May stay awake for a moment after a small write. */
export class UnixStream extends SocketStream {
  readonly #spin = new AdaptiveSpin();

  /** See {@linkcode ByteStream.write}. */
  override write(bytes: Uint8Array): Promise<number> {
    this.#spin.writes(bytes.length);
    return super.write(bytes);
  }

  /** See {@linkcode ByteStream.came}. */
  came(): void {
    this.#spin.came();
  }
}
