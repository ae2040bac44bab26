/**
 * Everything that turns a stranger's bytes into something, with what may come out of it.
 *
 * @module
 */

import { assert, assertEquals } from "@std/assert";
import { DaffiError, InitializationError, ProtocolError } from "../../src/errors.ts";
import { compileCron } from "../../src/scheduler/cron.ts";
import { asTaskRequest } from "../../src/scheduler/task_request.ts";
import { BadRequest, readRequest } from "../../src/transport/web_request.ts";
import { WebSocketReader } from "../../src/transport/websocket_reader.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import {
  decodeChallenge,
  decodeDirectoryChange,
  decodeHello,
  decodeNames,
  decodeProof,
  decodeRefusal,
  decodeTargets,
  decodeWelcome,
} from "../../src/wire/control.ts";
import { decodeFailure } from "../../src/wire/error_payload.ts";
import type { Frame } from "../../src/wire/frame.ts";
import { Framer } from "../../src/wire/framer.ts";
import { toBytes } from "../wire/frames.ts";

const codec = new MessagePackCodec();

type ErrorClass = abstract new (...args: never[]) => Error;

/** What a decoder gives, or its error if it is one of those that it may throw. */
function outcome<T>(decode: () => T, ...allowed: ErrorClass[]): T | Error {
  try {
    return decode();
  } catch (error) {
    if (allowed.some((Class) => error instanceof Class)) return error as Error;
    throw error;
  } finally {
    assertEquals(Object.keys(Object.prototype), []);
  }
}

const control = (decode: (bytes: Uint8Array) => unknown) => (bytes: Uint8Array): void => {
  outcome(() => decode(bytes), ProtocolError);
};

/** The decoders by name. Each throws when the bytes do what they must not. */
export const DECODERS: ReadonlyMap<string, (bytes: Uint8Array) => void | Promise<void>> = new Map([
  ["MessagePackCodec.decode()", decodeValue],
  ["decodeHello()", control(decodeHello)],
  ["decodeWelcome()", control(decodeWelcome)],
  ["decodeChallenge()", control(decodeChallenge)],
  ["decodeProof()", control(decodeProof)],
  ["decodeRefusal()", control(decodeRefusal)],
  ["decodeNames()", control(decodeNames)],
  ["decodeTargets()", control(decodeTargets)],
  ["decodeDirectoryChange()", control(decodeDirectoryChange)],
  ["decodeFailure()", failure],
  ["asTaskRequest()", taskRequest],
  ["Framer", framer],
  ["WebSocketReader", webSocketReader],
  ["readRequest()", request],
]);

function decodeValue(bytes: Uint8Array): void {
  const value = outcome(() => codec.decode(bytes), ProtocolError);
  // What was decoded can travel on, or it could not have been a value.
  if (!(value instanceof ProtocolError)) codec.encode(value, "args");
  assertEquals(codec.decode(codec.encode(["ok"], "args")), ["ok"]);
}

function failure(bytes: Uint8Array): void {
  const call = { processName: "p", callbackName: "f", callId: 1 };
  const error = outcome(() => decodeFailure(codec, bytes, call), ProtocolError);
  assert(error instanceof DaffiError);
  assert(["never", "maybe", "yes", undefined].includes(error.executed));
}

function taskRequest(bytes: Uint8Array): void {
  outcome(
    () => asTaskRequest((codec.decode(bytes) as unknown[])?.[0], compileCron),
    ProtocolError,
    InitializationError,
  );
}

const MAX_FRAME_BYTES = 100_000;

/** Most that a framer may keep: its buffer at its largest, and one frame that is under way. */
const MAX_KEPT_BYTES = 256 * 1024 + MAX_FRAME_BYTES;

/** However the bytes are cut, the same frames come out, and then the same refusal or none. */
function framer(bytes: Uint8Array): void {
  const whole = feed(bytes, () => bytes.length);
  assertEquals(feed(bytes, () => 1), whole);
  assertEquals(feed(bytes, (at) => 1 + bytes[at]! % 30), whole);
}

function feed(bytes: Uint8Array, sizeAt: (at: number) => number): [Uint8Array[], boolean] {
  const framer = new Framer(MAX_FRAME_BYTES);
  const frames: Uint8Array[] = [];
  const keep = (frame: Frame) => void frames.push(toBytes(frame));
  const feedAll = () => {
    for (let at = 0; at < bytes.length;) {
      const space = framer.space();
      assert(space.length > 0 && space.buffer.byteLength <= MAX_KEPT_BYTES);
      const count = Math.min(sizeAt(at), space.length, bytes.length - at);
      space.set(bytes.subarray(at, at += count));
      framer.advance(count, keep);
      assert(framer.bufferedBytes <= MAX_KEPT_BYTES);
    }
    return false;
  };
  return [frames, outcome(feedAll, ProtocolError) !== false];
}

/** However the bytes are cut, the same is heard, and no more than has come. */
function webSocketReader(bytes: Uint8Array): void {
  const whole = hear(bytes, () => bytes.length);
  assertEquals(hear(bytes, () => 1), whole);
  assertEquals(hear(bytes, (at) => 1 + bytes[at]! % 30), whole);
  assert(whole.messages.length <= bytes.length);
}

function hear(bytes: Uint8Array, sizeAt: (at: number) => number) {
  const messages: number[] = [];
  const heard: unknown[] = [];
  const reader = new WebSocketReader({
    onBytes: (bytes) => void messages.push(...bytes),
    onText: (text) => heard.push(text),
    onPing: (payload) => heard.push(payload),
    onClose: (...goodbye) => heard.push(goodbye),
    onOffence: (...offence) => heard.push(offence),
  });
  for (let at = 0; at < bytes.length;) {
    const end = at + sizeAt(at);
    reader.push(bytes.subarray(at, end));
    at = end;
  }
  return { messages, heard };
}

/** What can be said of a request is known when its head is there, however it was cut. */
async function request(bytes: Uint8Array): Promise<void> {
  const whole = await requestIn(bytes, () => bytes.length);
  assertEquals(await requestIn(bytes, (at) => 1 + bytes[at]! % 30), whole);
}

async function requestIn(bytes: Uint8Array, sizeAt: (at: number) => number): Promise<unknown> {
  let at = 0;
  const stream = {
    read(into: Uint8Array) {
      if (at === bytes.length) return Promise.resolve(null);
      const piece = bytes.subarray(at, at + Math.min(sizeAt(at), into.length));
      into.set(piece);
      at += piece.length;
      return Promise.resolve(piece.length);
    },
    write: () => Promise.reject(new Error("nothing is written")),
    close() {},
  };
  try {
    const { request: { method, url, headers } } = await readRequest(stream);
    assert(/^http:\/\/[^/]+\//.test(url), url);
    return [method, url, [...headers]];
  } catch (error) {
    assert(
      error instanceof BadRequest || /ended within/.test((error as Error).message),
      `${error}`,
    );
    return (error as Error).message;
  }
}
