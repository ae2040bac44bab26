import { assertEquals, assertInstanceOf, assertRejects, assertStrictEquals } from "@std/assert";
import { ConnectionError, ProtocolError } from "../../src/errors.ts";
import type { Connection } from "../../src/link/connection.ts";
import { acceptNode, Refused } from "../../src/link/accept_node.ts";
import { SpareBuffers } from "../../src/link/spare_buffers.ts";
import { decodeRefusal } from "../../src/wire/control.ts";
import { type Frame, frame, Kind } from "../../src/wire/frame.ts";
import {
  HANDSHAKE_TIMEOUT_MS,
  HEADER_BYTES,
  MAX_CONTROL_BYTES,
  MIN_MAX_FRAME_BYTES,
} from "../../src/wire/limits.ts";
import { PREFACE } from "../../src/wire/preface.ts";
import { FakeTime } from "../helpers/fake_time.ts";
import { toBytes } from "../wire/frames.ts";
import { FakeStream, turn } from "./fake_stream.ts";
import { hello, helloFrame, idle, sends, sent, welcomeFrame } from "./handshake_frames.ts";

Deno.test("acceptNode() admits by HELLO, and gives what comes right behind it to the handler", async () => {
  const stream = new FakeStream();
  const kinds: number[] = [];
  let admitted: Connection | undefined;
  sends(stream, helloFrame(), frame(Kind.Offer));
  const connection = await acceptNode(stream, 1 << 20, (got, connection) => {
    assertEquals(got, hello);
    admitted = connection;
    connection.send(welcomeFrame());
    return { onFrame: ({ kind }) => kinds.push(kind), onClose() {} };
  });
  await turn();
  assertStrictEquals(connection, admitted);
  assertEquals(kinds, [Kind.Offer]);
  assertEquals(sent(stream).map(({ kind }) => kind), [Kind.Welcome]);
  connection.close();
});

for (const code of ["DUPLICATE_PROCESS", "OVERLOADED", "PROTOCOL", "AUTHENTICATION"] as const) {
  Deno.test(`acceptNode() sends REFUSED ${code}, waits for the node to close, and rejects`, async () => {
    const stream = new FakeStream();
    const reason = new Refused(code, "own words");
    sends(stream, helloFrame(), frame(Kind.Ping));
    const accepting = acceptNode(stream, 1 << 20, () => {
      throw reason;
    });
    const rejects = assertRejects(() => accepting);
    await turn();
    assertEquals(stream.closes, 0);
    const [answer, ...more] = sent(stream);
    assertEquals([answer?.kind, more.length], [Kind.Refused, 0]);
    assertEquals(decodeRefusal(answer!.payload), { code, message: "own words" });
    stream.feed(null);
    assertStrictEquals(await rejects, reason);
    assertEquals(stream.closes, 1);
  });
}

Deno.test("acceptNode() cuts off a refused node that does not close", async () => {
  using time = new FakeTime();
  const stream = new FakeStream();
  const reason = new Refused("DUPLICATE_PROCESS", "taken");
  sends(stream, helloFrame());
  const accepting = acceptNode(stream, 1 << 20, () => {
    throw reason;
  });
  const rejects = assertRejects(() => accepting);
  await time.tickAsync(HANDSHAKE_TIMEOUT_MS);
  assertStrictEquals(await rejects, reason);
  assertEquals([stream.closes, time.pending], [1, 0]);
});

const badHellos: [what: string, first: Frame][] = [
  ["is empty", frame(Kind.Hello)],
  ["has an empty name", helloFrame({ process: "" })],
  ["has a name that is too long", helloFrame({ process: "p".repeat(257) })],
  ["allows frames that are too small", helloFrame({ maxFrameBytes: MIN_MAX_FRAME_BYTES - 1 })],
];

for (const [what, first] of badHellos) {
  Deno.test(`acceptNode() refuses by PROTOCOL when HELLO ${what}, and asks nobody`, async () => {
    const stream = new FakeStream();
    sends(stream, first);
    const accepting = acceptNode(stream, 1 << 20, () => {
      throw new Error("asked");
    });
    const rejects = assertRejects(() => accepting, ProtocolError);
    await turn();
    assertEquals(decodeRefusal(sent(stream)[0]!.payload).code, "PROTOCOL");
    stream.feed(null);
    await rejects;
  });
}

