/**
 * What waits in a controller for all nodes together.
 *
 * @module
 */

import { HOLD_AT_BYTES, MAX_ALL_QUEUED_BYTES } from "../wire/limits.ts";
import type { Peer } from "./peer.ts";

/** What waits for all nodes together, but for those for which little does. */
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

  /** Whether it is so much that who does not pause must. */
  get isLong(): boolean {
    if (this.bytes > HOLD_AT_BYTES) this.#recount();
    return this.bytes > HOLD_AT_BYTES;
  }

  /** Called when it has grown: if it is too much, nodes are given up, first those for which most waits. */
  check(): void {
    if (this.bytes <= MAX_ALL_QUEUED_BYTES || this.#isChecking) return;
    this.#isChecking = true;
    queueMicrotask(() => { // no node leaves while a frame is passed on
      this.#isChecking = false;
      this.#recount();
      this.#makeRoom(this.bytes - MAX_ALL_QUEUED_BYTES);
    });
  }

  /**
   * By what is alone for a node, or by what others have as well, whichever fills the memory: to give up who waits
   * for the other would free nothing. Of the latter one at a time, for others may be about to have it.
   */
  #makeRoom(bytes: number): void {
    const mostIsShared = this.sharedBytes > this.bytes / 2;
    const bytesOf = (peer: Peer) => mostIsShared ? peer.sharedBytes : peer.ownBytes;
    // Without the node in this process there is no controller, and that one reads what it can.
    const others = [...this.#peers.values()].filter((peer) => !peer.isOwn && bytesOf(peer) > 0);
    others.sort((a, b) => bytesOf(b) - bytesOf(a));
    let freed = 0;
    for (const longest of others) {
      if (freed >= bytes) return;
      freed += mostIsShared ? bytes : longest.ownBytes;
      longest.giveUp();
    }
  }

  /** Without what was read meanwhile. */
  #recount(): void {
    this.#peers.forEach((peer) => peer.ownBytes > 0 && peer.count());
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
