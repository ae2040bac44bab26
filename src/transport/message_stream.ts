/**
 * A stream of bytes over something that carries messages, which nobody can ask to stop receiving: a
 * WebSocket or a MessagePort.
 *
 * @module
 */

import { ConnectionError, ProtocolError } from "../errors.ts";
import { MAX_MESSAGE_BYTES, MESSAGE_WINDOW_BYTES } from "../wire/limits.ts";
import { Inbox } from "./inbox.ts";
import { PIECE_BYTES } from "./pieces.ts";
import type { ByteStream } from "./transport.ts";
import type { UNAUTHORIZED } from "./websocket_end.ts";

/** What carries the messages. None of its functions throws, also when it is closed. */
export interface MessageCarrier {
  /**
   * Sends bytes, which may change once it returns.
   *
   * @returns Resolves when no memory here holds them any more, if that can be told, or when it is closed: the other
   * side's word for it, its credit, is not enough.
   */
  send(bytes: Uint8Array): Promise<void> | void;
  /** Tells that the reader has taken so many bytes. */
  sendCredit(bytes: number): void;
  /** Ends it; `refusal` says what the other side must not have done, if it is its fault. */
  close(refusal?: CloseReason): void;
}

/** What is wrong with a message: the status of RFC 6455, section 7.4.1, or the one of {@linkcode UNAUTHORIZED}, and words. */
export interface CloseReason {
  readonly status: 1002 | 1003 | 1008 | 1009 | typeof UNAUTHORIZED;
  readonly reason: string;
}

/** What is known of whoever is at the other end. */
export interface OtherSide {
  /** Whether it sends nothing more for a while until it hears something. */
  readonly holdsBack?: boolean;
  /** See {@linkcode ByteStream.remote}. */
  readonly remote?: string | undefined;
}

/** The largest credit has no more digits. */
const CREDIT = /^[1-9][0-9]{0,9}$/;

/** How soon somebody who waits for it hears that something was taken. */
const ANSWER_WITHIN_MS = 2;

/**
 * Bytes in messages whose borders mean nothing. The writer stops when the reader has
 * {@linkcode MESSAGE_WINDOW_BYTES} not taken; the reader tells when it has taken half of them.
 */
export class MessageStream implements ByteStream {
  /** See {@linkcode ByteStream.remote}. */
  readonly remote: string | undefined;
  readonly #carrier: MessageCarrier;
  readonly #tellsSoon: boolean;
  readonly #inbox = new Inbox();
  #reader: PromiseWithResolvers<void> | undefined;
  #writer: PromiseWithResolvers<void> | undefined;
  /** Sent and not yet taken there. */
  #underWay = 0;
  /** Taken here and not yet told. */
  #untold = 0;
  /** Whether something was taken since anything was sent. */
  #owesAnswer = false;
  /** Whether the last message has {@linkcode PIECE_BYTES}: the next one is held back. */
  #isPiece = false;
  #answering: ReturnType<typeof setTimeout> | undefined;
  #end: { readonly here: boolean; readonly error: Error | undefined } | undefined;

  /**
   * @param carrier Carries the messages; whoever owns it tells what comes by the methods below.
   * @param other What is known of the other side.
   */
  constructor(carrier: MessageCarrier, other: OtherSide = {}) {
    this.#carrier = carrier;
    this.#tellsSoon = other.holdsBack ?? false;
    this.remote = other.remote;
  }

