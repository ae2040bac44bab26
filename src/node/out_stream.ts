/**
 * The producer's end of a stream.
 *
 * @module
 */

import type { DaffiError } from "../errors.ts";
import { MAX_STREAM_WINDOW } from "../wire/limits.ts";
import { iteratorOf, type SourceIterator, take } from "../wire/sources.ts";
import type { Streamable } from "../wire/streamable.ts";
import { itemCost } from "./credit.ts";

/** How the producer speaks to its consumers, by their process id. */
export interface ConsumerLink {
  /** What an item is to be sent as; without this it is sent as it is. Rejects when it may not be. */
  readonly check?: ((item: unknown) => Promise<unknown>) | undefined;
  /** Turns an item into a payload, valid until the next one. @throws {EncodeError} when it cannot. */
  encode(item: unknown): Uint8Array;
  /** Sends an item. */
  item(peer: number, payload: Uint8Array): void;
  /** Tells that the stream is complete. */
  end(peer: number): void;
  /** Tells that the source threw, or, with `unsent`, why an item of it cannot be sent. */
  fail(peer: number, error: unknown, unsent: boolean): void;
  /** Hears what the source throws when no consumer does any more. */
  readonly unheard?: ((error: unknown) => void) | undefined;
  /** Tells that this side gives the stream up. */
  abandon(peer: number, reason: DaffiError): void;
  /** Resolves when a consumer takes frames; `undefined` if it does. */
  ready(peer: number): Promise<void> | undefined;
  /** Runs the source's code in the scope that it belongs to. */
  run<T>(fn: () => T): T;
}

/** A process that gets the items. */
interface Consumer {
  readonly peer: number;
  /** What it allows to be sent; the last item may have cost more. */
  credits: number;
}

/**
 * Reads a source and sends each item to every consumer, once all of them have credit for it. The
 * source is not read before the first credit, and ended if it was not used up.
 */
export class OutStream {
  /** Settles when the source is finished or nobody wants it any more; rejects if it throws. */
  readonly finished: Promise<void>;
  #source: Streamable;
  #link: ConsumerLink;
  #iterator: SourceIterator | undefined;
  /** The item that is being waited for. */
  #step: PromiseLike<unknown> | undefined;
  /** By process id. */
  readonly #consumers = new Map<number, Consumer>();
  #over = false;
  #wake: (() => void) | undefined;
  #settle = Promise.withResolvers<void>();

  /**
   * @param source What is sent.
   * @param link How to speak to the consumers.
   */
  constructor(source: Streamable, link: ConsumerLink) {
    this.#source = take(source);
    this.#link = link;
    this.finished = this.#settle.promise;
    this.finished.catch(() => {}); // whoever cares looks at `finished`
  }

  /** Begins, with these processes as consumers. */
  start(peers: readonly number[]): void {
    if (this.#over) return;
    for (const peer of peers) this.#consumers.set(peer, { peer, credits: 0 });
    if (peers.length === 0) this.cancel();
    else this.#link.run(() => this.#pump());
  }

  /** A consumer allows more, but no more than it may: it must not have an endless source read in one go. */
  credit(peer: number, credits: number): void {
    const consumer = this.#consumers.get(peer);
    if (consumer === undefined) return; // it has stopped meanwhile
    const present = consumer.credits;
    consumer.credits = Math.min(present + credits, MAX_STREAM_WINDOW);
    if (present <= 0) this.#wake?.();
  }

  /** A consumer wants no more, or is gone. */
  drop(peer: number): void {
    if (!this.#consumers.delete(peer)) return;
    if (this.#consumers.size === 0) this.cancel();
    else this.#wake?.();
  }

  /** Sends nothing any more and closes the source: until that is done, it still runs. */
  cancel(): void {
    if (this.#over) return;
    this.#end();
    this.#closeSource().then(this.#settle.resolve);
  }

  /** Sends nothing any more, tells the consumers why, and closes the source. */
  abandon(reason: DaffiError): void {
    if (this.#over) return;
    for (const peer of this.#consumers.keys()) this.#link.abandon(peer, reason);
    this.cancel();
  }

  #end(): void {
    this.#over = true;
    this.#wake?.();
  }

  /** @param failed Whether its consumers were told of a failure: there is no other one to tell of. */
  async #closeSource(failed = false): Promise<void> {
    try {
      // A generator that awaits something ends when it has that, and knows of no call then: V8 loses what asked it to.
      if (isAsyncGenerator(this.#iterator)) await this.#step;
      if (failed && this.#iterator === undefined) return; // it has no iterator
      // One that was not read is ended too: a file, or what a request answers, would stay open.
      await this.#link.run(() => (this.#iterator ??= iteratorOf(this.#source)).return?.());
    } catch (error) {
      if (!failed) this.#link.unheard?.(error);
    }
  }

  async #pump(): Promise<void> {
    let unsent = false;
    try {
      for (;;) {
        for (let wait = this.#blocked(); wait !== undefined; wait = this.#blocked()) await wait;
        if (this.#over) return;
        const iterator = this.#iterator ??= iteratorOf(this.#source);
        const step = iterator.next();
        // A synchronous source is read in one go as far as there is credit.
        const { done, value } = isAtHand(step) ? step : await (this.#step = awaitValue(step));
        if (this.#over) return;
        if (done) break;
        const { check } = this.#link;
        const item = check === undefined ? value : await check(value);
        if (this.#over) return;
        unsent = true;
        this.#send(this.#link.encode(item));
        unsent = false;
      }
      this.#end();
      for (const peer of this.#consumers.keys()) this.#link.end(peer);
      this.#settle.resolve();
    } catch (error) {
      if (this.#over) return;
      this.#end();
      for (const peer of this.#consumers.keys()) this.#link.fail(peer, error, unsent);
      this.#settle.reject(error);
      this.#step = undefined; // that it failed was told
      this.#closeSource(true);
    }
  }

  #send(payload: Uint8Array): void {
    const cost = itemCost(payload.length);
    for (const consumer of this.#consumers.values()) {
      consumer.credits -= cost;
      this.#link.item(consumer.peer, payload);
    }
  }

  /** What to wait for, as long as not every consumer has credit and takes frames. */
  #blocked(): Promise<void> | undefined {
    if (this.#over) return undefined;
    for (const { peer, credits } of this.#consumers.values()) {
      const ready = credits > 0 && this.#link.ready(peer);
      // Who does not take frames may want no more before it does.
      if (ready !== undefined) return ready ? Promise.race([ready, this.#woken()]) : this.#woken();
    }
    return undefined;
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        this.#wake = undefined;
        resolve();
      };
    });
  }
}

function isAsyncGenerator(iterator: unknown): boolean {
  return Object.prototype.toString.call(iterator) === "[object AsyncGenerator]";
}

type Step = IteratorResult<unknown> | PromiseLike<IteratorResult<unknown>>;

/** Whether an item is there without waiting for it. */
function isAtHand(step: Step): step is IteratorResult<unknown> {
  if ("then" in step) return false;
  const { value } = step;
  return typeof value !== "object" || value === null || !("then" in value);
}

/** As `for await` does: a promise among the items of a synchronous iterable is waited for. */
async function awaitValue(step: Step): Promise<IteratorResult<unknown>> {
  if ("then" in step) {
    const result = await step;
    if (Object(result) !== result) {
      throw new TypeError(`Iterator result ${result} is not an object`);
    }
    return result;
  }
  return step.done ? step : { done: false, value: await step.value };
}
