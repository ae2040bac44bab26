/**
 * What a transport must provide. TCP, UNIX sockets, WebSockets, MessagePorts and in-memory pipes
 * implement it, and one contract suite tests them all.
 *
 * @module
 */

import { ConnectionError } from "../errors.ts";
import type { Frame } from "../wire/frame.ts";

/**
 * Connections that may wait to be accepted. A herd of nodes that comes back at once must find room:
 * who finds none tries again after one, two, four, up to sixty-four seconds, says TCP.
 */
export const BACKLOG = 4_096;

/** Who reads from an end of a stream, and writes to it, as the other end sees it. */
export interface StreamUser {
  /** What it does with what it reads. */
  readonly handler: { onFrame(frame: Frame): void };
  /** Whether it reads nothing at present. */
  readonly held: boolean;
  /** Bytes that it has to write. */
  readonly queuedBytes: number;
  /** The largest frame that it accepts. */
  readonly maxFrameBytes: number;
  /** Ends it. */
  close(error: Error): void;
}

/** An ordered, reliable stream of bytes in both directions. */
export interface ByteStream {
  /** The other side's network address, where there is one: not of UNIX sockets and pipes. */
  readonly remote?: string | undefined;

  /** Time that the other side has to join. @default {HANDSHAKE_TIMEOUT_MS} */
  readonly handshakeTimeoutMs?: number;

  /**
   * Reads up to `into.length` bytes.
   *
   * @returns How many bytes came, at least one, or `null` when the other side has finished.
   * Rejects when the connection broke, or {@linkcode ByteStream.close} was called meanwhile.
   */
  read(into: Uint8Array): Promise<number | null>;

  /**
   * Writes some of `bytes`; it may be all of them. `bytes` must not change until it settles.
   *
   * @returns How many bytes were taken, at least one. Rejects when the connection broke.
   */
  write(bytes: Uint8Array): Promise<number>;

  /** Told when something has come, before it is looked at. */
  came?(): void;

  /**
   * Only where both ends are in one process: a way for frames past the bytes of the stream.
   *
   * @param user Who uses this end.
   * @returns Gives a frame to who uses the other end, unless that would be out of turn; tells whether it did.
   */
  shortcut?(user: StreamUser): (frame: Frame) => boolean;

  /** Ends the connection at once in both directions; pending reads and writes settle. Idempotent. */
  close(): void;
}

/** Where a controller can be reached; only the fields that apply are set. */
export interface Address {
  host?: string;
  port?: number;
  socketPath?: string;
  url?: string;
}

/** Something that nodes connect to. */
export interface Listener {
  /** The address as bound. */
  readonly address: Address;

  /** Waits for the next connection; `null` once the listener is closed. Never rejects. */
  accept(): Promise<ByteStream | null>;

  /** Stops listening and frees the port or the socket file. Idempotent. */
  close(): void;
}

/** Hears why connections cannot be accepted, of a listener that goes on. */
export type OnTrouble = (error: Error) => void;

/** One way of reaching a controller. */
export interface Transport {
  /** The address in words, for messages. */
  readonly description: string;

  /**
   * Starts listening.
   *
   * @param onTrouble Hears of connections that cannot be accepted.
   * @throws {ConnectionError} when the address is taken or cannot be listened on.
   * @throws {InitializationError} when it cannot be encrypted as it should.
   */
  listen(onTrouble?: OnTrouble): Promise<Listener>;

  /**
   * Connects to a controller.
   *
   * @param signal Gives up; must not be aborted any more once it is connected.
   * @throws {ConnectionError} when nobody answers.
   */
  connect(signal?: AbortSignal): Promise<{ stream: ByteStream; address: Address }>;

  /** Waits a little until nothing is left of connections that were closed. Never rejects. */
  end?(): Promise<void>;
}

/** What a controller needs of a transport. */
export type Listening = Pick<Transport, "listen">;

/** What a node needs of a transport. */
export type Connecting = Pick<Transport, "description" | "connect" | "end">;

/** One side of a connection; without a port where there are none. */
interface Side {
  readonly hostname: string | undefined;
  readonly port: number | undefined;
}

/**
 * Whether a connection has led back to itself. To a port of this machine on which nobody listens it may: the
 * system chooses the very same port for this side, if it is one of those that it gives away.
 */
export function isLoop(local: Side, remote: Side): boolean {
  return local.port !== undefined && local.port === remote.port &&
    local.hostname === remote.hostname;
}

/** Why a loop is no connection. */
export const LED_BACK = "nobody listens there, and the connection led back to itself";

/** Ends accept loops the same way for every kind of Deno listener. */
export async function acceptFrom<Socket>(
  listener: { accept(): Promise<Socket> },
  isClosed: () => boolean,
  onTrouble?: OnTrouble,
): Promise<Socket | null> {
  for (let isTold = false; !isClosed(); isTold = true) {
    try {
      return await listener.accept();
    } catch (error) {
      if (isClosed()) return null;
      if (!isTold) onTrouble?.(error as Error);
      // A peer that gave up before it was accepted, or too many open files: neither ends the
      // listener. Leave the event loop room to free something before the next attempt.
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  return null;
}

/** The error of a controller that cannot listen at a network address. */
export function cannotListen(place: string, error: unknown): ConnectionError {
  const { message, code } = error as Error & { code?: string };
  const isTaken = code === "EADDRINUSE" || (error as Error).name === "AddrInUse";
  const why = isTaken
    ? "another program, perhaps another controller, does already; give another port, or join that " +
      "controller by leaving initController out"
    : message;
  return new ConnectionError(`Cannot listen on ${place}: ${why}`, { cause: error });
}
