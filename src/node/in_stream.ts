/**
 * The consumer's end of a stream.
 *
 * @module
 */

import { type DaffiError, ProtocolError } from "../errors.ts";
import type { Codec } from "../wire/codec.ts";
import { type Frame, ownFrame } from "../wire/frame.ts";
import { MAX_STREAM_WINDOW, STREAM_WINDOW } from "../wire/limits.ts";
import { wholeBytes } from "../wire/parts.ts";
import { itemCost } from "./credit.ts";

/** Larger items wait as they came: as a value, one byte may take a hundred. Copying smaller ones would cost too much. */
const MAX_DECODED_BYTES = 512;

/** How the consumer speaks to the producer. */
export interface ProducerLink {
  /** Allows more credits. */
  credit(credits: number): void;
  /** Asks for no more items. */
  stop(): void;
  /** The stream is over on this side; called once. */
  over(): void;
  /** Adds to an error whose it is. */
  readonly locate?: (error: DaffiError) => DaffiError;
}

interface Reader {
  /** Held as long as somebody waits for it. */
  readonly holder: unknown;
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(error: unknown): void;
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * An async iterator over what comes in. Nothing is asked for before the first `next()`; after it,
 * {@linkcode STREAM_WINDOW} credits are under way, and for a reader that has to wait for items up to
 * {@linkcode MAX_STREAM_WINDOW}.
 */
export class InStream implements AsyncIterableIterator<unknown, undefined> {
  #link: ProducerLink;
  /** What came and was not taken, from `#head` on. */
  #values: unknown[] = [];
  #costs: number[] = [];
  #head = 0;
  #readers: Reader[] = [];
  #started = false;
  #ended = false;
  #failure: { error: unknown } | undefined;
  /** Credits that may be under way. */
  #window = STREAM_WINDOW;
  /** Credits that the producer still has. */
  #allowed = 0;
  /** Credits of taken items that were not granted again yet. */
  #owed = 0;

  /** @param link How to speak to the producer. */
  constructor(link: ProducerLink) {
    this.#link = link;
  }

  /** An iterator is its own iterable. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /**
   * Takes the next item.
   *
   * @param holder What must not become garbage until there is one.
   */
  next(holder?: unknown): Promise<IteratorResult<unknown, undefined>> {
    this.start();
    if (this.#head < this.#values.length) {
      try {
        return Promise.resolve(this.#take());
      } catch (error) { // it cannot be decoded
        this.return();
        return Promise.reject(this.#link.locate?.(error as DaffiError) ?? error);
      }
    }
    if (this.#failure !== undefined) {
      const { error } = this.#failure;
      this.#failure = undefined; // as with a generator: thrown once, finished afterwards
      return Promise.reject(error);
    }
    if (this.#ended) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => this.#readers.push({ holder, resolve, reject }));
  }

  /** Wants no more items: tells the producer. */
  return(): Promise<IteratorResult<unknown, undefined>> {
    this.cancel();
    this.clear(); // the producer may have come to its end before
    this.#failure = undefined;
    return Promise.resolve(DONE);
  }

  /** Lets the producer begin. */
  start(): void {
    if (this.#started || this.#ended) return;
    this.#started = true;
    this.#grant(STREAM_WINDOW);
  }

  /**
   * Drops what came and asks for no more.
   *
   * @param reason Makes the error for whoever reads on, if the stream has not come to its end.
   */
  cancel(reason?: () => Error): void {
    if (this.#ended) return;
    this.#link.stop();
    this.clear();
    if (reason === undefined) this.#end();
    else this.fail(reason());
  }

  /** It will not be whole: what came is dropped as well. */
  breakOff(error: unknown): void {
    if (this.#ended) return;
    this.clear();
    this.fail(error);
  }

  /** Drops what came and was not taken: nobody wants it any more. */
  clear(): void {
    this.#values = [];
    this.#costs = [];
    this.#head = 0;
  }

  /**
   * An item came, and is decoded, at the latest when it is taken.
   *
   * @param codec What decodes it.
   * @param incoming Its frame.
   * @throws {ProtocolError} as {@linkcode InStream.push} does, or when it cannot be decoded.
   */
  accept(codec: Codec, incoming: Frame): void {
    const bytes = wholeBytes(incoming);
    const waits = bytes > MAX_DECODED_BYTES && this.#readers.length === 0;
    this.push(
      waits ? undecoded(codec, ownFrame(incoming)) : codec.decodePayload(incoming),
      bytes,
    );
  }

  /**
   * An item came.
   *
   * @param value The item.
   * @param payloadBytes What it cost to send.
   * @throws {ProtocolError} when it was not allowed; the stream is to fail with that then.
   */
  push(value: unknown, payloadBytes: number): void {
    if (this.#ended) return; // it was under way when the stream ended
    if (this.#allowed <= 0) {
      this.#link.stop();
      throw new ProtocolError("The producer of a stream sent more items than it was allowed");
    }
    const cost = itemCost(payloadBytes);
    this.#allowed -= cost;
    const reader = this.#readers.shift();
    if (reader === undefined) {
      this.#values.push(value);
      this.#costs.push(cost);
    } else {
      this.#repay(cost);
      reader.resolve({ done: false, value });
    }
  }

  /** The producer has finished. */
  finish(): void {
    this.#end();
  }

  /** The producer, or the way to it, broke. Items that came before can still be read. */
  fail(error: unknown): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader === undefined) this.#failure = { error };
    else reader.reject(error);
    this.#end();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const reader of this.#readers) reader.resolve(DONE);
    this.#readers = [];
    this.#link.over();
  }

  #take(): IteratorResult<unknown, undefined> {
    let value = this.#values[this.#head];
    if (typeof value === "function") value = value(); // see undecoded()
    const cost = this.#costs[this.#head]!;
    this.#values[this.#head++] = undefined; // so that it can be collected
    // Now and then, so that a reader that never quite catches up does not grow the list.
    if (this.#head === this.#values.length || this.#head >= STREAM_WINDOW) {
      this.#values.splice(0, this.#head);
      this.#costs.splice(0, this.#head);
      this.#head = 0;
    }
    this.#repay(cost);
    return { done: false, value };
  }

  #repay(cost: number): void {
    this.#owed += cost;
    if (this.#owed < this.#window / 2 || this.#ended) return;
    // A reader that has taken all there is waits for the way, not the way for the reader.
    if (this.#values.length === 0 && this.#window < MAX_STREAM_WINDOW) {
      this.#owed += this.#window;
      this.#window *= 2;
    }
    this.#grant(this.#owed);
  }

  #grant(credits: number): void {
    this.#owed = 0;
    this.#allowed += credits;
    this.#link.credit(credits);
  }
}

/** What gives an item when it is called, which no item itself can be. Apart, so that small items need no closure. */
function undecoded(codec: Codec, own: Frame): () => unknown {
  return () => codec.decodePayload(own);
}
