/**
 * What a peer could say: frames of every kind with fields that could mean something, as bytes.
 *
 * @module
 */

import fc from "fast-check";
import { encode } from "@msgpack/msgpack";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { EMPTY, Flag, type Frame, frame, Kind } from "../../src/wire/frame.ts";
import { concat, toBytes } from "../wire/frames.ts";
import { anyValue } from "../wire/helpers.ts";
import { mutated } from "./mutated.ts";

const codec = new MessagePackCodec();
const encoded = (value: unknown) => codec.encode(value, "args").slice();

/** Any user payload. */
export const userPayload: fc.Arbitrary<Uint8Array> = anyValue.map(encoded);

const uuid = "0f0f0f0f-0000-4000-8000-000000000001";
const spec = {
  callbackName: "add",
  args: Uint8Array.of(0x92, 1, 2),
  trigger: { type: "interval", everyMs: 5 },
  overlap: "allow",
  catchUpMs: 1_000,
  maxRuns: 3,
};

/** What can be asked of a scheduler. */
export const taskRequests: readonly unknown[] = [
  { op: "create", spec },
  { op: "create", spec: { ...spec, uuid, trigger: { type: "atTime", timesMs: [8e15, 9] } } },
  {
    op: "create",
    spec: { ...spec, trigger: { type: "cron", expression: "*/5 * * * * *", timezone: "UTC" } },
  },
  { op: "list" },
  { op: "describe" },
  ...["cancel", "pause", "resume", "run"].map((op) => ({ op, uuid })),
];

/** Payloads of `ERROR` and `FAIL`. */
export const failures: readonly unknown[] = [
  { code: "REMOTE_CALL", message: "m", executed: "yes", error: new RangeError("r") },
  { code: "REMOTE_CALL", message: "m", executed: "yes", error: { toJSON: 1, message: 2 } },
  { code: "VALIDATION", message: "m", executed: "never", issues: [{ message: "m", path: ["a"] }] },
  ...["CALLBACK_NOT_FOUND", "OVERLOADED", "CALL_TIMEOUT", "TASK", "constructor"].map(
    (code) => ({ code, message: "m", executed: "never" }),
  ),
];

/** Payloads of `OFFER`, `WITHDRAW` and `TARGETS`. */
const lists: readonly Uint8Array[] = [["add"], ["three", "wait"], [], [1], [1, 2, 3, 300]]
  .map((list) => encode(list));

/** Payloads of `DIRECTORY`: they fit to some of the others, and contradict some. */
const changes: readonly Uint8Array[] = [
  { type: "join", process: [7, "seven", [[3, "three"], [1, "add"]]] },
  { type: "join", process: [7, "eight", []] },
  { type: "join", process: [8, "seven", [[1, "add"]]] },
  { type: "join", process: [1, "far", [[1, "add"]]] },
  ...[1, 2, 7].flatMap((id) => [
    { type: "leave", id, graceful: false },
    { type: "offer", id, callbacks: [[3, "three"], [1, "wait"]] },
    { type: "withdraw", id, callbacks: [1, 3] },
  ]),
].map((change) => encode(change));

/** Arguments that mean something to the callbacks of the fuzzed processes. */
const calls: readonly Uint8Array[] = [
  encoded([1, 2]),
  encoded([]),
  Uint8Array.of(0x91, 0xd5, 9, 0, 1), // stream 1
  Uint8Array.of(0x93, 0xd5, 9, 0, 1, 0xd5, 9, 0, 2, 0xd5, 9, 0, 1),
  new Uint8Array(200).fill(0x91),
];

const argumentLists = fc.constantFrom(...calls);
const values = fc.oneof(argumentLists, userPayload);
const failurePayloads = fc.constantFrom(...failures.map(encoded));
const listPayloads = fc.constantFrom(...lists);

