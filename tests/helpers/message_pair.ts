/**
 * Streams of messages without a WebSocket or a MessagePort.
 *
 * @module
 */

import {
  type CloseReason,
  type MessageCarrier,
  MessageStream,
} from "../../src/transport/message_stream.ts";

/** What a {@linkcode MessageStream} did with its carrier. */
export class RecordingCarrier implements MessageCarrier {
  /** What was sent, in order: sizes of messages. */
  readonly sent: number[] = [];
  /** Credits that were told. */
  readonly credits: number[] = [];
  /** How it was closed. */
  closed: { refusal: CloseReason | undefined } | undefined;

  send(bytes: Uint8Array): void {
    this.sent.push(bytes.length);
  }

  sendCredit(bytes: number): void {
    this.credits.push(bytes);
  }

  close(refusal?: CloseReason): void {
    this.closed = { refusal };
  }
}

/** Two streams, each of which gets in a turn of its own what the other one sends. */
export function messagePair(): [MessageStream, MessageStream] {
  const ends: MessageStream[] = [];
  const carrierTo = (other: number): MessageCarrier => ({
    send(bytes) {
      const copy = bytes.slice();
      queueMicrotask(() => ends[other]!.onBytes(copy));
    },
    sendCredit: (bytes) => queueMicrotask(() => ends[other]!.onCredit(bytes)),
    close: () => queueMicrotask(() => ends[other]!.onEnd()),
  });
  ends.push(new MessageStream(carrierTo(1)), new MessageStream(carrierTo(0)));
  return [ends[0]!, ends[1]!];
}
