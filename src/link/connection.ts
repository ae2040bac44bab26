/**
 * One live connection: a read loop that delivers frames, and a write queue that sends the frames of
 * one turn of the event loop together.
 *
 * @module
 */

import { ConnectionError } from "../errors.ts";
import { nextTurn } from "../internal/next_turn.ts";
import type { ByteStream } from "../transport/transport.ts";
import type { Frame } from "../wire/frame.ts";
import { Framer } from "../wire/framer.ts";
import { PAUSE_AT_BYTES, RESUME_AT_BYTES } from "../wire/limits.ts";
import { checkPreface, PREFACE, PREFACE_BYTES } from "../wire/preface.ts";
import type { SpareBuffers } from "./spare_buffers.ts";
import { MAX_BUFFER_BYTES, WriteQueue } from "./write_queue.ts";

/**
 * After so many bytes written, what has come in gets its turn: a write that the system takes at once
 * does not give it one, and a sender that never reads does not see that it is asked to pause.
 */
const YIELD_AFTER_BYTES = 1024 * 1024;

/** As much is read at a time of what takes long: a frame for many is work for each of them. */
const FEW_BYTES = 16 * 1024;

/** Fewer frames are not worth a write before the turn is over. */
const MIN_EARLY_FRAMES = 64;

/** What the owner of a connection does with what happens on it. */
export interface ConnectionHandler {
  /**
   * A frame came. It and its payload are valid during the call only. Throwing closes the connection
   * with the error as its reason.
   */
  onFrame(frame: Frame): void;
  /** The queue, which was {@linkcode Connection.congested}, has drained. */
  onDrain?(): void;
  /** The connection is over; called once. `error` is missing if the other side just finished. */
  onClose(error: Error | undefined): void;
}

/** A framed connection to one peer over any byte stream. */
export class Connection {
  /** Who gets what happens here. May be exchanged at any time, also within `onFrame`. */
  handler: ConnectionHandler;
  /** Resolves when the connection is over. */
  readonly over: Promise<void>;
  #stream: ByteStream;
  /** Hands a frame to the other end, which is in this process too, as it is; if not, it is sent as bytes. */
  #pass: ((frame: Frame) => boolean) | undefined;
  #framer: Framer;
  #queue: WriteQueue;
  #writing = false;
  /** What is being written, and how much of it was. */
  #piece: Uint8Array | undefined;
  #pieceBytes = 0;
  /** Somebody waits until more is written. */
  #progress: PromiseWithResolvers<void> | undefined;
  /** Whether what is queued leaves at the end of this turn. */
  #scheduled = false;
  #congested = false;
  #closed = false;
  #held = false;
  /**
   * Whether it asks for more before what this turn sends leaves. Where many connections meet, more of what they bring
   * shares a write then; anywhere else, the other side has its answer sooner if it does not.
   */
  #asksFirst: boolean;
  /** Goes on reading, if it would be read from were it not held. */
  #readOn: (() => void) | undefined;
  #receivedBytes = 0;
  #writtenBytes = 0;
  /** Written since what has come in had its turn. */
  #unansweredBytes = 0;
  /**
   * Read since others surely had their turn: while there is more, reading takes none. `Infinity` if what was read has
   * taken long.
   */
  #readBytes = 0;
  /** Frames that were sent since nothing was written. */
  #sent = 0;
  /**
   * When so many were sent, they are written while the turn goes on, so that the other side works on them
   * while this one makes the rest: a third of what a turn has sent lately.
   */
  #earlyFrames = MIN_EARLY_FRAMES;
  #over = Promise.withResolvers<void>();

  /**
   * Takes the stream over, sends the preface and starts reading.
   *
   * @param stream A fresh connection.
   * @param maxFrameBytes Largest frame that is accepted.
   * @param handler Who gets what happens here.
   * @param buffers What is sent lies in them until it is written; many connections share them.
   */
  constructor(
    stream: ByteStream,
    maxFrameBytes: number,
    handler: ConnectionHandler,
    buffers?: SpareBuffers,
  ) {
    this.#stream = stream;
    this.#pass = stream.shortcut?.(this);
    this.#queue = new WriteQueue(buffers);
    this.#asksFirst = buffers !== undefined;
    this.#framer = new Framer(maxFrameBytes);
    this.handler = handler;
    this.over = this.#over.promise;
    this.#queue.addBytes(PREFACE);
    this.#flush();
    this.#readPreface().then(this.#readNext, this.#fail);
  }

  /** The largest frame that is accepted. */
  get maxFrameBytes(): number {
    return this.#framer.maxFrameBytes;
  }

  set maxFrameBytes(bytes: number) {
    this.#framer.maxFrameBytes = bytes;
  }

  /** Whether the connection is over. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Bytes that wait to be written. */
  get queuedBytes(): number {
    return this.#queue.bytes;
  }

  /** Bytes that were read so far. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Bytes that were written so far. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** Whether more has come than what was delivered. */
  get hasMore(): boolean {
    return this.#framer.bufferedBytes > 0;
  }

  /** Whether it is not read from at present. */
  get held(): boolean {
    return this.#held;
  }

  /** Whether more waits than should; `onDrain` tells when it does not any more. */
  get congested(): boolean {
    return this.#congested;
  }

