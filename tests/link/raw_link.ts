import { Connection } from "../../src/link/connection.ts";
import type { ByteStream } from "../../src/transport/transport.ts";
import { type Frame, frame, type Kind, ownFrame } from "../../src/wire/frame.ts";
import { soon } from "../helpers/soon.ts";

/** One side of a handshake that sends what it is told to, and keeps what comes. */
export class RawLink {
  readonly connection: Connection;
  #frames: Frame[] = [];
  #wake = Promise.withResolvers<void>();

  constructor(stream: ByteStream) {
    this.connection = new Connection(stream, 1 << 22, {
      onFrame: (got) => {
        this.#frames.push(ownFrame(got));
        this.#wake.resolve();
      },
      onClose: () => this.#wake.resolve(),
    });
  }

  send(...frames: Frame[]): void {
    for (const one of frames) this.connection.send(one);
  }

  /** The next frame, or `undefined` when the connection is over. */
  async next(): Promise<Frame | undefined> {
    while (this.#frames.length === 0 && !this.connection.closed) {
      this.#wake = Promise.withResolvers();
      await soon(this.#wake.promise, 10_000);
    }
    return this.#frames.shift();
  }

  /** The payload of the next frame, which must be of this kind. */
  async payload(kind: Kind): Promise<Uint8Array> {
    const got = await this.next();
    if (got?.kind !== kind) throw new Error(`expected kind ${kind}, got ${got?.kind}`);
    return got.payload;
  }
}

export function framed(kind: Kind, payload: Uint8Array): Frame {
  return frame(kind, { payload });
}
