import { assert, assertEquals } from "@std/assert";
import { Controller } from "../../src/controller/controller.ts";
import { Connection } from "../../src/link/connection.ts";
import { memoryPipe } from "../../src/transport/memory.ts";
import { decodeNames, decodeRefusal, encodeControl } from "../../src/wire/control.ts";
import { type Frame, frame, Kind, ownFrame, Undelivered } from "../../src/wire/frame.ts";
import {
  DEFAULT_MAX_FRAME_BYTES,
  MAX_CALLBACKS_PER_NODE,
  MAX_DIRECTORY_BYTES,
  MAX_HANDSHAKES,
  MAX_NAME_BYTES,
  MAX_UNREAD_WELCOME_BYTES,
} from "../../src/wire/limits.ts";
import { RecordingLogger } from "../helpers/recording_logger.ts";
import type { ByteStream, Listening } from "../../src/transport/transport.ts";
import { settled, soon, until } from "../helpers/soon.ts";
import { concat, toBytes } from "../wire/frames.ts";
import { PREFACE } from "../../src/wire/preface.ts";

function controller(logger = new RecordingLogger()): Controller {
  const options = { maxFrameBytes: DEFAULT_MAX_FRAME_BYTES, logger };
  const ignored = () => {};
  return new Controller({ ...options, watch: ignored, onJoin: ignored, onLeave: ignored });
}

/** Asks to join; gives the answer's kind, or its code if it is a refusal. */
async function join(
  to: Controller,
  process: string,
  callbacks: readonly string[],
): Promise<[answer: number | string, connection: Connection]> {
  const [here, there] = memoryPipe();
  const answer = Promise.withResolvers<number | string>();
  const connection = new Connection(here, 2 * MAX_DIRECTORY_BYTES, {
    onFrame: ({ kind, payload }) =>
      answer.resolve(kind === Kind.Refused ? decodeRefusal(payload).code : kind),
    onClose: () => answer.resolve("closed"),
  });
  to.takeOwn(there);
  const hello = { process, instance: process, maxFrameBytes: 1 << 20, callbacks };
  connection.send(frame(Kind.Hello, { payload: encodeControl(hello) }));
  return [await soon(answer.promise, 20_000), connection];
}

/** An address at which these connections of strangers have come. */
function arriving(streams: ByteStream[]): Listening {
  const accept = () => Promise.resolve(streams.shift() ?? null);
  return { listen: () => Promise.resolve({ address: {}, accept, close() {} }) };
}

Deno.test("Controller refuses nodes while the directory is full", async () => {
  const to = controller();
  const joined: Connection[] = [];
  let answer: number | string = Kind.Welcome;
  while (answer === Kind.Welcome) {
    const name = (i: number) => `${joined.length} ${i} `.padEnd(MAX_NAME_BYTES, "x");
    const callbacks = Array.from({ length: MAX_CALLBACKS_PER_NODE }, (_, i) => name(i));
    const [got, connection] = await join(to, `p${joined.length}`, callbacks);
    answer = got;
    joined.push(connection);
    assert(joined.length < 50, "the directory grows and grows");
  }
  assertEquals([answer, to.counts.lost], ["OVERLOADED", 0]);
  const [small, last] = await join(to, "small", ["f"]);
  assertEquals(small, Kind.Welcome);
  for (const connection of [...joined, last]) connection.close();
  await until(() => to.counts.lost === joined.length);
  assertEquals(to.counts.refused, 1);
  await to.stop();
});

Deno.test("Controller sends an OFFER back for which the directory has no room, and goes on", async () => {
  const logger = new RecordingLogger();
  const to = controller(logger);
  const joined: Connection[] = [];
  const names = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, i) => `${prefix} ${i} `.padEnd(MAX_NAME_BYTES, "x"));
  const [, own] = await join(to, "own", ["f"]);
  for (let i = 0; i < MAX_DIRECTORY_BYTES / MAX_CALLBACKS_PER_NODE / MAX_NAME_BYTES - 1; i++) {
    joined.push((await join(to, `p${i}`, names(String(i), MAX_CALLBACKS_PER_NODE)))[1]);
  }
  const told: Frame[] = [];
  const pongs = Promise.withResolvers<void>();
  own.handler = {
    onFrame: (frame) => frame.kind === Kind.Pong ? pongs.resolve() : told.push(ownFrame(frame)),
    onClose: pongs.reject,
  };
  const offer = (payload: Uint8Array) => own.send(frame(Kind.Offer, { payload }));
  const tooMany = encodeControl(names("more", 4_000));
  offer(tooMany);
  offer(encodeControl(["g"]));
  own.send(frame(Kind.Ping));
  await soon(pongs.promise);
  assertEquals(told.map(({ kind }) => kind), [Kind.Undelivered, Kind.Directory]);
  const { call, value, payload } = told[0]!;
  assertEquals([call, value], [0, Undelivered.Overloaded]);
  assertEquals(decodeNames(payload), decodeNames(tooMany));
  assertEquals(logger.lines.length, 1);
  assert(logger.has('process "own" cannot offer more: The directory would have 17799991 bytes'));
  for (const connection of [...joined, own]) connection.close();
  await to.stop();
});

