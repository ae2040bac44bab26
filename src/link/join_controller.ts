/**
 * The node's side of the handshake.
 *
 * @module
 */

import {
  AuthenticationError,
  ConnectionError,
  DaffiError,
  DuplicateProcessError,
  OverloadedError,
  ProtocolError,
} from "../errors.ts";
import { sha256 } from "../internal/digest.ts";
import type { ByteStream } from "../transport/transport.ts";
import {
  decodeChallenge,
  decodeRefusal,
  decodeWelcome,
  encodeControl,
  type Hello,
  type Refusal,
  type Welcome,
} from "../wire/control.ts";
import { type Frame, frame, Kind } from "../wire/frame.ts";
import { JOIN_TIMEOUT_MS, MAX_DIRECTORY_BYTES } from "../wire/limits.ts";
import { Connection, type ConnectionHandler } from "./connection.ts";
import { outOfState, outOfTurn, withinHandshakeTime } from "./handshake.ts";
import { AUTH_VERSION, isSameProof, newNonce, type Secret } from "./secret.ts";

/**
 * The node's side.
 *
 * @param stream A fresh connection to a controller.
 * @param hello Who asks to join.
 * @param onWelcome Called at once when the controller agrees; gives who gets what comes after.
 * @param secret What both sides must know.
 * @returns The connection, joined.
 * @throws {AuthenticationError} when one side does not prove to the other that it knows the secret.
 * @throws {DuplicateProcessError} when the name is taken.
 * @throws {ConnectionError} when the connection breaks or the other side is silent.
 * @throws {ProtocolError} when the other side is no controller of this version.
 */
export function joinController(
  stream: ByteStream,
  hello: Hello,
  onWelcome: (welcome: Welcome, connection: Connection) => ConnectionHandler | undefined,
  secret?: Secret,
): Promise<Connection> {
  const { promise, resolve, reject } = Promise.withResolvers<Connection>();
  // What other nodes send is limited by this node's own size, the directory is not theirs to limit.
  const maxFrameBytes = Math.max(hello.maxFrameBytes, 2 * MAX_DIRECTORY_BYTES);
  const connection = new Connection(stream, maxFrameBytes, {
    onFrame(incoming: Frame): void {
      if (incoming.kind === Kind.Refused) {
        throw refusalError(decodeRefusal(incoming.payload), hello);
      }
      step(incoming);
    },
    onClose(error: Error | undefined): void {
      reject(error ?? new ConnectionError("The controller closed the connection"));
    },
  });
  const welcomeAfter = (proof: Uint8Array | undefined) => (incoming: Frame) => {
    if (incoming.kind !== Kind.Welcome) throw outOfState(incoming);
    const welcome = decodeWelcome(incoming.payload);
    if (proof !== undefined && !(welcome.mac !== undefined && isSameProof(welcome.mac, proof))) {
      throw unproven();
    }
    connection.handler = onWelcome(welcome, connection) ?? leave(connection);
    resolve(connection);
  };
  let step = welcomeAfter(undefined);
  let payload = encodeControl(hello);
  if (secret !== undefined) {
    const nonce = newNonce();
    payload = encodeControl({ ...hello, auth: { version: AUTH_VERSION, nonce } });
    const prove = async (incoming: Frame) => {
      const { nonce: controllerNonce } = decodeChallenge(incoming.payload);
      const digests = [sha256(payload), sha256(incoming.payload)] as const;
      const [hello, challenge] = await Promise.all(digests);
      const proofs = await secret.proofs({ nodeNonce: nonce, controllerNonce, hello, challenge });
      step = welcomeAfter(proofs.controller);
      connection.send(frame(Kind.Proof, { payload: encodeControl({ mac: proofs.node }) }));
    };
    step = (incoming) => {
      if (incoming.kind === Kind.Welcome) throw unproven();
      if (incoming.kind !== Kind.Challenge) throw outOfState(incoming);
      step = outOfTurn;
      prove(incoming).catch((error) => connection.close(error));
    };
  }
  connection.send(frame(Kind.Hello, { payload }));
  return withinHandshakeTime(JOIN_TIMEOUT_MS, connection, promise);
}

/** The node is not wanted any more; to others it has joined, so it must not look as if it were lost. */
function leave(connection: Connection): ConnectionHandler {
  connection.send(frame(Kind.Leave));
  return { onFrame() {}, onClose() {} };
}

function unproven(): AuthenticationError {
  return new AuthenticationError("The controller did not prove that it knows the secret");
}

function refusalError({ code, message }: Refusal, { process: processName }: Hello): Error {
  switch (code) {
    case "DUPLICATE_PROCESS":
      return new DuplicateProcessError(message, { processName });
    case "AUTHENTICATION":
      return new AuthenticationError(message);
    case "OVERLOADED":
      return new OverloadedError(message);
    default:
      return new ProtocolError(`The controller refused: ${message}`);
  }
}

/**
 * Trying again would change nothing: refused, not a controller, or no permission to connect.
 *
 * @param hasJoined Whether there was a controller before: what answers in its place now may go.
 */
export function isFinal(error: unknown, hasJoined: boolean): boolean {
  const { cause } = error as Error;
  return (cause instanceof Error && cause.name === "NotCapable") ||
    error instanceof DuplicateProcessError || error instanceof AuthenticationError ||
    (error instanceof ProtocolError && !hasJoined);
}

/** What a socket throws says what happened, but not that it was the connection to the controller. */
export function asConnectionError(error: Error): DaffiError {
  if (error instanceof DaffiError) return error;
  return new ConnectionError(`The connection to the controller broke: ${error.message}`, {
    cause: error,
  });
}
