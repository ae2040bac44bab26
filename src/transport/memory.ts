/**
 * A pipe inside the process: how a node reaches the controller that runs beside it.
 *
 * @module
 */

import { nextTurn } from "../internal/next_turn.ts";
import { type Frame, payloadSize } from "../wire/frame.ts";
import { HEADER_BYTES } from "../wire/limits.ts";
import type { ByteStream, StreamUser } from "./transport.ts";

/** After so much has passed, what is sent becomes bytes until others had their turn: bytes are waited for, frames are not. */
const MAX_PASSED_BYTES = 1024 * 1024;

/** Whether a frame may be handed over as it is: within its sender's `send`, and in its asynchronous context. */
export type MayPass = (frame: Frame) => boolean;

/**
 * Makes the two ends of a pipe.
 *
 * @param toFirst What may pass to the first end without becoming bytes. By default nothing.
 * @param toSecond The same for the second one.
 */
export function memoryPipe(
  toFirst: MayPass = () => false,
  toSecond: MayPass = () => false,
): [ByteStream, ByteStream] {
  const there = new Direction();
  const back = new Direction();
  const first = new End(back, there, toSecond);
  const second = new End(there, back, toFirst);
  first.other = second;
  second.other = first;
  return [first, second];
}

class End implements ByteStream {
  other!: End;
  #incoming: Direction;
  #outgoing: Direction;
  #mayPass: MayPass;
  #user: StreamUser | undefined;
  #isPassing = false;
  #passedBytes = 0;

  constructor(incoming: Direction, outgoing: Direction, mayPass: MayPass) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#mayPass = mayPass;
  }

  shortcut(user: StreamUser): (frame: Frame) => boolean {
    this.#user = user;
    return (frame) => this.#pass(frame);
  }

  /**
   * Nothing is overtaken: who waits for bytes has dealt with all that came before. Nobody is called while his own
   * `send` is under way, nor before he has read what he was sent, which may be that he is to pause.
   */
  #pass(frame: Frame): boolean {
    const target = this.other.#user;
    if (target === undefined || target.held || target.queuedBytes > 0) return false;
    if (this.other.#isPassing || this.#user!.queuedBytes > 0) return false;
    if (!this.#outgoing.isAwaited || !this.#mayPass(frame)) return false;
    const bytes = HEADER_BYTES + payloadSize(frame);
    if (bytes > target.maxFrameBytes || this.#passedBytes >= MAX_PASSED_BYTES) return false;
    this.#passedBytes += bytes;
    if (this.#passedBytes >= MAX_PASSED_BYTES) this.#rest();
    this.#isPassing = true;
    try {
      target.handler.onFrame(frame);
    } catch (error) {
      if (error instanceof RangeError) throw error; // the stack is full, which is the sender's
      target.close(error as Error);
    } finally {
      this.#isPassing = false;
    }
    return true;
  }

  async #rest(): Promise<void> {
    await nextTurn();
    this.#passedBytes = 0;
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

  get isAwaited(): boolean {
    return this.#reader !== undefined;
  }

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
