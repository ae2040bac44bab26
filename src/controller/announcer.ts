/**
 * Tells the nodes what changes in the directory.
 *
 * @module
 */

import { concat } from "../internal/concat.ts";
import { monotonicMs } from "../internal/monotonic.ts";
import { controlToSend, type DirectoryChange } from "../wire/control.ts";
import { frame, Kind } from "../wire/frame.ts";
import { encodeFrame } from "../wire/frame_codec.ts";
import { Shared } from "./backlog.ts";
import type { Peer } from "./peer.ts";

/** So many nodes are always told at once. */
const FEW_NODES = 20;
/**
 * To tell one node takes the controller some 10 µs, for it is a write of its own. Of many that come and go
 * together, several are told of together, so often that it takes no more than a tenth of the time.
 */
const MS_PER_NODE = 0.1;
/** So much never waits to be told. */
const MAX_UNTOLD_BYTES = 256 * 1024;

/** Tells the joined nodes of changes: at once, or, where there are many of both, of some together. */
export class Announcer {
  readonly #peers: ReadonlyMap<number, Peer>;
  readonly #now: () => number;
  /** Frames of which not everybody was told; a peer's `toldChanges` are the first of them. */
  #changes: Uint8Array[] = [];
  /** Some of them, in one piece that goes to all who were told as much. */
  #piece: { from: number; to: number; frames: Shared } | undefined;
  #bytes = 0;
  /** Who offers or withdraws what is not told, and how much. */
  readonly #causes = new Map<Peer, number>();
  #toldAt = -Infinity;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #telling = false;
  #stopped = false;

  /**
   * @param peers The joined nodes.
   * @param now The clock.
   */
  constructor(peers: ReadonlyMap<number, Peer>, now: () => number = monotonicMs) {
    this.#peers = peers;
    this.#now = now;
  }

  /** Whether somebody was not told everything. */
  get isBehind(): boolean {
    return this.#changes.length > 0;
  }

  /** Tells that a process came or left. */
  announce(change: DirectoryChange): void {
    if (this.#stopped) return;
    this.#add(change);
    const dueInMs = this.#toldAt + this.#peers.size * MS_PER_NODE - this.#now();
    const few = this.#peers.size < FEW_NODES;
    if (few || dueInMs <= 0 || this.#bytes > MAX_UNTOLD_BYTES) this.tellAll();
    else this.#timer ??= setTimeout(() => this.tellAll(), dueInMs);
  }

  /**
   * Tells what a process offers or withdraws, if it does: first itself, and then the others, who must not be
   * slower to read it than it is to change it. Of what comes from it together, all are told together.
   */
  announceOf(cause: Peer, change: DirectoryChange | undefined): void {
    if (change === undefined) return;
    const isFirst = this.#causes.size === 0;
    this.#causes.set(cause, (this.#causes.get(cause) ?? 0) + this.#add(change));
    if (!cause.connection.hasMore) this.#tellOfCauses();
    else if (isFirst) queueMicrotask(() => this.#tellOfCausesOf(cause));
  }

  /** What fails is as if it had failed at once. */
  #tellOfCausesOf(cause: Peer): void {
    try {
      this.#tellOfCauses();
    } catch (error) {
      cause.connection.close(error as Error);
    }
  }

  #tellOfCauses(): void {
    if (this.#causes.size === 0) return; // it is done
    const causes = [...this.#causes].filter(([cause]) => this.#peers.has(cause.id));
    this.#causes.clear();
    for (const [cause] of causes) this.catchUp(cause);
    this.tellAll();
    for (const peer of this.#peers.values()) {
      if (!peer.connection.congested) continue;
      for (const [cause, bytes] of causes) peer.slowDown(cause, bytes, 0);
    }
    for (const [cause] of causes) cause.connection.giveWay(); // it took a while
  }

  #add(change: DirectoryChange): number {
    const bytes = encodeFrame(frame(Kind.Directory, { payload: controlToSend(change) }));
    this.#changes.push(bytes);
    this.#bytes += bytes.length;
    return bytes.length;
  }

  /** A node joins, and its `WELCOME` has it all. */
  welcome(peer: Peer): void {
    peer.toldChanges = this.#changes.length;
  }

  /** Tells a node what it was not told, before something is sent to it that may be about that. */
  catchUp(peer: Peer): void {
    const from = peer.toldChanges;
    const to = this.#changes.length;
    if (from === to) return;
    peer.toldChanges = to;
    if (this.#piece?.from !== from || this.#piece.to !== to) {
      const frames = new Shared(concat(this.#changes.slice(from)), peer.backlog);
      this.#piece = { from, to, frames };
    }
    peer.announce(this.#piece.frames);
  }

  /** Tells everybody everything. */
  tellAll(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#telling) return; // a connection broke meanwhile, and what comes of it has its turn below
    this.#telling = true;
    try {
      while (this.#changes.length > 0) {
        const count = this.#changes.length;
        this.#peers.forEach((peer) => this.catchUp(peer));
        this.#changes.splice(0, count);
        this.#piece = undefined;
        this.#peers.forEach((peer) => peer.toldChanges -= count);
      }
    } finally { // whatever failed, the next change is told, and this one with it
      this.#telling = false;
    }
    this.#bytes = 0;
    this.#toldAt = this.#now();
  }

  /**
   * Tells nobody any more who comes or goes: those who lose their controller must not think that they have lost
   * each other.
   */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}
