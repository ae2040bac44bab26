/**
 * What this node has to send while it may not: to a process that was asked to be left in peace, or
 * while the own connection is congested.
 *
 * @module
 */

import { ConnectionError, OverloadedError } from "../errors.ts";
import type { Connection } from "../link/connection.ts";
import type { Frame } from "../wire/frame.ts";
import { MAX_WAITING_BYTES } from "../wire/limits.ts";
import type { LargePayloads } from "../wire/large_payloads.ts";
import { copyOf, wholeBytes } from "../wire/parts.ts";

/** About what one that waits takes besides its payload. */
const WAITING_FRAME_BYTES = 512;

/** The call that a frame begins. */
export interface FrameOwner {
  /** The milliseconds that the call has left now, as they travel. */
  readonly timeLeft?: number;
  /** It had to wait, so what it knew of the time is out of date. */
  waited?(): void;
  /** Called just before the frame is sent; false if it is not wanted any more. */
  claim(): boolean;
  /** The frame was not sent and never will be, for its target is gone. */
  dropped(): void;
}

interface Queue {
  /** By their owners; what has none is its own. In the order in which they came. */
  readonly frames: Map<object, Frame>;
  readonly empty: PromiseWithResolvers<void>;
}

/** Sends frames to other processes, in order for each of them. */
export class Outbox {
  #connection: Connection;
  #paused = new Set<number>();
  #queues = new Map<number, Queue>();
  #bytes = 0;
  readonly #divide: LargePayloads["divide"];
  readonly #send = (frame: Frame): void => this.#connection.send(frame);

  /**
   * @param connection Where frames leave.
   * @param divide Cuts large ones into parts.
   */
  constructor(connection: Connection, divide: LargePayloads["divide"] = asOne) {
    this.#connection = connection;
    this.#divide = divide;
  }

  /**
   * Sends a frame now, or when its target takes frames again; in parts if it is large.
   *
   * @param frame The frame. Its payload is copied if it must wait and is not its own.
   * @param owner The call that the frame begins, if it does.
   * @throws {OverloadedError} when a call would have to wait and too much does already. An answer always may, but if far
   * too much waits for the own connection, that is closed.
   */
  post(frame: Frame, owner?: FrameOwner): void {
    const { peer } = frame;
    if (this.#open(peer)) {
      if (owner === undefined || owner.claim()) this.#divide(frame, this.#send);
      return;
    }
    if (owner !== undefined && !this.hasRoom(frame)) {
      throw new OverloadedError(
        `Cannot call: ${this.#bytes} bytes wait for slow processes, at most ${MAX_WAITING_BYTES} may`,
      );
    }
    // Who calls hears nothing of it that the way is slow: nobody else would put an end to the answers.
    if (this.#connection.congested && this.#bytes > 2 * MAX_WAITING_BYTES) {
      return this.#connection.close(new ConnectionError("too much waits for it"));
    }
    this.#bytes += cost(frame);
    const payload = frame.payload.slice();
    const attachments = frame.attachments?.map(copyOf);
    const waiting = { ...frame, payload, attachments };
    this.#queueOf(peer).frames.set(owner ?? waiting, waiting);
  }

  /** Whether a frame leaves at once, or may wait. A call that may not fails; an answer is replaced. */
  hasRoom(frame: Frame): boolean {
    return this.#open(frame.peer) || this.#bytes + cost(frame) <= MAX_WAITING_BYTES;
  }

  #queueOf(peer: number): Queue {
    let queue = this.#queues.get(peer);
    if (queue === undefined) {
      this.#queues.set(peer, queue = { frames: new Map(), empty: Promise.withResolvers() });
    }
    return queue;
  }

  /** A call is over before it was sent: nothing of it waits any more. */
  leave(owner: object): void {
    for (const [peer, { frames, empty }] of this.#queues) {
      const waiting = frames.get(owner);
      if (waiting === undefined) continue;
      this.#bytes -= cost(waiting);
      frames.delete(owner);
      if (frames.size > 0) continue;
      this.#queues.delete(peer);
      empty.resolve(); // whoever it holds up looks again
    }
  }

  /** Whether nothing waits and nobody is paused. */
  get isFree(): boolean {
    return !this.#connection.congested && this.#paused.size === 0 && this.#queues.size === 0;
  }

  #open(peer: number): boolean {
    return !this.#connection.congested && !this.#paused.has(peer) && !this.#queues.has(peer);
  }

  /** Resolves when frames for a process leave at once; `undefined` if they do. */
  ready(peer: number): Promise<void> | undefined {
    return this.#open(peer) ? undefined : this.#queueOf(peer).empty.promise;
  }

  /** Resolves when nothing waits any more, and all of it is written. */
  async flushed(): Promise<void> {
    const filled = [...this.#queues.values()].filter(({ frames }) => frames.size > 0);
    await Promise.all(filled.map(({ empty }) => empty.promise));
    await this.#connection.flushed();
  }

  /** Sends nothing to a process until {@linkcode Outbox.resume}. */
  pause(peer: number): void {
    this.#paused.add(peer);
  }

  /** The process takes frames again. */
  resume(peer: number): void {
    this.#paused.delete(peer);
    this.#flush(peer);
  }

  /** The own connection takes frames again. */
  drained(): void {
    for (const peer of [...this.#queues.keys()]) this.#flush(peer);
  }

  /** A process is gone: what waits for it is dropped. Its callers are told otherwise. */
  forget(peer: number): void {
    this.#paused.delete(peer);
    const queue = this.#queues.get(peer);
    if (queue === undefined) return;
    this.#queues.delete(peer);
    for (const [owner, frame] of queue.frames) {
      this.#bytes -= cost(frame);
      if (owner !== frame) (owner as FrameOwner).dropped();
    }
    queue.empty.resolve();
  }

  /** The connection is gone: everything that waits is dropped. */
  clear(): void {
    for (const peer of [...this.#queues.keys()]) this.forget(peer);
  }

  #flush(peer: number): void {
    const queue = this.#queues.get(peer);
    if (queue === undefined) return;
    const { frames } = queue;
    const { size } = frames;
    for (const [owner, frame] of frames) {
      if (this.#connection.congested || this.#paused.has(peer)) break;
      frames.delete(owner);
      this.#bytes -= cost(frame);
      if (owner === frame || this.#claim(owner as FrameOwner, frame)) {
        this.#divide(frame, this.#send);
      }
    }
    if (frames.size > 0 || this.#connection.congested || this.#paused.has(peer)) {
      if (frames.size === size) return;
      // The others come first the next time: what is sent to one must not keep all else from leaving.
      this.#queues.delete(peer);
      this.#queues.set(peer, queue);
      return;
    }
    this.#queues.delete(peer);
    queue.empty.resolve();
  }

  #claim(owner: FrameOwner, frame: Frame): boolean {
    owner.waited?.();
    frame.value = owner.timeLeft ?? frame.value;
    return owner.claim();
  }
}

/** What a frame takes while it waits: many small ones take more than what is in them. */
function cost(frame: Frame): number {
  return wholeBytes(frame) + WAITING_FRAME_BYTES;
}

function asOne(whole: Frame, send: (frame: Frame) => void): void {
  send(whole);
}