  /** See {@linkcode ByteStream.read}. */
  async read(into: Uint8Array): Promise<number | null> {
    while (this.#inbox.bytes === 0 && this.#end === undefined) {
      this.#reader ??= Promise.withResolvers();
      await this.#reader.promise;
    }
    if (this.#end?.here === true) throw this.#end.error;
    const count = this.#inbox.take(into);
    if (count > 0) {
      this.#tell(count);
      return count;
    }
    if (this.#end?.error !== undefined) throw this.#end.error;
    return null;
  }

  #tell(taken: number): void {
    this.#untold += taken;
    this.#owesAnswer = true;
    if (this.#untold >= MESSAGE_WINDOW_BYTES / 2 || this.#isPiece) this.#sendCredit();
    else if (this.#tellsSoon) {
      this.#answering ??= setTimeout(() => {
        this.#answering = undefined;
        if (this.#owesAnswer) this.#sendCredit();
      }, ANSWER_WITHIN_MS);
    }
  }

  #sendCredit(): void {
    if (this.#end !== undefined) return;
    this.#owesAnswer = this.#isPiece = false;
    this.#carrier.sendCredit(this.#untold);
    this.#untold = 0;
  }

  /** See {@linkcode ByteStream.write}. */
  async write(bytes: Uint8Array): Promise<number> {
    while (this.#underWay >= MESSAGE_WINDOW_BYTES && this.#end === undefined) {
      this.#writer ??= Promise.withResolvers();
      await this.#writer.promise;
    }
    this.#checkOpen();
    const room = MESSAGE_WINDOW_BYTES - this.#underWay;
    const count = Math.min(bytes.length, MAX_MESSAGE_BYTES, room);
    const sent = this.#carrier.send(count === bytes.length ? bytes : bytes.subarray(0, count));
    this.#owesAnswer = false;
    this.#underWay += count;
    if (sent !== undefined) {
      await sent;
      this.#checkOpen();
    }
    return count;
  }

  #checkOpen(): void {
    if (this.#end === undefined) return;
    throw this.#end.error ?? new ConnectionError("The connection was closed by the other side");
  }

  /** See {@linkcode ByteStream.close}. */
  close(): void {
    if (this.#finish(true, new ConnectionError("The connection is closed"))) this.#carrier.close();
  }

  /** A message came. Its bytes are this stream's from now on. */
  onBytes(bytes: Uint8Array): void {
    if (this.#end !== undefined) return;
    if (bytes.length > MAX_MESSAGE_BYTES) {
      return this.refuse(1009, `a message has at most ${MAX_MESSAGE_BYTES} bytes`);
    }
    if (this.#inbox.bytes + bytes.length > MESSAGE_WINDOW_BYTES) {
      return this.refuse(1008, `at most ${MESSAGE_WINDOW_BYTES} bytes may be under way`);
    }
    this.#inbox.add(bytes);
    this.#isPiece = this.#tellsSoon && bytes.length === PIECE_BYTES;
    this.#reader?.resolve();
    this.#reader = undefined;
  }

  /** A text message came, which says what {@linkcode MessageStream.onCredit} is to hear. */
  onText(text: string): void {
    if (CREDIT.test(text)) this.onCredit(Number(text));
    else this.refuse(1003, "a text message is a credit");
  }

  /** The reader there has taken bytes. */
  onCredit(bytes: number): void {
    if (this.#end !== undefined) return;
    if (!(Number.isInteger(bytes) && bytes > 0 && bytes <= this.#underWay)) {
      return this.refuse(1003, "a credit is a number of bytes that are under way");
    }
    this.#underWay -= bytes;
    this.#writer?.resolve();
    this.#writer = undefined;
  }

  /** The other side has done what it must not: ends the connection. */
  refuse(status: CloseReason["status"], reason: string): void {
    const error = new ProtocolError(`The other side broke the rules: ${reason}`);
    if (this.#finish(false, error)) this.#carrier.close({ status, reason });
  }

  /** No more will come; `error` is missing if the other side just finished. */
  onEnd(error?: Error): void {
    this.#finish(false, error);
  }

  /** @returns Whether it was not over before. */
  #finish(here: boolean, error: Error | undefined): boolean {
    // What came before the other side's end is still read; after the own there is nothing to read.
    if (this.#end?.here === true || (!here && this.#end !== undefined)) return false;
    const first = this.#end === undefined;
    this.#end = { here, error };
    clearTimeout(this.#answering);
    if (here) this.#inbox.clear();
    this.#reader?.resolve();
    this.#writer?.resolve();
    return first;
  }
}
