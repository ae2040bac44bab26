import type { ByteStream } from "../../src/transport/transport.ts";

/** A byte stream whose other side is the test. */
export class FakeStream implements ByteStream {
  /** What was given to each call of `write()`, and taken. */
  readonly writes: Uint8Array[] = [];
  /** The same, as they were given. */
  readonly given: Uint8Array[] = [];
  /** Most bytes that one call of `write()` takes. */
  maxWriteBytes = Infinity;
  /** How often `read()` and `close()` were called. */
  reads = 0;
  closes = 0;
  #chunks: (Uint8Array | null | Error)[] = [];
  #reader: { into: Uint8Array; settle: PromiseWithResolvers<number | null> } | undefined;
  #blocked: PromiseWithResolvers<void> | undefined;

  /** Everything that was written. */
  get written(): Uint8Array {
    return Uint8Array.from(this.writes.flatMap((bytes) => [...bytes]));
  }

  /** Writes settle no more until {@linkcode unblock}. */
  block(): void {
    this.#blocked = Promise.withResolvers();
  }

  unblock(error?: Error): void {
    if (error === undefined) this.#blocked?.resolve();
    else this.#blocked?.reject(error);
    this.#blocked = undefined;
  }

  /** The other side sends: bytes, its end (`null`) or a broken connection. */
  feed(...chunks: (Uint8Array | null | Error)[]): void {
    this.#chunks.push(...chunks);
    this.#deliver();
  }

  read(into: Uint8Array): Promise<number | null> {
    this.reads++;
    const settle = Promise.withResolvers<number | null>();
    this.#reader = { into, settle };
    this.#deliver();
    return settle.promise;
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (this.closes > 0) throw new Error("write after close");
    const count = Math.min(bytes.length, this.maxWriteBytes);
    this.given.push(bytes);
    this.writes.push(bytes.slice(0, count));
    await this.#blocked?.promise;
    return count;
  }

  close(): void {
    this.closes++;
    this.#reader?.settle.reject(new Error("closed"));
    this.#reader = undefined;
    this.unblock(new Error("closed"));
  }

  #deliver(): void {
    if (this.#reader === undefined || this.#chunks.length === 0) return;
    const { into, settle } = this.#reader;
    this.#reader = undefined;
    const chunk = this.#chunks.shift()!;
    if (chunk === null) return settle.resolve(null);
    if (chunk instanceof Error) return settle.reject(chunk);
    const count = Math.min(into.length, chunk.length);
    into.set(chunk.subarray(0, count));
    if (count < chunk.length) this.#chunks.unshift(chunk.subarray(count));
    settle.resolve(count);
  }
}

const realSetTimeout = setTimeout;

/** Lets everything run that is due now; nothing here waits for time or for the system. */
export function turn(): Promise<void> {
  return new Promise((resolve) => realSetTimeout(resolve, 0));
}
