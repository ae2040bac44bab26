/**
 * User values ↔ bytes: MessagePack with the extension types of `docs/protocol.md`, section 9.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import { Decoder } from "./decoder.ts";
import { Encoder } from "./encoder.ts";
import { type Attachment, type Frame, ReceivedFrame } from "./frame.ts";
import type { LargePayloads } from "./large_payloads.ts";
import type { Streamable } from "./streamable.ts";

/** Whoever sends the items of iterables that are found in a value. */
export interface StreamWriter {
  /** Takes one and gives it its number. */
  addStream(source: Streamable): number;
}

/** Gives the consumer's end of the stream with this number. */
export type StreamOpener = (stream: number) => AsyncIterable<unknown>;

/** Whoever sends large arrays of bytes apart from the payload that they belong to. */
export interface AttachmentTaker {
  /** What was taken out of the payload; refers to the memory of the value. */
  attachments: Attachment[] | undefined;
}

/** Turns values into payloads and back. */
export interface Codec {
  /** Most bytes that a payload may have, without what is kept apart. 1 GiB if it is not set. */
  maxBytes: number;

  /**
   * Encodes a value.
   *
   * @param value Anything that can travel (`docs/protocol.md`, section 9); iterables only if `streams` is given.
   * @param root How the value is called in errors: `"args"`, `"result"`, `"item"`.
   * @param streams Gets each iterable in the value.
   * @param apart Gets large arrays of bytes in the value; without it they are part of what is returned.
   * @returns A view that is valid until the next call.
   * @throws {EncodeError} when something in the value cannot travel; the message names its path.
   */
  encode(
    value: unknown,
    root: string,
    streams?: StreamWriter,
    apart?: AttachmentTaker,
  ): Uint8Array;

  /**
   * Decodes a payload in which there may be no streams. Nothing in the result refers to `bytes`.
   *
   * @param bytes One whole value.
   * @throws {ProtocolError} when the bytes are not one valid value within the limits.
   */
  decode(bytes: Uint8Array): unknown;

  /**
   * Decodes the payload of a frame. Nothing in the result refers to the memory that the frame was
   * received into, but it does to its attachments.
   *
   * @param streams Called for each stream that the value refers to.
   * @throws {ProtocolError} as {@linkcode Codec.decode} does.
   */
  decodePayload(frame: Frame, streams?: StreamOpener): unknown;
}

/** The codec of this version of the protocol. One for each node and each controller: it reuses its buffer. */
export class MessagePackCodec implements Codec {
  readonly #large: LargePayloads | undefined;
  readonly #encoder: Encoder;
  readonly #decoder = new Decoder();
  #encoding = false;

  /** @param large Keeps large arrays apart; without it they are part of the payload. */
  constructor(large?: LargePayloads) {
    this.#large = large;
    this.#encoder = new Encoder(large);
  }

  /** See {@linkcode Codec.maxBytes}. */
  get maxBytes(): number {
    return this.#encoder.maxBytes;
  }

  set maxBytes(bytes: number) {
    this.#encoder.maxBytes = bytes;
  }

  /** See {@linkcode Codec.encode}. */
  encode(
    value: unknown,
    root: string,
    streams?: StreamWriter,
    apart?: AttachmentTaker,
  ): Uint8Array {
    // A getter in the value may make a call of its own while this one is being encoded.
    if (this.#encoding) return new Encoder(this.#large).encode(value, root, streams, apart);
    this.#encoding = true;
    try {
      return this.#encoder.encode(value, root, streams, apart);
    } finally {
      this.#encoding = false;
    }
  }

  /** See {@linkcode Codec.decode}. */
  decode(bytes: Uint8Array): unknown {
    return this.#decode(bytes, 0, bytes.length, undefined, undefined);
  }

  /** See {@linkcode Codec.decodePayload}. */
  decodePayload(frame: Frame, streams?: StreamOpener): unknown {
    const { attachments } = frame;
    if (frame instanceof ReceivedFrame) {
      return this.#decode(frame.memory, frame.from, frame.to, streams, attachments);
    }
    const { payload } = frame;
    return this.#decode(payload, 0, payload.length, streams, attachments);
  }

  #decode(
    memory: Uint8Array,
    from: number,
    to: number,
    streams: StreamOpener | undefined,
    attachments: readonly Attachment[] | undefined,
  ): unknown {
    try {
      return this.#decoder.decode(memory, from, to, streams, attachments);
    } catch (error) {
      if (error instanceof ProtocolError) throw error;
      throw new ProtocolError("Cannot decode the payload: it is not a valid value", {
        cause: error,
      });
    }
  }
}
