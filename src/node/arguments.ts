/**
 * The arguments of a call that came in, and the streams among them.
 *
 * @module
 */

import { type DaffiError, ProtocolError } from "../errors.ts";
import type { Codec, StreamOpener } from "../wire/codec.ts";
import { decodeFailure } from "../wire/error_payload.ts";
import { type Frame, frame, Kind } from "../wire/frame.ts";
import { MAX_STREAMS_PER_CALL } from "../wire/limits.ts";
import { InStream } from "./in_stream.ts";
import type { RunningCall } from "./running_call.ts";
import type { Session } from "./session.ts";

/**
 * Decodes the arguments of a call, and gives it its streams, from a frame that has the encoded list.
 *
 * @throws {ProtocolError} when it is none.
 */
export type DecodeArguments = (call: RunningCall, incoming: Frame) => unknown[];

/**
 * Makes what decodes the arguments of calls.
 *
 * @param codec Turns payloads into values.
 * @param session Gives the session on which streams ask for items.
 */
export function argumentDecoder(
  codec: Codec,
  session: () => Session | undefined,
): DecodeArguments {
  /** Whose they are; so that no call needs a function of its own for streams, which most do not have. */
  let call: RunningCall | undefined;
  const addStream: StreamOpener = (stream) => {
    const { callId, source, argumentStreams, lost } = call!;
    if (stream === 0 || stream > MAX_STREAMS_PER_CALL || argumentStreams?.has(stream)) {
      throw new ProtocolError(`A call cannot have a stream ${stream}, or not twice`);
    }
    const fields = { call: callId, peer: source.id, stream };
    const incoming = new InStream({
      credit: (value) => session()?.connection.send(frame(Kind.Credit, { ...fields, value })),
      stop: () => session()?.connection.send(frame(Kind.Stop, fields)),
      over: () => {},
    });
    if (lost !== undefined) incoming.fail(lost); // while the call has waited
    (call!.argumentStreams ??= new Map()).set(stream, incoming);
    return incoming;
  };
  return (running, incoming) => {
    call = running;
    try {
      // Nobody sends items to what is not called, but due.
      return asArguments(codec.decodePayload(incoming, call.isTask ? undefined : addStream));
    } finally {
      call = undefined;
    }
  };
}

/**
 * What was decoded, if it can be the arguments of a call.
 *
 * @throws {ProtocolError} when it is no list.
 */
export function asArguments(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new ProtocolError("The payload of a call must be the list of its arguments");
}

/**
 * Takes a frame about a stream among a call's arguments.
 *
 * @param problem Why the payload is not there.
 */
export function onArgumentFrame(
  codec: Codec,
  call: RunningCall,
  incoming: Frame,
  problem?: DaffiError,
): void {
  const { kind } = incoming;
  const stream = call.argumentStreams?.get(incoming.stream);
  if (stream === undefined) return;
  try {
    if (problem !== undefined) throw problem;
    if (kind === Kind.Item) stream.accept(codec, incoming);
    else if (kind === Kind.End) stream.finish();
    else stream.fail(decodeFailure(codec, incoming.payload, { processName: call.caller }));
  } catch (error) {
    stream.fail(error); // what cannot be decoded is the callback's to see, and nobody else's
  }
}

/** Why a call is given up of which a stream began before it could be asked for. */
export function tooEarly(): ProtocolError {
  const message = "A stream among the arguments of a call began before it had credit";
  return new ProtocolError(message, { executed: "never" });
}
