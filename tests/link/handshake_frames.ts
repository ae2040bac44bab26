import { assertEquals } from "@std/assert";
import type { ConnectionHandler } from "../../src/link/connection.ts";
import { encodeControl, type Hello } from "../../src/wire/control.ts";
import { type Frame, frame, Kind, ownFrame } from "../../src/wire/frame.ts";
import { Framer } from "../../src/wire/framer.ts";
import { MIN_MAX_FRAME_BYTES } from "../../src/wire/limits.ts";
import { PREFACE, PREFACE_BYTES } from "../../src/wire/preface.ts";
import { concat, toBytes } from "../wire/frames.ts";
import type { FakeStream } from "./fake_stream.ts";

export const hello: Hello = {
  process: "p",
  instance: "i",
  maxFrameBytes: MIN_MAX_FRAME_BYTES,
  callbacks: ["add"],
};
export const welcome = { id: 5, controller: "c", maxFrameBytes: 1 << 20, processes: [] };
export const idle: ConnectionHandler = { onFrame() {}, onClose() {} };

export function helloFrame(fields: Partial<Hello> = {}): Frame {
  return frame(Kind.Hello, { payload: encodeControl({ ...hello, ...fields }) });
}

export function welcomeFrame(): Frame {
  return frame(Kind.Welcome, { payload: encodeControl(welcome) });
}

/** What was written after the preface, as frames. */
export function sent({ written }: FakeStream): Frame[] {
  assertEquals(written.slice(0, PREFACE_BYTES), PREFACE);
  const framer = new Framer(1 << 20);
  const frames: Frame[] = [];
  const bytes = written.subarray(PREFACE_BYTES);
  framer.space().set(bytes);
  framer.advance(bytes.length, (got) => frames.push(ownFrame(got)));
  return frames;
}

export function sends(stream: FakeStream, ...frames: Frame[]): void {
  stream.feed(concat([PREFACE, ...frames.map(toBytes)]));
}
