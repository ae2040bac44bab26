/**
 * The broker that all nodes connect to: who is there, and what becomes of their control frames.
 *
 * @module
 */

import { OverloadedError, ProtocolError } from "../errors.ts";
import type { Logger } from "../internal/log.ts";
import { within } from "../internal/within.ts";
import type { Connection, ConnectionHandler } from "../link/connection.ts";
import { acceptNode, Refused } from "../link/handshake.ts";
import type { Address, ByteStream, Listener, Listening } from "../transport/transport.ts";
import { decodeNames, type DirectoryChange, encodeControl, type Hello } from "../wire/control.ts";
import { type Frame, frame, Kind } from "../wire/frame.ts";
import {
  MAX_CALLBACKS_PER_NODE,
  MAX_CONTROL_BYTES,
  MAX_HANDSHAKES,
  MAX_NODES,
} from "../wire/limits.ts";
import { Directory } from "./directory.ts";
import { Backlog, Peer } from "./peer.ts";
import { Router, type RouterCounts } from "./router.ts";

/** How long a controller that stops waits for what it still has to send. */
const FLUSH_TIMEOUT_MS = 1_000;

/** What a controller needs. */
export interface ControllerOptions {
  /** Largest frame that it accepts. */
  maxFrameBytes: number;
  /** Where it tells what no caller hears of. */
  logger: Logger;
  /** Closes a connection of another process when it is lost. */
  watch(connection: Connection): void;
}

/** What a controller has counted since it was made. */
export interface ControllerCounts extends RouterCounts {
  /** Connections turned away. */
  refused: number;
  /** Joined connections that ended without a goodbye. */
  lost: number;
  /** How many of both were for a {@linkcode ProtocolError}. */
  protocolErrors: number;
}

