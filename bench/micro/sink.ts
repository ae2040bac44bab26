/**
 * A connection to nowhere.
 *
 * @module
 */

import type { Connection } from "../../src/link/connection.ts";
import { WriteQueue } from "../../src/link/write_queue.ts";
import type { Frame } from "../../src/wire/frame.ts";

const FRAMES_PER_WRITE = 64;

/** Queues frames as a connection does, and forgets them where it would write them. */
export class Sink {
  /** As of a connection that is fast enough. */
  readonly congested = false;
  /** As of a connection that is fast enough. */
  readonly queuedBytes = 0;
  /** As of a connection on which frames come one by one. */
  readonly hasMore = false;
  readonly #queue = new WriteQueue();
  #frames = 0;

  /** See `Connection.send`. */
  send(frame: Frame): void {
    this.#queue.add(frame);
    if (++this.#frames % FRAMES_PER_WRITE > 0) return;
    this.#queue.written(this.#queue.next()!);
  }

  /** See `Connection.writeNow`. */
  writeNow(): void {}

  /** Itself where a real one is wanted, whose private fields no other class can have. */
  get connection(): Connection {
    return this as unknown as Connection;
  }
}
