/**
 * A child process's pipes as a byte stream.
 *
 * @module
 */

import { Inbox } from "../transport/inbox.ts";
import type { ByteStream } from "../transport/transport.ts";

/** Reads what the child writes, and writes what it reads. */
export class ChildStream implements ByteStream {
  #reader: ReadableStreamDefaultReader<Uint8Array>;
  #writer: WritableStreamDefaultWriter<Uint8Array>;
  /** What was read and did not fit. */
  readonly #inbox = new Inbox();
  #closed = false;
  #giveUpWriting: (error: Error) => void = () => {};

  /**
   * @param stdout What the child writes.
   * @param stdin What the child reads.
   */
  constructor(stdout: ReadableStream<Uint8Array>, stdin: WritableStream<Uint8Array>) {
    this.#reader = stdout.getReader();
    this.#writer = stdin.getWriter();
  }

  /** See {@linkcode ByteStream.read}. */
  async read(into: Uint8Array): Promise<number | null> {
    while (this.#inbox.bytes === 0) {
      const { done, value } = await this.#reader.read();
      if (this.#closed) throw new Error("the pipe is closed");
      if (done) return null;
      this.#inbox.add(value);
    }
    return this.#inbox.take(into);
  }

  /** See {@linkcode ByteStream.write}. */
  write(bytes: Uint8Array): Promise<number> {
    // A pipe that nobody reads from keeps its writer waiting, whatever happens to the stream.
    return new Promise((resolve, reject) => {
      this.#giveUpWriting = reject;
      this.#writer.write(bytes).then(() => resolve(bytes.length), reject);
    });
  }

  /** See {@linkcode ByteStream.close}. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#giveUpWriting(new Error("the pipe is closed"));
    // The child may be gone, and the pipes broken: that is what closing is for.
    this.#reader.cancel().catch(() => {});
    this.#writer.abort().catch(() => {});
  }
}
