/**
 * The controller's side of the handshake.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import { sha256 } from "../internal/digest.ts";
import type { ByteStream } from "../transport/transport.ts";
import {
  decodeHello,
  decodeProof,
  encodeControl,
  type Hello,
  type Refusal,
  type RefusalCode,
} from "../wire/control.ts";
import { type Frame, frame, Kind } from "../wire/frame.ts";
import { HANDSHAKE_TIMEOUT_MS, MAX_CONTROL_BYTES, MIN_MAX_FRAME_BYTES } from "../wire/limits.ts";
import { Connection, type ConnectionHandler } from "./connection.ts";
import { outOfState, outOfTurn, withinHandshakeTime } from "./handshake.ts";
import type { SpareBuffers } from "./spare_buffers.ts";
import { AUTH_VERSION, isSameProof, newNonce, type Secret } from "./secret.ts";

/** Thrown by whoever admits nodes to turn one away. */
export class Refused extends Error {
  /**
   * @param code What is wrong, for programs.
   * @param message What is wrong, for people.
   */
  constructor(readonly code: RefusalCode, message: string) {
    super(message);
  }
}

/** What a controller wants of a node before it admits it. */
export interface Entrance {
  /** What is sent lies in them; the connection has some of its own otherwise. */
  readonly buffers?: SpareBuffers;
  /** What the node must know. */
  readonly secret?: Secret | undefined;
  /** Waits until this node may prove it. @throws {Refused} when it may not. */
  turn?(connection: Connection): Promise<void>;
  /** The node has sent a wrong proof. */
  wrongProof?(): void;
  /** Decides about a node that has proved it. @throws {Refused} when it may not join. */
  readonly permit?: ((hello: Hello) => Promise<void>) | undefined;
}

/**
 * The controller's side.
 *
 * @param stream A fresh connection.
 * @param maxFrameBytes Largest frame that is accepted once the node has joined.
 * @param admit Decides. Sends `WELCOME` itself, with the controller's proof in it, for only it knows
 * what must come right after, and gives who gets what comes in; throws {@linkcode Refused} to turn
 * the node away.
 * @param entrance What comes before that.
 * @throws Whatever ended the handshake, for the log.
 */
export function acceptNode(
  stream: ByteStream,
  maxFrameBytes: number,
  admit: (hello: Hello, connection: Connection, mac?: Uint8Array) => ConnectionHandler,
  entrance: Entrance = {},
): Promise<Connection> {
  const { promise, resolve, reject } = Promise.withResolvers<Connection>();
  const connection = new Connection(stream, MAX_CONTROL_BYTES, {
    onFrame: (incoming) => step(incoming),
    onClose(error: Error | undefined): void {
      reject(error ?? new ProtocolError("The connection ended before HELLO"));
    },
  }, entrance.buffers);
  const fail = (error: unknown) => {
    if (error instanceof Refused || error instanceof ProtocolError) {
      refuse(connection, error, reject);
    } else connection.close(error as Error);
  };
  const join = (hello: Hello, mac?: Uint8Array) => {
    if (connection.closed) return;
    connection.handler = admit(hello, connection, mac);
    connection.maxFrameBytes = maxFrameBytes;
    resolve(connection);
  };
  const enter = (hello: Hello, mac?: Uint8Array) => {
    if (entrance.permit === undefined) join(hello, mac);
    else entrance.permit(hello).then(() => join(hello, mac)).catch(fail);
  };
  const challenge = async (secret: Secret, hello: Hello, helloPayload: Uint8Array) => {
    const nodeNonce = nonceOf(hello);
    const helloDigest = await sha256(helloPayload);
    await entrance.turn?.(connection);
    const controllerNonce = newNonce();
    const payload = encodeControl({ nonce: controllerNonce });
    const digests = { hello: helloDigest, challenge: await sha256(payload) };
    const proofs = await secret.proofs({ nodeNonce, controllerNonce, ...digests });
    step = (incoming) => {
      if (incoming.kind !== Kind.Proof) throw outOfState(incoming);
      step = outOfTurn;
      try {
        if (isSameProof(decodeProof(incoming.payload).mac, proofs.node)) {
          return enter(hello, proofs.controller);
        }
        entrance.wrongProof?.();
        throw new Refused("AUTHENTICATION", "Cannot join: the secret is not the controller's");
      } catch (error) {
        fail(error);
      }
    };
    connection.send(frame(Kind.Challenge, { payload }));
  };
  let step = (incoming: Frame): void => {
    if (incoming.kind !== Kind.Hello) throw outOfState(incoming);
    step = outOfTurn;
    try {
      const hello = readHello(incoming.payload);
      const { secret } = entrance;
      if (secret !== undefined) challenge(secret, hello, incoming.payload).catch(fail);
      else if (hello.auth === undefined) enter(hello);
      else throw new Refused("AUTHENTICATION", "Cannot join: the controller has no secret");
    } catch (error) {
      fail(error);
    }
  };
  const { handshakeTimeoutMs = HANDSHAKE_TIMEOUT_MS } = stream;
  return withinHandshakeTime(handshakeTimeoutMs, connection, promise);
}

function nonceOf({ auth }: Hello): Uint8Array {
  if (auth === undefined) {
    throw new Refused(
      "AUTHENTICATION",
      "Cannot join: the controller has a secret, the node has none",
    );
  }
  if (auth.version !== AUTH_VERSION) {
    throw new Refused(
      "AUTHENTICATION",
      `Cannot join: the controller knows version ${AUTH_VERSION} of authentication, not ${auth.version}`,
    );
  }
  return auth.nonce;
}

function readHello(payload: Uint8Array): Hello {
  const hello = decodeHello(payload);
  if (hello.maxFrameBytes < MIN_MAX_FRAME_BYTES) {
    throw new ProtocolError(`Cannot join: maxFrameBytes must be at least ${MIN_MAX_FRAME_BYTES}`);
  }
  return hello;
}

/** The node closes when it has read why; one that does not is cut off by the handshake's time. */
function refuse(connection: Connection, reason: Error, reject: (error: Error) => void): void {
  const code = reason instanceof Refused ? reason.code : "PROTOCOL";
  const refusal: Refusal = { code, message: reason.message };
  connection.send(frame(Kind.Refused, { payload: encodeControl(refusal) }));
  connection.handler = { onFrame() {}, onClose: () => reject(reason) };
}
