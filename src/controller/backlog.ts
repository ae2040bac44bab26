/**
 * What waits in a controller for all nodes together.
 *
 * @module
 */

import { MAX_ALL_QUEUED_BYTES } from "../wire/limits.ts";
import type { Peer } from "./peer.ts";

/** What waits for all nodes together, of those for which much waits. */
export class Backlog {
  /** Bytes; those that several have in the same memory count once. */
  bytes = 0;
  /** So many of them several have. */
  sharedBytes = 0;
  readonly #peers: ReadonlyMap<number, Peer>;
  #isChecking = false;

  /** @param peers The joined nodes by id. */
  constructor(peers: ReadonlyMap<number, Peer>) {
    this.#peers = peers;
  }

  /** Called when it has grown: if it is too much, the node for which most waits is given up. */
  check(): void {
    if (this.bytes <= MAX_ALL_QUEUED_BYTES || this.#isChecking) return;
    this.#isChecking = true;
    queueMicrotask(() => { // no node leaves while a frame is passed on
      this.#isChecking = false;
      const longest = this.#longest();
      if (this.bytes > MAX_ALL_QUEUED_BYTES) longest?.giveUp();
    });
  }

  /**
   * By what is alone for it, or by what others have as well, whichever fills the memory: to give up who waits
   * for the other would free nothing.
   */
  #longest(): Peer | undefined {
    this.#peers.forEach((peer) => peer.connection.congested && peer.count()); // what was read meanwhile
    const mostIsShared = this.sharedBytes > this.bytes / 2;
    let longest: Peer | undefined;
    let most = 0;
    for (const peer of this.#peers.values()) {
      const bytes = mostIsShared ? peer.sharedBytes : peer.ownBytes;
      // Without the node in this process there is no controller, and that one reads what it can.
      if (bytes <= most || peer.isOwn) continue;
      most = bytes;
      longest = peer;
    }
    return longest;
  }
}

/** Bytes that lie in the queues of several nodes, and count once. */
export class Shared {
  /** The nodes for which they still wait. */
  #holders = 0;

  /**
   * @param bytes Part of a frame; they never change.
   * @param backlog Where they count.
   */
  constructor(readonly bytes: Uint8Array, readonly backlog: Backlog) {}

  /** They wait for one more node. */
  hold(): void {
    if (this.#holders++ === 0) this.#count(this.bytes.length);
  }

  /** They wait for one node less. */
  release(): void {
    if (--this.#holders === 0) this.#count(-this.bytes.length);
  }

  #count(bytes: number): void {
    this.backlog.bytes += bytes;
    this.backlog.sharedBytes += bytes;
  }
}