for (const first of [frame(Kind.Ping), frame(Kind.Offer), frame(Kind.Call), welcomeFrame()]) {
  Deno.test(`acceptNode() closes when the first frame is of kind ${first.kind}`, async () => {
    const stream = new FakeStream();
    sends(stream, first, helloFrame());
    await assertRejects(() => acceptNode(stream, 1 << 20, () => idle), ProtocolError);
    assertEquals(stream.closes, 1);
  });
}

Deno.test("acceptNode() closes by the length of a HELLO above MAX_CONTROL_BYTES", async () => {
  const stream = new FakeStream();
  const header = toBytes(frame(Kind.Hello)).subarray(0, 4);
  new DataView(header.buffer).setUint32(0, MAX_CONTROL_BYTES - 3);
  stream.feed(PREFACE, header);
  await assertRejects(() => acceptNode(stream, 64 << 20, () => idle), ProtocolError);
});

Deno.test("acceptNode() takes frames above MAX_CONTROL_BYTES once the node has joined", async () => {
  const stream = new FakeStream();
  const seen: unknown[] = [];
  const large = frame(Kind.Call, { call: 1, payload: new Uint8Array(MAX_CONTROL_BYTES) });
  sends(stream, helloFrame(), large);
  stream.feed(null);
  const connection = await acceptNode(stream, MAX_CONTROL_BYTES + HEADER_BYTES, () => ({
    onFrame: ({ payload }) => seen.push(payload.length),
    onClose: (error) => seen.push(error),
  }));
  await connection.over;
  assertEquals(seen, [MAX_CONTROL_BYTES, undefined]);
});

Deno.test("acceptNode() closes with what admit() throws when that is no refusal", async () => {
  const stream = new FakeStream();
  sends(stream, helloFrame());
  const accepting = acceptNode(stream, 1 << 20, () => {
    throw new RangeError("a defect");
  });
  assertInstanceOf(await assertRejects(() => accepting), RangeError);
  assertEquals([stream.closes, sent(stream).length], [1, 0]);
});

Deno.test("acceptNode() rejects when the node ends first, or is something else", async () => {
  const ends: [bytes: Uint8Array[], Class: new (message: string) => Error][] = [
    [[], ConnectionError],
    [[PREFACE], ProtocolError],
    [[PREFACE, toBytes(helloFrame()).subarray(0, 30)], ConnectionError],
    [[new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")], ProtocolError],
  ];
  for (const [bytes, Class] of ends) {
    const stream = new FakeStream();
    stream.feed(...bytes, null);
    await assertRejects(() => acceptNode(stream, 1 << 20, () => idle), Class);
    assertEquals(stream.closes, 1);
  }
});

for (const handshakeTimeoutMs of [undefined, 2 * HANDSHAKE_TIMEOUT_MS]) {
  const time = handshakeTimeoutMs === undefined ? "five seconds" : "the time of its stream";
  Deno.test(`acceptNode() gives a silent node ${time}`, async () => {
    using time = new FakeTime();
    const stream = new FakeStream();
    if (handshakeTimeoutMs !== undefined) Object.assign(stream, { handshakeTimeoutMs });
    stream.feed(PREFACE);
    const rejects = assertRejects(() => acceptNode(stream, 1 << 20, () => idle), ConnectionError);
    await time.tickAsync((handshakeTimeoutMs ?? HANDSHAKE_TIMEOUT_MS) - 1);
    assertEquals(stream.closes, 0);
    await time.tickAsync(1);
    await rejects;
    assertEquals([stream.closes, time.pending], [1, 0]);
  });
}

Deno.test("acceptNode() fills the buffers that it is given", async () => {
  const stream = new FakeStream();
  let taken = 0;
  const buffers = new SpareBuffers();
  const take = buffers.take.bind(buffers);
  buffers.take = () => (taken++, take());
  sends(stream, helloFrame());
  const connection = await acceptNode(stream, 1 << 20, () => idle, { buffers });
  connection.send(welcomeFrame());
  await connection.flushed();
  assertEquals(taken, 2); // for the preface, and for the frame
  connection.close();
});