Deno.test("Controller lets nobody join while too much of who is there is unread", async () => {
  const to = controller();
  const offer = (process: string) =>
    Array.from(
      { length: MAX_CALLBACKS_PER_NODE },
      (_, i) => `${process} ${i} `.padEnd(MAX_NAME_BYTES, "x"),
    );
  const members = [];
  for (let i = 0; i < 8; i++) members.push((await join(to, `p${i}`, offer(`p${i}`)))[1]);
  // These write, and never read.
  const deaf: ByteStream[] = [];
  for (let i = 0; i < MAX_UNREAD_WELCOME_BYTES / (8 * 2 ** 20) + 1; i++) {
    const [here, there] = memoryPipe();
    to.takeOwn(there);
    const hello = { process: `deaf${i}`, instance: "i", maxFrameBytes: 1 << 20, callbacks: [] };
    const bytes = concat([PREFACE, toBytes(frame(Kind.Hello, { payload: encodeControl(hello) }))]);
    for (let at = 0; at < bytes.length;) at += await here.write(bytes.subarray(at));
    deaf.push(here);
    await settled();
  }
  const [refusal] = await join(to, "one too many", []);
  assertEquals(refusal, "OVERLOADED");
  for (const stream of deaf) stream.close();
  await settled();
  const [answer, last] = await join(to, "in time", []);
  assertEquals(answer, Kind.Welcome);
  for (const connection of [...members, last]) connection.close();
  await to.stop();
});

Deno.test("Controller turns connections away while so many are in the handshake", async () => {
  const to = controller();
  const pipes = Array.from({ length: MAX_HANDSHAKES }, () => memoryPipe());
  const strangers = pipes.map(([, there]) => there);
  await to.listen(arriving(strangers));
  await until(() => strangers.length === 0);
  assertEquals(to.counts.refused, 0);
  const [answer] = await join(to, "one too many", []);
  assertEquals([answer, to.counts.refused], ["closed", 1]);
  pipes[0]![0].close();
  await until(() => to.counts.refused === 2);
  const [welcome, connection] = await join(to, "in time", []);
  assertEquals(welcome, Kind.Welcome);
  connection.close();
  for (const [here] of pipes) here.close();
  await until(() => to.counts.refused === MAX_HANDSHAKES + 1);
  await to.stop();
});

Deno.test("Controller reads from a node for which much waits, as long as it makes that no more", async () => {
  const to = controller();
  let received = 0;
  const members = new Map<string, { stream: ByteStream; send: (bytes: Uint8Array) => void }>();
  const enter = async (name: string) => {
    const [stream, there] = memoryPipe();
    to.takeOwn(there);
    const hello = {
      process: name,
      instance: name,
      maxFrameBytes: DEFAULT_MAX_FRAME_BYTES,
      callbacks: [],
    };
    const payload = encodeControl(hello);
    await write(stream, concat([PREFACE, toBytes(frame(Kind.Hello, { payload }))]));
    members.set(name, { stream, send: (bytes) => void write(stream, bytes) });
  };
  await enter("slow"); // 1, which never reads
  await enter("other"); // 2
  const { stream: slow } = members.get("slow")!;
  const { stream: other } = members.get("other")!;
  (async () => {
    const into = new Uint8Array(65_536);
    for (let n = await other.read(into); n !== null; n = await other.read(into)) received += n;
  })().catch(() => {});
  await until(() => received > 0);
  const large = new Uint8Array(32 * 1024 * 1024);
  for (let i = 0; i < 2; i++) {
    await write(other, toBytes(frame(Kind.Call, { peer: 1, call: i + 1, payload: large })));
  }
  await until(() => to.counts.forwarded === 2);
  for (let i = 1; i <= 5; i++) {
    await soon(write(slow, toBytes(frame(Kind.Result, { peer: 2, call: i }))));
    await until(() => to.counts.forwarded === 2 + i);
  }
  for (const { stream } of members.values()) stream.close();
  await to.stop();
});

async function write(stream: ByteStream, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await stream.write(bytes.subarray(at));
}
