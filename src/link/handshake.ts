/**
 * How a connection becomes a member of the network (`docs/protocol.md`, section 4).
 *
 * @module
 */

import {
  AuthenticationError,
  ConnectionError,
  DuplicateProcessError,
  OverloadedError,
  ProtocolError,
} from "../errors.ts";
import type { ByteStream } from "../transport/transport.ts";
import {
  decodeHello,
  decodeRefusal,
  decodeWelcome,
  encodeControl,
  type Hello,
  type Refusal,
  type RefusalCode,
  type Welcome,
} from "../wire/control.ts";
import { type Frame, frame, Kind, kindName } from "../wire/frame.ts";
import {
  HANDSHAKE_TIMEOUT_MS,
  JOIN_TIMEOUT_MS,
  MAX_CONTROL_BYTES,
  MAX_DIRECTORY_BYTES,
  MIN_MAX_FRAME_BYTES,
} from "../wire/limits.ts";
import { Connection, type ConnectionHandler } from "./connection.ts";

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

/**
 * The node's side.
 *
 * @param stream A fresh connection to a controller.
 * @param hello Who asks to join.
 * @param onWelcome Called at once when the controller agrees; gives who gets what comes after.
 * @returns The connection, joined.
 * @throws {DuplicateProcessError} when the name is taken.
 * @throws {ConnectionError} when the connection breaks or the other side is silent.
 * @throws {ProtocolError} when the other side is no controller of this version.
 */
export function joinController(
  stream: ByteStream,
  hello: Hello,
  onWelcome: (welcome: Welcome, connection: Connection) => ConnectionHandler,
): Promise<Connection> {
  const { promise, resolve, reject } = Promise.withResolvers<Connection>();
  // What other nodes send is limited by this node's own size, the directory is not theirs to limit.
  const maxFrameBytes = Math.max(hello.maxFrameBytes, 2 * MAX_DIRECTORY_BYTES);
  const connection = new Connection(stream, maxFrameBytes, {
    onFrame(frame: Frame): void {
      if (frame.kind === Kind.Refused) throw refusalError(decodeRefusal(frame.payload));
      if (frame.kind !== Kind.Welcome) throw outOfState(frame);
      connection.handler = onWelcome(decodeWelcome(frame.payload), connection);
      resolve(connection);
    },
    onClose(error: Error | undefined): void {
      reject(error ?? new ConnectionError("The controller closed the connection"));
    },
  });
  connection.send(frame(Kind.Hello, { payload: encodeControl(hello) }));
  return within(JOIN_TIMEOUT_MS, connection, promise);
}

/**
 * The controller's side.
 *
 * @param stream A fresh connection.
 * @param maxFrameBytes Largest frame that is accepted once the node has joined.
 * @param admit Decides. Sends `WELCOME` itself, for only it knows what must come right after, and
 * gives who gets what comes in; throws {@linkcode Refused} to turn the node away.
 * @throws Whatever ended the handshake, for the log.
 */
export function acceptNode(
  stream: ByteStream,
  maxFrameBytes: number,
  admit: (hello: Hello, connection: Connection) => ConnectionHandler,
): Promise<Connection> {
  const { promise, resolve, reject } = Promise.withResolvers<Connection>();
  const connection = new Connection(stream, MAX_CONTROL_BYTES, {
    onFrame(frame: Frame): void {
      if (frame.kind !== Kind.Hello) throw outOfState(frame);
      try {
        connection.handler = admit(readHello(frame.payload), connection);
        connection.maxFrameBytes = maxFrameBytes;
        resolve(connection);
      } catch (error) {
        if (!(error instanceof Refused || error instanceof ProtocolError)) throw error;
        refuse(connection, error, reject);
      }
    },
    onClose(error: Error | undefined): void {
      reject(error ?? new ProtocolError("The connection ended before HELLO"));
    },
  });
  return within(HANDSHAKE_TIMEOUT_MS, connection, promise);
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

function within(
  timeoutMs: number,
  connection: Connection,
  outcome: Promise<Connection>,
): Promise<Connection> {
  const timer = setTimeout(() => {
    connection.close(
      new ConnectionError(`The handshake was not finished within ${timeoutMs} ms`),
    );
  }, timeoutMs);
  return outcome.finally(() => clearTimeout(timer));
}

function outOfState(frame: Frame): ProtocolError {
  return new ProtocolError(`${kindName(frame.kind)} is not allowed during the handshake`);
}

function refusalError({ code, message }: Refusal): Error {
  switch (code) {
    case "DUPLICATE_PROCESS":
      return new DuplicateProcessError(message);
    case "AUTHENTICATION":
      return new AuthenticationError(message);
    case "OVERLOADED":
      return new OverloadedError(message);
    default:
      return new ProtocolError(`The controller refused: ${message}`);
  }
}

/** Trying again would change nothing: refused, not a controller, or no permission to connect. */
export function isFinal(error: unknown): boolean {
  const { cause } = error as Error;
  return (cause instanceof Error && cause.name === "NotCapable") ||
    error instanceof DuplicateProcessError || error instanceof AuthenticationError ||
    error instanceof ProtocolError;
}
