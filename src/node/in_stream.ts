/**
 * The consumer's end of a stream.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import { STREAM_WINDOW } from "../wire/limits.ts";
import { itemCost } from "./credit.ts";

/** How the consumer speaks to the producer. */
export interface ProducerLink {
  /** Allows more credits. */
  credit(credits: number): void;
  /** Asks for no more items. */
  stop(): void;
  /** The stream is over on this side; called once. */
  over(): void;
}

interface Item {
  readonly value: unknown;
  readonly cost: number;
}

interface Reader {
  resolve(result: IteratorResult<unknown, undefined>): void;
  reject(error: unknown): void;
}

const DONE: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * An async iterator over what comes in. Nothing is asked for before the first `next()`; after it,
 * at most {@linkcode STREAM_WINDOW} credits are under way.
 */
export class InStream implements AsyncIterableIterator<unknown, undefined> {
  #link: ProducerLink;
  #items: Item[] = [];
  #head = 0;
  #readers: Reader[] = [];
  #started = false;
  #ended = false;
  #failure: { error: unknown } | undefined;
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

  /** Takes the next item. */
  next(): Promise<IteratorResult<unknown, undefined>> {
    this.start();
    if (this.#head < this.#items.length) return Promise.resolve(this.#take());
    if (this.#failure !== undefined) {
      const { error } = this.#failure;
      this.#failure = undefined; // as with a generator: thrown once, finished afterwards
      return Promise.reject(error);
    }
    if (this.#ended) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }));
  }

  /** Wants no more items: tells the producer. */
  return(): Promise<IteratorResult<unknown, undefined>> {
    this.cancel();
    return Promise.resolve(DONE);
  }

  /** Lets the producer begin. */
  start(): void {
    if (this.#started || this.#ended) return;
    this.#started = true;
    this.#grant(STREAM_WINDOW);
  }

  /** Drops what came and asks for no more. */
  cancel(): void {
    if (this.#ended) return;
    this.#link.stop();
    this.#items = [];
    this.#head = 0;
    this.#end();
  }

  /**
   * An item came.
   *
   * @param value The item.
   * @param payloadBytes What it cost to send.
   */
  push(value: unknown, payloadBytes: number): void {
    if (this.#ended) return; // it was under way when the stream ended
    if (this.#allowed <= 0) {
      this.#link.stop();
      this.fail(new ProtocolError("The producer of a stream sent more items than it was allowed"));
      return;
    }
    const cost = itemCost(payloadBytes);
    this.#allowed -= cost;
    const reader = this.#readers.shift();
    if (reader === undefined) {
      this.#items.push({ value, cost });
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
    const { value, cost } = this.#items[this.#head]!;
    this.#items[this.#head++] = NOTHING;
    // Now and then, so that a reader that never quite catches up does not grow the list.
    if (this.#head === this.#items.length || this.#head >= STREAM_WINDOW) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    this.#repay(cost);
    return { done: false, value };
  }

  #repay(cost: number): void {
    this.#owed += cost;
    if (this.#owed >= STREAM_WINDOW / 2 && !this.#ended) this.#grant(this.#owed);
  }

  #grant(credits: number): void {
    this.#owed = 0;
    this.#allowed += credits;
    this.#link.credit(credits);
  }
}

/** Stands where an item was, so that the item itself can be collected. */
const NOTHING: Item = { value: undefined, cost: 0 };
