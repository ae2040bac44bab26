/**
 * A WebSocket as a server has it, over a socket of its own: no more of what comes is kept than the
 * other side may have sent, and the end does not depend on it.
 *
 * @module
 */

import { nextTurn } from "../internal/next_turn.ts";
import { CLOSE_TIMEOUT_MS } from "../wire/limits.ts";
import { MessageStream, type OtherSide } from "./message_stream.ts";
import { PIECE_BYTES } from "./pieces.ts";
import type { ByteStream } from "./transport.ts";
import { brokenWebSocket, closedWebSocket } from "./websocket_end.ts";
import { OPCODE, WebSocketReader } from "./websocket_reader.ts";

/** As much as a client that holds back sends at once: its head has 8 bytes, with the mask. */
const MIN_READ_BYTES = 8 + PIECE_BYTES;
const MAX_READ_BYTES = 64 * MIN_READ_BYTES;
const YIELD_AFTER_READS = 4;

/** A frame, and who waits until it is sent. */
interface Outgoing {
  readonly bytes: Uint8Array;
  readonly taken?: (() => void) | undefined;
}

/** Bytes and credits over a socket on which the handshake is done. */
export class ServerWebSocket {
  /** What its messages carry. */
  readonly stream: MessageStream;
  /** Resolves when the socket is closed. */
  readonly over: Promise<void>;
  readonly #socket: ByteStream;
  readonly #reader: WebSocketReader;
  readonly #over = Promise.withResolvers<void>();
  #outgoing: Outgoing[] = [];
  /** What is being written. */
  #piece: Outgoing | undefined;
  /** The answer to the last ping alone: RFC 6455, section 5.5.3. */
  #pong: Outgoing | undefined;
  #isWriting = false;
  /** Nothing is sent after the goodbye. */
  #hasSaidGoodbye = false;
  #hasHeardGoodbye = false;
  #isOver = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param socket Carries the frames from now on.
   * @param rest What has come behind the handshake.
   * @param other What is known of the other side.
   */
  constructor(socket: ByteStream, rest: Uint8Array, other: OtherSide) {
    this.#socket = socket;
    this.over = this.#over.promise;
    this.stream = new MessageStream({
      send: (bytes) => new Promise((taken) => this.#send(OPCODE.binary, bytes, taken)),
      sendCredit: (bytes) => this.#send(OPCODE.text, new TextEncoder().encode(String(bytes))),
      close: (refusal) => this.#sayGoodbye(refusal?.status ?? 1000, refusal?.reason),
    }, other);
    this.#reader = new WebSocketReader({
      onBytes: (bytes) => this.stream.onBytes(bytes),
      onText: (text) => this.stream.onText(text),
      onPing: (payload) => this.#answerPing(payload),
      onClose: (status, reason) => this.#hearGoodbye(status, reason),
      onOffence: (status, reason) => this.stream.refuse(status, reason),
    });
    this.#read(rest);
  }

  async #read(rest: Uint8Array): Promise<void> {
    try {
      this.#reader.push(rest);
      let into = new Uint8Array(MIN_READ_BYTES);
      for (let reads = 1; !this.#hasHeardGoodbye; reads++) {
        // What is there already does not give others their turn, and may be ten thousand frames each time.
        if (reads % YIELD_AFTER_READS === 0) await nextTurn();
        const count = await this.#socket.read(into);
        if (count === null) throw new Error("it ended without a goodbye");
        this.#reader.push(into.subarray(0, count));
        if (count === into.length && count < MAX_READ_BYTES) into = new Uint8Array(count * 2);
      }
    } catch (error) {
      this.#break(error as Error);
    }
  }

  #answerPing(payload: Uint8Array): void {
    if (this.#hasSaidGoodbye) return;
    this.#pong = { bytes: frame(OPCODE.pong, payload) };
    this.#write();
  }

  #hearGoodbye(status: number, reason: string): void {
    this.#hasHeardGoodbye = true;
    this.stream.onEnd(closedWebSocket(status, reason));
    this.#sayGoodbye(status === 1005 ? 1000 : isSendable(status) ? status : 1002);
    this.#write();
  }

  #sayGoodbye(status: number, reason = ""): void {
    if (this.#hasSaidGoodbye || this.#isOver) return;
    const words = new TextEncoder().encode(reason);
    this.#send(OPCODE.close, Uint8Array.of(status >> 8, status & 255, ...words));
    this.#hasSaidGoodbye = true;
    this.#letGo();
    this.#timer = setTimeout(() => this.#end(), CLOSE_TIMEOUT_MS);
  }

  #send(opcode: number, payload: Uint8Array, taken?: () => void): void {
    this.#outgoing.push({ bytes: frame(opcode, payload), taken });
    this.#write();
  }

  async #write(): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    try {
      while ((this.#piece = this.#next()) !== undefined) {
        const { bytes, taken } = this.#piece;
        for (let at = 0; at < bytes.length;) at += await this.#socket.write(bytes.subarray(at));
        taken?.();
      }
      if (this.#hasHeardGoodbye) this.#end();
    } catch (error) {
      this.#break(error as Error);
    }
    this.#isWriting = false;
  }

  #next(): Outgoing | undefined {
    const pong = this.#pong;
    this.#pong = undefined;
    return pong ?? this.#outgoing.shift();
  }

  /** Nobody who is closed waits for what is still sent. */
  #letGo(): void {
    this.#piece?.taken?.();
    for (const { taken } of this.#outgoing) taken?.();
  }

  #break(error: Error): void {
    this.stream.onEnd(brokenWebSocket(error.message));
    this.#end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#letGo();
    this.#outgoing = [];
    clearTimeout(this.#timer);
    this.#socket.close();
    this.#over.resolve();
  }
}

/** RFC 6455, section 7.4: some stand for what was not sent, and most for nothing. */
function isSendable(status: number): boolean {
  return /^(100[0-37-9]|101[0-4]|[34]\d\d\d)$/.test(String(status));
}

/** A whole message, or a control frame, as a server sends it: without a mask. */
function frame(opcode: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  const size = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const bytes = new Uint8Array(size + length);
  bytes[0] = 128 | opcode;
  bytes[1] = size === 2 ? length : size === 4 ? 126 : 127;
  for (let i = size - 1, rest = length; i > 1; i--, rest = Math.floor(rest / 256)) bytes[i] = rest;
  bytes.set(payload, size);
  return bytes;
}
