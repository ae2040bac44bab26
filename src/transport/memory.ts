/**
 * A pipe inside the process: how a node reaches the controller that runs beside it.
 *
 * @module
 */

import type { ByteStream } from "./transport.ts";

/** Makes the two ends of a pipe. */
export function memoryPipe(): [ByteStream, ByteStream] {
  const there = new Direction();
  const back = new Direction();
  return [new End(back, there), new End(there, back)];
}

class End implements ByteStream {
  #incoming: Direction;
  #outgoing: Direction;

  constructor(incoming: Direction, outgoing: Direction) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#incoming.read(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#outgoing.write(bytes);
  }

  close(): void {
    this.#incoming.close("reader");
    this.#outgoing.close("writer");
  }
}

interface Waiting {
  bytes: Uint8Array;
  resolve: (count: number) => void;
  reject: (error: Error) => void;
}

/** A writer waits for a reader and the other way round, so nothing is ever buffered here. */
class Direction {
  #reader: (Omit<Waiting, "resolve"> & { resolve: (count: number | null) => void }) | undefined;
  #writer: Waiting | undefined;
  #closedBy: "reader" | "writer" | undefined;

  read(into: Uint8Array): Promise<number | null> {
    if (this.#closedBy === "reader") return Promise.reject(new Error("the pipe is closed"));
    if (this.#writer !== undefined) {
      const { bytes, resolve } = this.#writer;
      this.#writer = undefined;
      const count = copy(bytes, into);
      resolve(count);
      return Promise.resolve(count);
    }
    if (this.#closedBy === "writer") return Promise.resolve(null);
    return new Promise((resolve, reject) => this.#reader = { bytes: into, resolve, reject });
  }

  write(bytes: Uint8Array): Promise<number> {
    if (this.#closedBy !== undefined) return Promise.reject(new Error("the pipe is closed"));
    if (this.#reader !== undefined) {
      const { bytes: into, resolve } = this.#reader;
      this.#reader = undefined;
      const count = copy(bytes, into);
      resolve(count);
      return Promise.resolve(count);
    }
    return new Promise((resolve, reject) => this.#writer = { bytes, resolve, reject });
  }

  close(by: "reader" | "writer"): void {
    this.#closedBy ??= by;
    const error = new Error("the pipe is closed");
    if (by === "writer") this.#reader?.resolve(null);
    else this.#reader?.reject(error);
    this.#writer?.reject(error);
    this.#reader = this.#writer = undefined;
  }
}

function copy(from: Uint8Array, to: Uint8Array): number {
  const count = Math.min(from.length, to.length);
  to.set(from.length === count ? from : from.subarray(0, count));
  return count;
}
