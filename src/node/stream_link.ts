/**
 * How the producer's end of a stream sends.
 *
 * @module
 */

import { EncodeError } from "../errors.ts";
import { boundToScope } from "../internal/call_scope.ts";
import { isA } from "../internal/is_a.ts";
import type { Codec } from "../wire/codec.ts";
import { SEND_LESS } from "../wire/encoder.ts";
import type { Streamable } from "../wire/streamable.ts";
import { encodeRefusal, encodeThrown } from "../wire/error_payload.ts";
import { type Attachment, callFrame, frame, Kind } from "../wire/frame.ts";
import { HEADER_BYTES, MAX_STREAMS_PER_CALL } from "../wire/limits.ts";
import { attachedBytes } from "../wire/parts.ts";
import { isSpent } from "../wire/sources.ts";
import { NotRun } from "./checks.ts";
import { type ConsumerLink, OutStream } from "./out_stream.ts";
import type { Session } from "./session.ts";

/**
 * Makes a stream's way to its consumers.
 *
 * @param codec Turns items into payloads.
 * @param session Gives the session; nothing is sent while there is none.
 * @param fields Which stream of which call.
 * @param run Runs the source's code in the scope that it belongs to.
 */
export function consumerLink(
  codec: Codec,
  session: () => Session | undefined,
  fields: { readonly call: number; readonly stream: number },
  run: <T>(fn: () => T) => T,
): ConsumerLink {
  return {
    encode(item) {
      const payload = codec.encode(item, "item");
      checkSize(payload, session(), "the item");
      return payload;
    },
    item: (peer, payload) =>
      session()?.outbox.post(callFrame(Kind.Item, fields.call, fields.stream, peer, payload)),
    end: (peer) => session()?.outbox.post(frame(Kind.End, { ...fields, peer })),
    fail: (peer, error, unsent) => {
      const refusal = isA(error, NotRun)
        ? error.error
        : unsent && isA(error, EncodeError)
        ? error
        : undefined;
      const payload = refusal === undefined
        ? encodeThrown(codec, error)
        : encodeRefusal(codec, refusal, "yes"); // for it gave an item
      session()?.outbox.post(frame(Kind.Fail, { ...fields, peer, payload }));
    },
    abandon: (peer, reason) => {
      const payload = encodeRefusal(codec, reason);
      session()?.outbox.post(frame(Kind.Fail, { ...fields, peer, payload }));
    },
    ready: (peer) => session()?.outbox.ready(peer),
    run,
  };
}

/**
 * Makes the stream for an iterable among a call's arguments.
 *
 * @param fields Its number in which call.
 * @throws {EncodeError} when the call has too many.
 */
export function argumentStream(
  source: Streamable,
  codec: Codec,
  session: () => Session | undefined,
  fields: { readonly call: number; readonly stream: number },
): OutStream {
  if (fields.stream > MAX_STREAMS_PER_CALL) {
    throw new EncodeError(
      `Cannot send the arguments: at most ${MAX_STREAMS_PER_CALL} iterables are allowed`,
    );
  }
  if (isSpent(source)) {
    throw new EncodeError("Cannot send an iterable whose items a call has taken; make a new one");
  }
  return new OutStream(source, consumerLink(codec, session, fields, boundToScope()));
}

/** @throws {EncodeError} when a payload is larger than a frame may be. */
export function checkSize(
  payload: Uint8Array,
  session: Session | undefined,
  what: string,
  attachments?: readonly Attachment[],
): void {
  const most = (session?.maxFrameBytes ?? Infinity) - HEADER_BYTES;
  const size = payload.length + attachedBytes(attachments);
  if (size <= most) return;
  throw new EncodeError(
    `Cannot send ${what}: ${size} bytes, at most ${most} are allowed; ${SEND_LESS}`,
  );
}