  /**
   * Sends a frame: it is copied into the queue at once. On a closed connection nothing happens.
   */
  send(frame: Frame): void {
    if (this.#closed || this.#pass?.(frame)) return;
    this.#queue.add(frame);
    this.#sent++;
    this.#checkCongestion();
    if (!this.#writing) this.#flush();
  }

  /**
   * Sends whole frames of which others get the same bytes, which must never change. They do not wait for what else is
   * sent in this turn, for they leave in a write of their own. On a closed connection nothing happens.
   *
   * @param release Called when the bytes are written, or the connection is over.
   */
  sendShared(frames: Uint8Array, release?: () => void): void {
    if (this.#closed) return;
    this.#queue.addShared(frames, release);
    this.#checkCongestion();
    this.writeNow();
  }

  #checkCongestion(): void {
    if (this.#queue.bytes > PAUSE_AT_BYTES) this.#congested = true;
  }

  /** Stops reading after the current read, until {@linkcode Connection.release}. */
  hold(): void {
    this.#held = true;
  }

  /** What it brings takes long: after the current read others have their turn, and little is read the next time. */
  giveWay(): void {
    this.#readBytes = Infinity;
  }

  /** Goes on reading. */
  release(): void {
    this.#held = false;
    this.#readOn?.();
  }

  /** Resolves when all that was sent so far is written, or the connection is over. */
  async flushed(): Promise<void> {
    const bytes = this.#writtenBytes - this.#pieceBytes + this.#queue.bytes;
    while (this.#writtenBytes < bytes && !this.#closed) {
      await (this.#progress ??= Promise.withResolvers()).promise;
    }
  }

  /** Ends the connection at once; what is not written is lost. Idempotent. */
  close(error?: Error): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stream.close();
    // Megabytes, which whoever still knows of the connection, be it by an error's stack, would keep.
    this.#queue.drop();
    this.#queue = new WriteQueue();
    this.#framer = new Framer(0);
    this.#piece = undefined;
    try {
      this.handler.onClose(error);
    } finally {
      this.#progress?.resolve();
      this.#over.resolve();
    }
  }

  /** Frames that are sent in one turn leave in one write, or in two if they are many, or large. */
  #flush(): void {
    if (this.#sent >= this.#earlyFrames || this.#queue.bytes >= MAX_BUFFER_BYTES) this.writeNow();
    else if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(this.#endTurn);
    }
  }

  readonly #endTurn = (): void => {
    this.#scheduled = false;
    this.writeNow();
  };

  /** What was sent leaves before this turn is over. */
  writeNow(): void {
    if (this.#writing || this.#queue.bytes === 0 || this.#closed) return;
    this.#writing = true;
    this.#writeNext();
  }

  /** Not an asynchronous function: for a small frame that would be a good part of what it costs. */
  #writeNext(): void {
    if (this.#closed) return;
    const piece = this.#piece ??= this.#queue.next();
    if (piece === undefined) return this.#rest();
    const bytes = this.#pieceBytes === 0 ? piece : piece.subarray(this.#pieceBytes);
    this.#stream.write(bytes).then(this.#wrote, this.#fail);
  }

  readonly #wrote = (bytes: number): void => {
    if (this.#closed) return;
    const piece = this.#piece!;
    this.#writtenBytes += bytes;
    this.#progress?.resolve();
    this.#progress = undefined;
    this.#pieceBytes += bytes;
    if (this.#pieceBytes < piece.length) return this.#writeNext();
    this.#piece = undefined;
    this.#pieceBytes = 0;
    this.#queue.written(piece);
    try {
      this.#drained();
    } catch (error) {
      return this.#fail(error as Error);
    }
    this.#unansweredBytes += piece.length;
    if (this.#unansweredBytes < YIELD_AFTER_BYTES) return this.#writeNext();
    nextTurn().then(() => {
      this.#unansweredBytes = 0;
      this.#writeNext();
    });
  };

  /** Nothing is written at present. */
  #rest(): void {
    this.#writing = false;
    // Rises at once, and falls slowly: what is sent in parts arrives in parts, and so is answered.
    this.#earlyFrames = Math.max(MIN_EARLY_FRAMES, this.#sent / 3, this.#earlyFrames * 0.9);
    this.#sent = 0;
  }

  #drained(): void {
    if (!this.#congested || this.#queue.bytes > RESUME_AT_BYTES) return;
    this.#congested = false;
    this.handler.onDrain?.();
  }

  readonly #readNext = (): void => {
    if (this.#closed) return;
    // Not in the asynchronous context of who releases it, which may be part of a call.
    if (this.#held) return void new Promise<void>((on) => this.#readOn = on).then(this.#readNext);
    const space = this.#framer.space();
    const into = this.#readBytes === Infinity ? space.subarray(0, FEW_BYTES) : space;
    if (this.#readBytes >= YIELD_AFTER_BYTES) this.#readBytes = 0;
    this.#stream.read(into).then(this.#received, this.#fail);
  };

  readonly #received = (count: number | null): void => {
    if (this.#closed) return;
    this.#stream.came?.();
    if (count === null) {
      return this.close(
        this.hasMore ? new ConnectionError("The connection ended within a frame") : undefined,
      );
    }
    this.#receivedBytes += count;
    this.#readBytes += count;
    this.#unansweredBytes = 0;
    try {
      this.#framer.advance(count, this.#deliver);
    } catch (error) {
      return this.close(error as Error);
    }
    // So that what is to leave can, and what others send has its turn.
    if (this.#congested || this.#readBytes >= YIELD_AFTER_BYTES) nextTurn().then(this.#readNext);
    else if (this.#asksFirst) this.#readNext();
    else queueMicrotask(this.#readNext);
  };

  readonly #fail = (error: Error): void => this.close(error);

  readonly #deliver = (frame: Frame): void => {
    if (!this.#closed) this.handler.onFrame(frame);
  };

  async #readPreface(): Promise<void> {
    const preface = new Uint8Array(PREFACE_BYTES);
    let at = 0;
    while (at < PREFACE_BYTES) {
      const count = await this.#stream.read(preface.subarray(at));
      if (count === null) throw new ConnectionError("The connection ended before it began");
      checkPreface(preface.subarray(0, at += count));
    }
  }
}
