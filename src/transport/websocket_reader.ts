/**
 * The frames of a WebSocket as a server gets them: RFC 6455, section 5.
 *
 * @module
 */

import { MAX_MESSAGE_BYTES } from "../wire/limits.ts";

/** What a frame is, as its first byte says: RFC 6455, section 5.2. */
export const OPCODE = { more: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Text messages carry a number and nothing else. */
const MAX_TEXT_BYTES = 10;
const MAX_CONTROL_FRAME_BYTES = 125;
/** The frame says nothing about its end, or about how it is to be read. */
const BROKEN = 1002;

/** The status of RFC 6455, section 7.4.1, for what a client must not do. */
export type OffenceStatus = 1002 | 1003 | 1009;

/** Hears what comes. */
export interface WebSocketHandler {
  /** Bytes of a binary message came: the hearer's from now on. */
  onBytes(bytes: Uint8Array): void;
  /** A text message came; it is short. */
  onText(text: string): void;
  /** Its payload is to be sent back. */
  onPing(payload: Uint8Array): void;
  /** The other side says goodbye; 1005 stands for no status. Nothing comes after it. */
  onClose(status: number, reason: string): void;
  /** It broke the rules. No bytes and no text come any more, and after status 1002 nothing at all. */
  onOffence(status: OffenceStatus, reason: string): void;
}

/** Reads frames from bytes that were cut anywhere, and keeps none of a message until it is whole. */
export class WebSocketReader {
  readonly #handler: WebSocketHandler;
  readonly #head = new Uint8Array(14);
  #headBytes = 0;
  #headSize = 2;
  /** What is missing of the frame's payload; 0 while its head comes. */
  #missing = 0;
  #opcode = 0;
  #isLast = false;
  /** The mask, and the place in it of the next byte. */
  readonly #mask = new Uint8Array(4);
  #maskAt = 0;
  /** Of the message that is not finished: what it is, or 0, and how large it is so far. */
  #message = 0;
  #messageBytes = 0;
  #text = "";
  readonly #control = new Uint8Array(MAX_CONTROL_FRAME_BYTES);
  #controlBytes = 0;
  #ignoresMessages = false;
  #isOver = false;

  /** @param handler Hears what comes. */
  constructor(handler: WebSocketHandler) {
    this.#handler = handler;
  }

  /** Takes what has come. The bytes may change once it returns. */
  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.#isOver;) {
      at += this.#missing === 0 ? this.#readHead(bytes, at) : this.#readPayload(bytes, at);
    }
  }

  /** @returns How many bytes it took. */
  #readHead(bytes: Uint8Array, at: number): number {
    const count = Math.min(this.#headSize - this.#headBytes, bytes.length - at);
    this.#head.set(bytes.subarray(at, at + count), this.#headBytes);
    this.#headBytes += count;
    if (this.#headBytes === this.#headSize) {
      if (this.#headSize === 2) this.#checkStart(this.#head[0]!, this.#head[1]!);
      else this.#beginPayload();
    }
    return count;
  }

  #checkStart(first: number, second: number): void {
    const opcode = first & 15;
    const isControl = opcode >= OPCODE.close;
    const length = second & 127;
    this.#opcode = opcode;
    this.#isLast = first >= 128;
    this.#headSize = length === 127 ? 14 : length === 126 ? 8 : 6;
    if ((first & 112) !== 0) return this.#offend(BROKEN, "no extension was agreed to");
    if (second < 128) return this.#offend(BROKEN, "a client masks its frames");
    if (isControl ? opcode > OPCODE.pong : opcode > OPCODE.binary) {
      return this.#offend(BROKEN, `there are no frames of kind ${opcode}`);
    }
    if (isControl && !(this.#isLast && length <= MAX_CONTROL_FRAME_BYTES)) {
      return this.#offend(BROKEN, "a control frame is short, and in one piece");
    }
    if (!isControl && (opcode === OPCODE.more) !== (this.#message !== 0)) {
      return this.#offend(BROKEN, "a message begins when the one before it has ended");
    }
  }

  #beginPayload(): void {
    const length = this.#payloadLength();
    this.#mask.set(this.#head.subarray(this.#headSize - 4, this.#headSize));
    this.#maskAt = 0;
    this.#missing = length;
    if (this.#opcode >= OPCODE.close) this.#controlBytes = 0;
    else this.#beginPart(length);
    this.#headBytes = 0;
    this.#headSize = 2;
    if (length === 0) this.#endFrame();
  }

  #payloadLength(): number {
    const view = new DataView(this.#head.buffer);
    if (this.#headSize === 6) return this.#head[1]! & 127;
    if (this.#headSize === 8) return view.getUint16(2);
    return view.getUint32(2) * 2 ** 32 + view.getUint32(6);
  }

  #beginPart(length: number): void {
    if (this.#opcode !== OPCODE.more) {
      this.#message = this.#opcode;
      this.#messageBytes = 0;
      this.#text = "";
    }
    this.#messageBytes += length;
    if (this.#message === OPCODE.text) {
      if (this.#messageBytes > MAX_TEXT_BYTES) this.#offend(1003, "a text message is a credit");
    } else if (this.#messageBytes > MAX_MESSAGE_BYTES) {
      this.#offend(1009, `a message has at most ${MAX_MESSAGE_BYTES} bytes`);
    }
  }

  /** @returns How many bytes it took. */
  #readPayload(bytes: Uint8Array, at: number): number {
    const count = Math.min(this.#missing, bytes.length - at);
    this.#missing -= count;
    const isControl = this.#opcode >= OPCODE.close;
    if (isControl || !this.#ignoresMessages) {
      const piece = bytes.slice(at, at + count);
      this.#unmask(piece);
      if (isControl) {
        this.#control.set(piece, this.#controlBytes);
        this.#controlBytes += count;
      } else if (this.#message === OPCODE.text) this.#text += String.fromCharCode(...piece);
      else this.#handler.onBytes(piece);
    }
    if (this.#missing === 0) this.#endFrame();
    return count;
  }

  /** Of an array of its own, four bytes at a time. */
  #unmask(piece: Uint8Array): void {
    const mask = this.#mask.map((_, i) => this.#mask[(this.#maskAt + i) & 3]!);
    const mask32 = new Uint32Array(mask.buffer)[0]!;
    const words = new Uint32Array(piece.buffer, 0, piece.length >> 2);
    for (let i = 0; i < words.length; i++) words[i]! ^= mask32;
    for (let i = words.length * 4; i < piece.length; i++) piece[i]! ^= mask[i & 3]!;
    this.#maskAt = (this.#maskAt + piece.length) & 3;
  }

  #endFrame(): void {
    const payload = this.#control.slice(0, this.#controlBytes);
    if (this.#opcode === OPCODE.close) this.#close(payload);
    else if (this.#opcode === OPCODE.ping) this.#handler.onPing(payload);
    else if (this.#opcode !== OPCODE.pong && this.#isLast) {
      const isText = this.#message === OPCODE.text;
      this.#message = 0;
      if (isText && !this.#ignoresMessages) this.#handler.onText(this.#text);
    }
  }

  #close(payload: Uint8Array): void {
    if (payload.length === 1) return this.#offend(BROKEN, "a status has two bytes");
    this.#isOver = true;
    const status = payload.length === 0 ? 1005 : payload[0]! * 256 + payload[1]!;
    this.#handler.onClose(status, new TextDecoder().decode(payload.subarray(2)));
  }

  #offend(status: OffenceStatus, reason: string): void {
    if (status === BROKEN) this.#isOver = true;
    const isFirst = !this.#ignoresMessages;
    this.#ignoresMessages = true;
    if (isFirst) this.#handler.onOffence(status, reason);
  }
}
