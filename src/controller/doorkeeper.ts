/**
 * Takes connections through the handshake, and turns away who may not join.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import type { Logger } from "../internal/log.ts";
import { acceptNode, type Entrance, Refused } from "../link/accept_node.ts";
import type { Connection, ConnectionHandler } from "../link/connection.ts";
import type { Secret } from "../link/secret.ts";
import { SpareBuffers } from "../link/spare_buffers.ts";
import type { ByteStream } from "../transport/transport.ts";
import type { Hello } from "../wire/control.ts";
import { MAX_HANDSHAKES } from "../wire/limits.ts";
import type { Authorizer } from "./authorizer.ts";
import { FailedProofs } from "./failed_proofs.ts";

/** What a doorkeeper needs of its controller. */
export interface DoorkeeperOptions {
  /** Largest frame that is accepted of a node that has joined. */
  readonly maxFrameBytes: number;
  /** What nodes have to prove, and the controller to them. */
  readonly secret: Secret | undefined;
  /** What decides who may join. */
  readonly authorizer: Authorizer | undefined;
  readonly logger: Logger;
  /** Takes in a node that may join; see {@linkcode acceptNode}. */
  admit(
    hello: Hello,
    connection: Connection,
    mac: Uint8Array | undefined,
    own: boolean,
  ): ConnectionHandler;
  /** Closes a connection of another process when it is lost. */
  watch(connection: Connection): void;
}

/** What a doorkeeper has counted since it was made. */
export interface DoorkeeperCounts {
  /** Connections turned away. */
  refused: number;
  /** Those of them that were not allowed to join. */
  unauthenticated: number;
  /** Those of them that broke the protocol. */
  protocolErrors: number;
}

/** Stands between those who connect and those who have joined. */
export class Doorkeeper {
  /** What happened so far. */
  readonly counts: DoorkeeperCounts = { refused: 0, unauthenticated: 0, protocolErrors: 0 };
  readonly #options: DoorkeeperOptions;
  readonly #failedProofs = new FailedProofs();
  readonly #handshakes = new Set<ByteStream>();
  readonly #buffers = new SpareBuffers();
  #stopped = false;

  /** @param options What it needs. */
  constructor(options: DoorkeeperOptions) {
    this.#options = options;
  }

  /** Takes a fresh connection of another process. */
  async take(stream: ByteStream): Promise<void> {
    const { secret, authorizer, watch } = this.#options;
    const attempt = this.#failedProofs.begin(stream.remote);
    const connection = await this.#accept(stream, false, {
      secret,
      turn: ({ over }) => attempt.turn(over),
      wrongProof: () => attempt.failed(),
      permit: authorizer && ((hello) => permit(authorizer, hello, stream.remote)),
    });
    attempt.end();
    if (connection !== undefined) watch(connection);
  }

  /** Takes the connection of the node in this process: nobody else can be on it. */
  async takeOwn(stream: ByteStream): Promise<void> {
    await this.#accept(stream, true, {});
  }

  async #accept(
    stream: ByteStream,
    own: boolean,
    entrance: Entrance,
  ): Promise<Connection | undefined> {
    const { maxFrameBytes, admit } = this.#options;
    if (this.#stopped || this.#handshakes.size >= MAX_HANDSHAKES) {
      this.counts.refused++;
      stream.close();
      return undefined;
    }
    this.#handshakes.add(stream);
    try {
      return await acceptNode(
        stream,
        maxFrameBytes,
        (hello, connection, mac) => admit(hello, connection, mac, own),
        { ...entrance, buffers: this.#buffers },
      );
    } catch (error) {
      const hasLeft = own && !(error instanceof Refused);
      if (!hasLeft) this.#turnedAway(error as Error, stream.remote);
      return undefined;
    } finally {
      this.#handshakes.delete(stream);
    }
  }

  #turnedAway(error: Error, remote: string | undefined): void {
    if (error instanceof ProtocolError) this.counts.protocolErrors++;
    const isStranger = error instanceof Refused && error.code === "AUTHENTICATION";
    this.turnedAway(error.message, isStranger, remote);
  }

  /**
   * Counts and logs a connection that was turned away, here or before it came here.
   *
   * @param why In words.
   * @param isStranger Whether it failed to show that it may join.
   */
  turnedAway(why: string, isStranger: boolean, remote: string | undefined): void {
    this.counts.refused++;
    if (isStranger) this.counts.unauthenticated++;
    const from = remote === undefined ? "" : ` from ${JSON.stringify(remote)}`;
    this.#options.logger.warn(`daffi: a connection${from} was turned away: ${why}`);
  }

  /** Takes no more, and ends what is under way. */
  stop(): void {
    this.#stopped = true;
    for (const stream of this.#handshakes) stream.close();
  }
}

async function permit(
  authorizer: Authorizer,
  { process, callbacks }: Hello,
  address: string | undefined,
): Promise<void> {
  const verdict = await authorizer.decideAndCount({
    action: "join",
    // A copy, for what it does to the list must not change what is joined.
    ...{ processName: process, address, callbacks: [...callbacks] },
  });
  if (verdict === true) return;
  // A refusal of the first kind ends a node for good, and nobody has said that it may not join.
  throw verdict === false
    ? new Refused("AUTHENTICATION", "Cannot join: the controller does not allow it")
    : new Refused("OVERLOADED", "Cannot join: the controller cannot decide about it at present");
}
