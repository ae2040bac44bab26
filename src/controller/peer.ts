/**
 * A node as its controller sees it.
 *
 * @module
 */

import type { Gate } from "./gate.ts";
import type { Connection } from "../link/connection.ts";
import { frame, Kind } from "../wire/frame.ts";
import { MAX_QUEUED_BYTES } from "../wire/limits.ts";

/** A joined node, with what it may do, and what keeps others from sending it more than it reads. */
export class Peer {
  /** Decides about its frames, if somebody is to decide. */
  gate: Gate | undefined;
  /** Nodes that were asked to send nothing to this one. */
  #paused = new Set<Peer>();
  /** Nodes that are not read from because of this one. */
  #held = new Set<Peer>();
  /** Nodes because of which this one is not read from; itself, while something of it is decided. */
  #heldBy = new Set<Peer>();

  /**
   * @param id Its number in the directory.
   * @param name Its process name.
   * @param instance What tells it from another process of the same name.
   * @param maxFrameBytes Largest frame that it accepts.
   * @param connection How to reach it.
   */
  constructor(
    readonly id: number,
    readonly name: string,
    readonly instance: string,
    readonly maxFrameBytes: number,
    readonly connection: Connection,
  ) {}

  /**
   * Called after `source` sent something to this node: asks it to pause while this node's queue is
   * long, and stops reading from it while the queue is full.
   */
  slowDown(source: Peer): void {
    if (!this.#paused.has(source)) {
      this.#paused.add(source);
      source.connection.send(frame(Kind.Pause, { peer: this.id }));
    }
    if (this.connection.queuedBytes > MAX_QUEUED_BYTES && source !== this) {
      this.#held.add(source);
      source.connection.hold();
      source.#heldBy.add(this);
    }
  }

  /** Stops reading from this node while something that it has sent is decided. */
  hold(): void {
    this.#heldBy.add(this);
    this.connection.hold();
  }

  /** It is decided: goes on reading, if nobody else minds. */
  goOn(): void {
    this.#heldBy.delete(this);
    if (this.#heldBy.size === 0) this.connection.release();
  }

  /** Called when the queue has drained or this node is gone: the others may go on. */
  letGo(): void {
    for (const source of this.#paused) {
      source.connection.send(frame(Kind.Resume, { peer: this.id }));
    }
    for (const source of this.#held) {
      source.#heldBy.delete(this);
      if (source.#heldBy.size === 0) source.connection.release();
    }
    this.#paused.clear();
    this.#held.clear();
  }
}
