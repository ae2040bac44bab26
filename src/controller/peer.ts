/**
 * A node as its controller sees it.
 *
 * @module
 */

import { ConnectionError } from "../errors.ts";
import type { Backlog, Shared } from "./backlog.ts";
import type { Gate } from "./gate.ts";
import type { Connection } from "../link/connection.ts";
import { frame, Kind } from "../wire/frame.ts";
import { MAX_QUEUED_BYTES, MAX_UNDER_WAY_BYTES, MIN_COUNTED_BYTES } from "../wire/limits.ts";

/** What others answer, sooner or later: by results, or by credit. */
const ASKING: ReadonlySet<Kind> = new Set<Kind>([
  ...[Kind.Call, Kind.Broadcast, Kind.Task, Kind.Transfer, Kind.Item],
]);

/** A joined node, with what it may do, and what keeps others from sending it more than it reads. */
export class Peer {
  /** Decides about its frames, if somebody is to decide. */
  gate: Gate | undefined;
  /** Its part of the backlog, but for what others have as well. */
  ownBytes = 0;
  /** So much of its queue others have as well. */
  sharedBytes = 0;
  /** How many of the changes that are being announced it was told. */
  toldChanges = 0;
  /** Nodes that were asked to send nothing to this one, and what they have sent to it since. */
  #paused: Map<Peer, number> | undefined;
  /** Nodes that are not read from because of this one. */
  #held: Set<Peer> | undefined;
  /** Nodes, or whatever else, because of which this one is not read from. */
  #heldBy: Set<object> | undefined;
  /** At most so much of a queue that is too long are changes of the directory. */
  #unreadBytes = 0;

  /**
   * @param id Its number in the directory.
   * @param name Its process name.
   * @param instance What tells it from another process of the same name.
   * @param maxFrameBytes Largest frame that it accepts.
   * @param connection How to reach it.
   * @param backlog What waits for all nodes of its controller.
   * @param isOwn Whether it is in the process of the controller.
   */
  constructor(
    readonly id: number,
    readonly name: string,
    readonly instance: string,
    readonly maxFrameBytes: number,
    readonly connection: Connection,
    readonly backlog: Backlog,
    readonly isOwn: boolean,
  ) {}

  /** Sends what others get in the same memory. */
  sendShared(shared: Shared): void {
    const { bytes } = shared;
    if (this.connection.closed) return;
    shared.hold();
    this.sharedBytes += bytes.length;
    this.connection.sendShared(bytes, () => {
      shared.release();
      this.sharedBytes -= bytes.length;
    });
  }

  /**
   * Called after `source` sent something to this node, whose queue is long now: asks it to pause, and
   * holds it back if it does not.
   *
   * @param source Who sent it.
   * @param bytes How much.
   * @param frameBytes The largest frame of what it sends.
   */
  slowDown(source: Peer, bytes: number, frameBytes: number = this.maxFrameBytes): void {
    this.#paused ??= new Map();
    const sent = this.#paused.get(source);
    if (sent === undefined) source.connection.send(frame(Kind.Pause, { peer: this.id }));
    const sentSince = sent === undefined ? 0 : sent + bytes;
    this.#paused.set(source, sentSince);
    if (sentSince <= MAX_UNDER_WAY_BYTES + frameBytes) return this.#checkBacklog();
    // Who sends as fast as this node reads could have all others pause for good.
    this.#holdBack(source, sentSince > MAX_QUEUED_BYTES + frameBytes ? 0 : MAX_QUEUED_BYTES);
  }

  /**
   * Called after a frame from this node, whose own queue is long: it reads slower than it asks for answers.
   * Nothing more is read from it until the queue has drained, if it goes on asking; or else while the queue
   * is full, or all of them together.
   *
   * @param kind What it sent.
   * @param grew Whether that alone has made the queue longer.
   */
  holdItself(kind: Kind, grew: boolean): void {
    if (ASKING.has(kind)) this.holdUntilDrained();
    // What it answers to others makes it longer by a `PAUSE` at most.
    else if (grew && kind < Kind.Call) this.#holdBack(this, MAX_QUEUED_BYTES);
  }

  /** The same whatever it sent: nothing more is read from it until the queue has drained. */
  holdUntilDrained(): void {
    this.#holdBack(this, 0);
  }

  #holdBack(source: Peer, mostBytes: number): void {
    this.#checkBacklog();
    if (this.connection.queuedBytes <= mostBytes && !this.backlog.isLong) return;
    (this.#held ??= new Set()).add(source);
    source.hold(this);
  }

  /** Called when something was sent to it. */
  grew(): void {
    if (this.connection.queuedBytes > MIN_COUNTED_BYTES) this.#checkBacklog();
  }

  #checkBacklog(): void {
    this.count();
    this.backlog.check();
  }

  /** Brings its part of the backlog up to date. */
  count(): void {
    const ownBytes = this.connection.queuedBytes - this.sharedBytes;
    this.backlog.bytes += ownBytes - this.ownBytes;
    this.ownBytes = ownBytes;
  }

  /** Closes its connection, for which most waits while too much waits for all. */
  giveUp(): void {
    const { queuedBytes } = this.connection;
    const why = `Too much waits for all processes, and most of it, ${queuedBytes} bytes, for it`;
    this.connection.close(new ConnectionError(why));
  }

  /**
   * Sends some `DIRECTORY` frames, of which others get the same bytes. Who comes and goes cannot be held back
   * for a node that reads nothing of it, so that node is given up.
   */
  announce(changes: Shared): void {
    const { connection } = this;
    const { queuedBytes } = connection;
    this.sendShared(changes);
    this.grew();
    if (!connection.congested) return;
    // What has been read meanwhile is no longer queued.
    this.#unreadBytes = Math.min(this.#unreadBytes, queuedBytes) + changes.bytes.length;
    if (this.#unreadBytes <= MAX_QUEUED_BYTES) return;
    const error = new ConnectionError("It does not read what changes in the directory");
    queueMicrotask(() => connection.close(error)); // that is a change too, and others hear of this one first
  }

  /** Stops reading from this node because of something. */
  hold(reason: object): void {
    (this.#heldBy ??= new Set()).add(reason);
    this.connection.hold();
  }

  /** Goes on reading, if there is no other reason not to. */
  goOn(reason: object): void {
    this.#heldBy?.delete(reason);
    if (!this.#heldBy?.size) this.connection.release();
  }

  /** Called when the queue has drained: the others may go on. */
  drained(): void {
    this.#paused?.forEach((_, source) => {
      source.connection.send(frame(Kind.Resume, { peer: this.id }));
    });
    this.gone();
  }

  /** Another node has left. */
  forget(other: Peer): void {
    this.#paused?.delete(other);
    this.#held?.delete(other);
    this.gate?.forget(other.id);
  }

  /** Called when this node is gone: nobody waits for it any more. Who was asked to pause hears that it has left. */
  gone(): void {
    this.#held?.forEach((source) => source.goOn(this));
    this.#paused = this.#held = undefined;
    this.backlog.bytes -= this.ownBytes;
    this.ownBytes = this.#unreadBytes = 0;
  }
}