/** What frames of a kind carry, if they carry anything. */
const FITTING: ReadonlyMap<Kind, fc.Arbitrary<Uint8Array>> = new Map<Kind, typeof values>([
  [Kind.Offer, listPayloads],
  [Kind.Withdraw, listPayloads],
  [Kind.Targets, listPayloads],
  [Kind.Directory, fc.constantFrom(...changes)],
  [Kind.Call, argumentLists],
  [Kind.Broadcast, argumentLists],
  [Kind.Result, values],
  [Kind.Item, values],
  [Kind.Error, failurePayloads],
  [Kind.Fail, failurePayloads],
  [Kind.Task, fc.constantFrom(...taskRequests.map((request) => encoded([request])))],
  [Kind.TaskFailed, fc.constant(encoded({ uuid, callbackName: "add", message: "m" }))],
]);

const anyPayload: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.constant(EMPTY),
  ...FITTING.values(),
  fc.uint8Array({ maxLength: 60 }),
);

const smallOrAny = (max: number, limit: number) =>
  fc.oneof(
    { arbitrary: fc.integer({ min: 0, max }), weight: 8 },
    fc.constantFrom(255, 256, 65_535, limit - 1, limit).filter((value) => value <= limit),
  );

/** What announces a payload in parts: its size, and places of attachments in it. */
const announcements: fc.Arbitrary<Uint8Array> = fc.tuple(
  fc.oneof(fc.nat({ max: 12 }), fc.constantFrom(100_000, 0x3ffffff, 0xffffffff)),
  fc.array(fc.oneof(fc.nat({ max: 9 }), fc.constant(0xffffffff)), { maxLength: 4 }),
).map(([size, places]) => {
  const view = new DataView(new ArrayBuffer(4 + (places.length & ~1) * 4));
  [size, ...places].slice(0, view.byteLength / 4).forEach((n, i) => view.setUint32(i * 4, n));
  return new Uint8Array(view.buffer);
});

/** Frames whose payload comes in parts, and parts. */
const inParts: fc.Arbitrary<Frame> = fc.record({
  kind: fc.constantFrom(
    Kind.Call,
    Kind.Result,
    Kind.Item,
    Kind.Fail,
    Kind.Part,
    Kind.Part,
    Kind.Part,
  ),
  call: fc.integer({ min: 1, max: 3 }),
  peer: fc.integer({ min: 1, max: 3 }),
  name: fc.integer({ min: 1, max: 2 }),
  stream: fc.nat({ max: 1 }),
  announcement: announcements,
  part: fc.oneof(argumentLists, fc.uint8Array({ maxLength: 6 })),
}).map(({ kind, announcement, part, ...fields }) =>
  kind === Kind.Part
    ? frame(kind, { ...fields, payload: part })
    : frame(kind, { ...fields, flags: Flag.InParts, payload: announcement })
);

/** A frame of any kind that is as it comes, with fields that fit to others. */
const wholeFrame: fc.Arbitrary<Frame> = fc.constantFrom(...Object.values(Kind)).chain((kind) =>
  fc.record({
    kind: fc.constant(kind),
    payload: fc.oneof(
      { arbitrary: FITTING.get(kind) ?? fc.constant(EMPTY), weight: 4 },
      { arbitrary: anyPayload, weight: 1 },
    ),
    flags: fc.constantFrom(0, 0, 0, 1, 2, 3, 4),
    stream: fc.oneof({ arbitrary: fc.integer({ min: 0, max: 2 }), weight: 8 }, fc.constant(65_535)),
    call: smallOrAny(8, 0x7fffffff),
    peer: smallOrAny(4, 0xffffffff),
    name: smallOrAny(4, 0xffffffff),
    value: fc.oneof(fc.constantFrom(0, 1, 5, 256, 1_000_000, 0xffffffff), fc.nat({ max: 300 })),
  }).map(({ kind, ...fields }) => frame(kind, fields))
);

/** A frame of any kind whose fields fit to others. */
export const anyFrame: fc.Arbitrary<Frame> = fc.oneof(
  { arbitrary: wholeFrame, weight: 5 },
  { arbitrary: inParts, weight: 1 },
);

/** Frames one after the other, as they are and with bytes changed. */
export function conversation(
  frames: fc.Arbitrary<Frame> = anyFrame,
  maxLength = 12,
): fc.Arbitrary<Uint8Array> {
  const bytes = fc.array(frames, { minLength: 1, maxLength })
    .map((list) => concat(list.map(toBytes)));
  return fc.oneof({ arbitrary: bytes, weight: 3 }, { arbitrary: mutated(bytes), weight: 2 });
}
