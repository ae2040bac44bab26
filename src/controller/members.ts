/**
 * The nodes that have joined a controller, and what they are told of each other.
 *
 * @module
 */

import { OverloadedError } from "../errors.ts";
import { makeUuid } from "../internal/uuid.ts";
import { Refused } from "../link/accept_node.ts";
import type { Connection } from "../link/connection.ts";
import { controlToSend, type DirectoryChange, type Hello } from "../wire/control.ts";
import { frame, Kind } from "../wire/frame.ts";
import { MAX_NODES, MAX_UNREAD_WELCOME_BYTES } from "../wire/limits.ts";
import { Announcer } from "./announcer.ts";
import { Backlog } from "./backlog.ts";
import { Directory } from "./directory.ts";
import { Peer } from "./peer.ts";

/** Takes nodes in, and forgets them when they leave. */
export class Members {
  /** Who offers what. */
  readonly directory: Directory = new Directory();
  /** Tells the nodes of changes. */
  readonly announcer: Announcer;
  readonly #maxFrameBytes: number;
  readonly #instance = makeUuid();
  readonly #peers = new Map<number, Peer>();
  readonly #peersByName = new Map<string, Peer>();
  readonly #backlog = new Backlog(this.#peers);
  /** Bytes of `WELCOME` that are not written yet. */
  #unreadWelcomes = 0;

  /** @param maxFrameBytes Largest frame that the controller accepts. */
  constructor(maxFrameBytes: number) {
    this.#maxFrameBytes = maxFrameBytes;
    this.announcer = new Announcer(this.#peers);
  }

  /** The nodes by id. */
  get peers(): ReadonlyMap<number, Peer> {
    return this.#peers;
  }

  /**
   * Takes a node in, tells it who is there, and the others that it is.
   *
   * @param mac The controller's proof for it, if there is a secret.
   * @param isOwn Whether it is in the process of the controller.
   * @throws {Refused} when its name is another's, or there is no room.
   */
  join(hello: Hello, connection: Connection, mac: Uint8Array | undefined, isOwn: boolean): Peer {
    const { process, instance } = hello;
    // What is announced in parts is not larger than what could come at once.
    const maxFrameBytes = Math.min(hello.maxFrameBytes, this.#maxFrameBytes);
    const former = this.#peersByName.get(process);
    if (former !== undefined && former.instance !== instance) {
      const name = JSON.stringify(process);
      throw new Refused(
        "DUPLICATE_PROCESS",
        `A live process is named ${name} already; every process needs a name of its own, and one that is frozen ` +
          "or cut off keeps it until it counts as lost",
      );
    }
    if (former === undefined && this.#peers.size >= MAX_NODES) {
      throw new Refused("OVERLOADED", `${MAX_NODES} processes are connected, which is the limit`);
    }
    if (this.#unreadWelcomes > MAX_UNREAD_WELCOME_BYTES) {
      throw new Refused("OVERLOADED", "too many who have joined have not read who is there yet");
    }
    if (former !== undefined) former.connection.close(); // its node has given that connection up
    const change = this.#enter(process, hello.callbacks);
    const [id] = change.process;
    const peer = new Peer(id, process, instance, maxFrameBytes, connection, this.#backlog, isOwn);
    this.#welcome(peer, mac);
    this.announcer.announce(change);
    this.announcer.welcome(peer);
    this.#peers.set(id, peer);
    this.#peersByName.set(process, peer);
    return peer;
  }

  #enter(process: string, callbacks: readonly string[]): DirectoryChange & { type: "join" } {
    try {
      return this.directory.join(process, callbacks);
    } catch (error) {
      if (error instanceof OverloadedError) throw new Refused("OVERLOADED", error.message);
      throw error;
    }
  }

  #welcome({ id, connection }: Peer, mac: Uint8Array | undefined): void {
    const payload = controlToSend({
      id,
      controller: this.#instance,
      maxFrameBytes: this.#maxFrameBytes,
      processes: this.directory.snapshot(),
      ...(mac === undefined ? {} : { mac }),
    });
    connection.send(frame(Kind.Welcome, { payload }));
    const { length } = payload;
    this.#unreadWelcomes += length;
    void connection.flushed().then(() => this.#unreadWelcomes -= length);
  }

  /**
   * Forgets a node, and tells the others that it is gone.
   *
   * @param graceful Whether it has said so.
   * @returns Whether it was there.
   */
  leave(peer: Peer, graceful: boolean): boolean {
    if (!this.#peers.delete(peer.id)) return false;
    if (this.#peersByName.get(peer.name) === peer) this.#peersByName.delete(peer.name);
    peer.gone();
    peer.gate?.end();
    for (const other of this.#peers.values()) other.forget(peer);
    this.announcer.announce(this.directory.leave(peer.id, graceful));
    return true;
  }
}