/** Accepts nodes, keeps the directory and lets the router forward their frames. */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #instance = crypto.randomUUID();
  readonly #directory = new Directory();
  readonly #peers = new Map<number, Peer>();
  readonly #peersByName = new Map<string, Peer>();
  readonly #backlog = new Backlog();
  readonly #router = new Router(this.#peers, (nameId) => this.#directory.providersOf(nameId));
  /** Listeners with their accept loops. */
  readonly #listeners = new Map<Listener, Promise<void>>();
  readonly #handshakes = new Set<ByteStream>();
  #refused = 0;
  #lost = 0;
  #protocolErrors = 0;
  #stopped = false;

  /** @param options What it needs. */
  constructor(options: ControllerOptions) {
    this.#options = options;
  }

  /** What it has forwarded, dropped and refused so far. */
  get counts(): ControllerCounts {
    const [refused, lost, protocolErrors] = [this.#refused, this.#lost, this.#protocolErrors];
    return { ...this.#router.counts, refused, lost, protocolErrors };
  }

  /**
   * Listens for nodes.
   *
   * @returns The address as bound.
   * @throws {ConnectionError} when the address cannot be listened on.
   */
  async listen(transport: Listening): Promise<Address> {
    const listener = await transport.listen();
    if (this.#stopped) listener.close();
    else {
      this.#listeners.set(listener, this.#acceptAll(listener));
    }
    return listener.address;
  }

  async #acceptAll(listener: Listener): Promise<void> {
    for (let stream = await listener.accept(); stream; stream = await listener.accept()) {
      this.#take(stream, (connection) => this.#options.watch(connection));
    }
  }

  /** Takes a connection of a node in this process. */
  attach(stream: ByteStream): void {
    this.#take(stream, () => {}); // it is lost only when this process is
  }

  /** Takes a fresh connection of a node that wants to join, and has it watched once it has. */
  #take(stream: ByteStream, watch: (connection: Connection) => void): void {
    if (this.#stopped || this.#handshakes.size >= MAX_HANDSHAKES) {
      this.#refused++;
      stream.close();
      return;
    }
    this.#handshakes.add(stream);
    acceptNode(
      stream,
      this.#options.maxFrameBytes,
      (hello, connection) => this.#admit(hello, connection),
    ).then(watch).catch((error: Error) => {
      this.#refused++;
      this.#countProtocolError(error);
      this.#options.logger.warn(`daffi: a connection was turned away: ${error.message}`);
    }).finally(() => this.#handshakes.delete(stream));
  }

  #admit(hello: Hello, connection: Connection): ConnectionHandler {
    const { process, instance, maxFrameBytes } = hello;
    const former = this.#peersByName.get(process);
    if (former !== undefined && former.instance !== instance) {
      throw new Refused(
        "DUPLICATE_PROCESS",
        `a live process is named ${JSON.stringify(process)} already`,
      );
    }
    if (this.#peers.size >= MAX_NODES) {
      throw new Refused("OVERLOADED", `${MAX_NODES} processes are connected, which is the limit`);
    }
    if (former !== undefined) former.connection.close(); // its node has given that connection up
    const change = this.#join(process, hello.callbacks);
    const [id] = change.process;
    const peer = new Peer(id, process, instance, maxFrameBytes, connection, this.#backlog);
    connection.send(frame(Kind.Welcome, {
      payload: encodeControl({
        id: peer.id,
        controller: this.#instance,
        maxFrameBytes: this.#options.maxFrameBytes,
        processes: this.#directory.snapshot(),
      }),
    }));
    this.#announce(change);
    this.#peers.set(peer.id, peer);
    this.#peersByName.set(process, peer);
    return {
      onFrame: (incoming) => {
        this.#onFrame(peer, incoming);
        if (connection.congested && this.#peers.has(id)) peer.holdBack(peer);
      },
      onDrain: () => peer.letGo(),
      onClose: (error) => this.#remove(peer, error),
    };
  }

  #join(process: string, callbacks: readonly string[]): DirectoryChange & { type: "join" } {
    try {
      return this.#directory.join(process, callbacks);
    } catch (error) {
      if (error instanceof OverloadedError) throw new Refused("OVERLOADED", error.message);
      throw error;
    }
  }

  #onFrame(peer: Peer, incoming: Frame): void {
    switch (incoming.kind) {
      case Kind.Offer:
        return this.#offer(peer, incoming);
      case Kind.Withdraw:
        return this.#announce(this.#directory.withdraw(peer.id, readNames(incoming)), peer);
      case Kind.Leave:
        return this.#leave(peer);
      case Kind.Ping:
        return peer.connection.send(frame(Kind.Pong, { value: incoming.value }));
      case Kind.Pong:
        return;
      default:
        return this.#router.route(peer, incoming);
    }
  }

  #offer(peer: Peer, incoming: Frame): void {
    const names = readNames(incoming);
    if (this.#directory.countOf(peer.id) + names.length > MAX_CALLBACKS_PER_NODE) {
      throw new ProtocolError(`A process may offer at most ${MAX_CALLBACKS_PER_NODE} callbacks`);
    }
    this.#announce(this.#directory.offer(peer.id, names), peer);
  }

  /** Tells every node of a change, first the one that wanted it, which is not faster than the others. */
  #announce(change: DirectoryChange | undefined, cause?: Peer): void {
    if (change === undefined) return;
    const payload = encodeControl(change);
    cause?.announce(payload);
    for (const peer of this.#peers.values()) {
      if (peer === cause) continue;
      peer.announce(payload);
      if (cause !== undefined && peer.connection.congested) peer.holdBack(cause);
    }
  }

  #leave(peer: Peer): void {
    this.#forget(peer, true);
    peer.connection.handler = { onFrame() {}, onClose() {} };
    closeWhenFlushed(peer.connection);
  }

  #remove(peer: Peer, error: Error | undefined): void {
    if (!this.#forget(peer, false) || this.#stopped) return;
    this.#lost++;
    this.#countProtocolError(error);
    this.#options.logger.warn(
      `daffi: the connection to process ${JSON.stringify(peer.name)} was lost` +
        (error === undefined ? "" : `: ${error.message}`),
    );
  }

  #countProtocolError(error: Error | undefined): void {
    if (error instanceof ProtocolError) this.#protocolErrors++;
  }

  #forget(peer: Peer, graceful: boolean): boolean {
    if (!this.#peers.delete(peer.id)) return false;
    if (this.#peersByName.get(peer.name) === peer) this.#peersByName.delete(peer.name);
    peer.letGo();
    this.#announce(this.#directory.leave(peer.id, graceful));
    return true;
  }

  /** Asks every connected node but `except` to stop itself, and waits until they have left. */
  async stopNodes(except: string, timeoutMs: number): Promise<void> {
    const others = () => [...this.#peers.values()].filter((peer) => peer.name !== except);
    const left = others().map(({ connection }) => connection.over);
    for (const { connection } of others()) connection.send(frame(Kind.Shutdown));
    if (await within(Promise.all(left), timeoutMs)) return;
    const names = others().map(({ name }) => name).join(", ");
    this.#options.logger.warn(`daffi: asked to stop, but still connected are ${names}`);
  }

  /** Stops listening, sends what is queued, and closes all connections. Idempotent. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const listener of this.#listeners.keys()) listener.close();
    for (const stream of this.#handshakes) stream.close();
    await Promise.all(
      Array.from(this.#peers.values(), (peer) => closeWhenFlushed(peer.connection)),
    );
    await Promise.all(this.#listeners.values()); // until then an address may still be taken
  }
}

function readNames(incoming: Frame): string[] {
  if (incoming.payload.length > MAX_CONTROL_BYTES) {
    throw new ProtocolError(`A control frame may have at most ${MAX_CONTROL_BYTES} bytes`);
  }
  return decodeNames(incoming.payload);
}

async function closeWhenFlushed(connection: Connection): Promise<void> {
  await within(connection.flushed(), FLUSH_TIMEOUT_MS);
  connection.close();
}
