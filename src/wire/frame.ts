/**
 * What travels on a connection: the kinds of frame and their fields (`docs/protocol.md`, section 3).
 *
 * @module
 */

/** What a frame is. */
export const Kind = {
  Hello: 0x01,
  Welcome: 0x02,
  Refused: 0x03,
  Challenge: 0x04,
  Proof: 0x05,
  Offer: 0x06,
  Withdraw: 0x07,
  Directory: 0x08,
  Leave: 0x09,
  Shutdown: 0x0a,
  Ping: 0x0b,
  Pong: 0x0c,
  Pause: 0x0d,
  Resume: 0x0e,
  Call: 0x10,
  Broadcast: 0x11,
  Targets: 0x12,
  Result: 0x13,
  Error: 0x14,
  Cancel: 0x15,
  Undelivered: 0x16,
  Part: 0x17,
  Stream: 0x18,
  Item: 0x19,
  End: 0x1a,
  Fail: 0x1b,
  Credit: 0x1c,
  Stop: 0x1d,
  Task: 0x20,
  TaskFailed: 0x21,
  Transfer: 0x22,
} as const;

/** One of {@linkcode Kind}. */
export type Kind = typeof Kind[keyof typeof Kind];

/** By number, for every frame is looked at. */
const IS_KIND: readonly boolean[] = Array.from(
  { length: 0x23 },
  (_, byte) => ![0x00, 0x0f, 0x1e, 0x1f].includes(byte),
);

/** Tells whether a byte is a kind of this version. */
export function isKind(byte: number): byte is Kind {
  return IS_KIND[byte] === true;
}

/** Bits of `flags`. */
export const Flag = { NoReply: 1, Each: 2, InParts: 4 } as const;

/** Every bit that this version knows. */
export const KNOWN_FLAGS: number = Flag.NoReply | Flag.Each | Flag.InParts;

/** Why the caller gets `UNDELIVERED`. */
export const Undelivered = {
  UnknownProcess: 1,
  Overloaded: 2,
  TooLarge: 3,
  AnswerTooLarge: 4,
  Denied: 5,
} as const;

/** Many bytes that belong into a payload and are kept apart from its other bytes. */
export interface Attachment {
  /** Where they belong: behind so many of the other bytes. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** Header and body. */
export interface Frame {
  kind: Kind;
  flags: number;
  /** Number of a stream within the call, or 0. */
  stream: number;
  /** Call id, or 0. */
  call: number;
  /** Towards the controller the target's id; from the controller the source's. */
  peer: number;
  /** Id of a callback's name, or 0. */
  name: number;
  /** A number that depends on the kind. */
  value: number;
  readonly payload: Uint8Array;
  /** What is kept apart of the payload, in order; never on a connection. */
  readonly attachments: readonly Attachment[] | undefined;
}

/** The payload of a frame that has none. */
export const EMPTY: Uint8Array = new Uint8Array(0);

/**
 * A frame that was received, in the memory that it was read into. A view of its payload is made only
 * for whoever asks for it: it costs more than passing a small frame on.
 */
export class ReceivedFrame implements Frame {
  kind: Kind = Kind.Ping;
  flags = 0;
  stream = 0;
  call = 0;
  peer = 0;
  name = 0;
  value = 0;
  /** Received attachments are put together elsewhere. */
  readonly attachments: undefined = undefined;
  /** Where the payload is. */
  memory: Uint8Array = EMPTY;
  /** Where it begins there. */
  from = 0;
  /** Where it ends. */
  to = 0;

  get payload(): Uint8Array {
    return this.from === this.to ? EMPTY : this.memory.subarray(this.from, this.to);
  }
}

/** Size of a frame's payload, without looking at it. */
export function payloadSize(frame: Frame): number {
  return frame instanceof ReceivedFrame ? frame.to - frame.from : frame.payload.length;
}

/** Makes a frame from the fields that matter. */
export function frame(kind: Kind, fields: Partial<Omit<Frame, "kind">> = {}): Frame {
  const { flags = 0, stream = 0, call = 0, peer = 0, name = 0, value = 0, payload = EMPTY } =
    fields;
  const { attachments } = fields;
  return { kind, flags, stream, call, peer, name, value, payload, attachments };
}

/** The same for what belongs to a call, without an object of fields: a small call has little other garbage. */
export function callFrame(
  kind: Kind,
  call: number,
  stream: number,
  peer: number,
  payload: Uint8Array,
  attachments?: readonly Attachment[],
): Frame {
  return { kind, flags: 0, stream, call, peer, name: 0, value: 0, payload, attachments };
}

/** A copy in memory of its own: a frame that was received is valid only while it is delivered. */
export function ownFrame(received: Frame): Frame {
  const { kind, flags, stream, call, peer, name, value, payload, attachments } = received;
  const own = payload.length === 0 ? EMPTY : payload.slice();
  return { kind, flags, stream, call, peer, name, value, payload: own, attachments };
}
