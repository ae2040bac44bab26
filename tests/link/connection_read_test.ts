import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { ConnectionError, ProtocolError } from "../../src/errors.ts";
import { Connection, type ConnectionHandler } from "../../src/link/connection.ts";
import { SpareBuffers } from "../../src/link/spare_buffers.ts";
import { type Frame, frame, Kind, ownFrame } from "../../src/wire/frame.ts";
import { HEADER_BYTES, LARGE_PAYLOAD_BYTES } from "../../src/wire/limits.ts";
import { PREFACE } from "../../src/wire/preface.ts";
import { concat, payloadOf, toBytes } from "../wire/frames.ts";
import { FakeStream, turn } from "./fake_stream.ts";

interface Opened {
  stream: FakeStream;
  connection: Connection;
  frames: Frame[];
  closes: (Error | undefined)[];
}

function open(onFrame?: (frame: Frame, opened: Opened) => void): Opened {
  const stream = new FakeStream();
  const opened = { stream, frames: [], closes: [] } as unknown as Opened;
  const handler: ConnectionHandler = {
    onFrame(got) {
      opened.frames.push(ownFrame(got));
      onFrame?.(got, opened);
    },
    onClose: (error) => opened.closes.push(error),
  };
  opened.connection = new Connection(stream, 1 << 20, handler);
  return opened;
}

const ping = (value: number): Frame => frame(Kind.Ping, { value });
const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** The reason with which the connection closed, after it did. */
async function reason({ connection, closes, stream }: Opened): Promise<Error | undefined> {
  await connection.over;
  assertEquals([closes.length, connection.closed, stream.closes], [1, true, 1]);
  return closes[0];
}

for (const chunk of [1, 7, 32, 4096]) {
  Deno.test(`Connection delivers frames that come in pieces of ${chunk} bytes`, async () => {
    const opened = open();
    const frames = [ping(1), frame(Kind.Call, { call: 1, payload: payloadOf(40_000) }), ping(2)];
    const bytes = concat([PREFACE, ...frames.map(toBytes)]);
    for (let at = 0; at < bytes.length; at += chunk) {
      opened.stream.feed(bytes.subarray(at, at + chunk));
    }
    opened.stream.feed(null);
    assertEquals(await reason(opened), undefined);
    assertEquals(opened.frames, frames);
  });
}

Deno.test("Connection tells the stream that something has come before it delivers it", async () => {
  const order: string[] = [];
  const opened = open(() => order.push("frame"));
  Object.assign(opened.stream, { came: () => order.push("came") });
  opened.stream.feed(PREFACE, concat([ping(1), ping(2)].map(toBytes)), toBytes(ping(3)));
  await turn();
  assertEquals(order, ["came", "frame", "frame", "came", "frame"]);
  opened.connection.close();
});

const strangers: [what: string, bytes: Uint8Array][] = [
  ["an HTTP request", text("GET / HTTP/1.1\r\nHost: x\r\n\r\n")],
  ["a TLS hello", Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc)],
  ["zeros", new Uint8Array(100)],
  ["noise", payloadOf(100, 200)],
  ["another version", Uint8Array.of(...PREFACE.subarray(0, 7), 2)],
];

for (const [what, bytes] of strangers) {
  Deno.test(`Connection turns ${what} away with a ProtocolError and reads no further`, async () => {
    const opened = open();
    opened.stream.feed(bytes);
    assertInstanceOf(await reason(opened), ProtocolError);
    assertEquals([opened.stream.reads, opened.frames.length], [1, 0]);
  });
}

Deno.test("Connection turns a stranger away by the first byte that differs", async () => {
  const opened = open();
  opened.stream.feed(text("DAG"));
  assertInstanceOf(await reason(opened), ProtocolError);
});

Deno.test("Connection is over also if its handler throws when it hears of that", async () => {
  const { connection, stream } = open();
  connection.handler = {
    onFrame() {},
    onClose() {
      throw new RangeError("of the handler");
    },
  };
  const flushed = connection.flushed();
  assertThrows(() => connection.close(), RangeError, "of the handler");
  await connection.over;
  await flushed;
  assertEquals([connection.closed, stream.closes], [true, 1]);
});

for (const length of [0, 1, 7]) {
  Deno.test(`Connection reports an end after ${length} bytes of the preface as an error`, async () => {
    const opened = open();
    if (length > 0) opened.stream.feed(PREFACE.slice(0, length));
    opened.stream.feed(null);
    assertInstanceOf(await reason(opened), ConnectionError);
  });
}

Deno.test("Connection reports no error when the other side ends between frames", async () => {
  for (const frames of [[], [ping(1)], [frame(Kind.Call, { payload: payloadOf(50_000) })]]) {
    const opened = open();
    opened.stream.feed(PREFACE, ...frames.map(toBytes), null);
    assertEquals(await reason(opened), undefined);
    assertEquals(opened.frames, frames);
  }
});

for (const size of [0, 100, LARGE_PAYLOAD_BYTES, 100_000]) {
  Deno.test(`Connection reports an end within a frame of ${size} bytes as an error`, async () => {
    const bytes = toBytes(frame(Kind.Call, { call: 1, payload: payloadOf(size) }));
    const cuts = [1, 4, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 1, bytes.length - 1];
    for (const cut of cuts.filter((cut) => cut < bytes.length)) {
      const opened = open();
      opened.stream.feed(PREFACE, bytes.subarray(0, cut), null);
      const error = await reason(opened);
      assertInstanceOf(error, ConnectionError, `cut after ${cut}`);
      assertEquals(opened.frames, []);
    }
  });
}

Deno.test("Connection closes with the reason when reading fails", async () => {
  const opened = open();
  const broken = new Error("reset by peer");
  opened.stream.feed(PREFACE, broken);
  assertStrictEquals(await reason(opened), broken);
});

Deno.test("Connection closes with a ProtocolError after garbage, and keeps what came before", async () => {
  const opened = open();
  opened.stream.feed(concat([PREFACE, toBytes(ping(1)), new Uint8Array(24).fill(0xff)]));
  assertInstanceOf(await reason(opened), ProtocolError);
  assertEquals(opened.frames, [ping(1)]);
});

Deno.test("Connection refuses a frame above maxFrameBytes, which may be changed", async () => {
  const opened = open();
  opened.connection.maxFrameBytes = 100;
  const fits = frame(Kind.Item, { call: 1, payload: payloadOf(76) });
  const tooLarge = frame(Kind.Item, { call: 1, payload: payloadOf(77) });
  opened.stream.feed(PREFACE, toBytes(fits), toBytes(tooLarge).subarray(0, 4));
  assertInstanceOf(await reason(opened), ProtocolError);
  assertEquals(opened.frames, [fits]);
});

Deno.test("Connection closes with what onFrame() throws, and delivers nothing after it", async () => {
  const own = new Error("own");
  const opened = open(({ value }) => {
    if (value === 2) throw own;
  });
  opened.stream.feed(concat([PREFACE, ...[1, 2, 3].map((value) => toBytes(ping(value)))]));
  assertStrictEquals(await reason(opened), own);
  assertEquals(opened.frames, [ping(1), ping(2)]);
});

Deno.test("Connection delivers nothing after close(), not even of the same read", async () => {
  const opened = open(({ value }, { connection }) => {
    if (value === 2) connection.close();
  });
  opened.stream.feed(concat([PREFACE, ...[1, 2, 3].map((value) => toBytes(ping(value)))]));
  assertEquals(await reason(opened), undefined);
  await turn();
  assertEquals(opened.frames, [ping(1), ping(2)]);
});

Deno.test("Connection delivers to a handler that was exchanged within onFrame()", async () => {
  const later: number[] = [];
  const opened = open((_, { connection, closes }) => {
    connection.handler = {
      onFrame: ({ value }) => later.push(value),
      onClose: (error) => closes.push(error),
    };
  });
  opened.stream.feed(concat([PREFACE, ...[1, 2, 3].map((value) => toBytes(ping(value)))]), null);
  assertEquals(await reason(opened), undefined);
  assertEquals([opened.frames.length, later], [1, [2, 3]]);
});

Deno.test("Connection.close() reports its reason once, to whomever closes first", async () => {
  const opened = open();
  const first = new Error("first");
  opened.connection.close(first);
  opened.connection.close(new Error("second"));
  opened.connection.close();
  assertStrictEquals(await reason(opened), first);
  await turn();
  assertEquals(opened.closes, [first]);
});

Deno.test("Connection.close() may be called again from onClose()", async () => {
  const opened = open();
  let closes = 0;
  opened.connection.handler = {
    onFrame() {},
    onClose() {
      closes++;
      opened.connection.close();
    },
  };
  opened.connection.close();
  await opened.connection.over;
  assertEquals([closes, opened.stream.closes], [1, 1]);
});

Deno.test("Connection.hasMore tells whether more came than what was delivered", async () => {
  const more: boolean[] = [];
  const opened = open((_, { connection }) => more.push(connection.hasMore));
  const { stream, connection } = opened;
  stream.feed(concat([PREFACE, toBytes(ping(1)), toBytes(ping(2))]));
  const [part, rest] = [toBytes(ping(4)).subarray(0, 5), toBytes(ping(4)).subarray(5)];
  stream.feed(concat([toBytes(ping(3)), part]), rest, null);
  assertEquals(await reason(opened), undefined);
  assertEquals([more, connection.hasMore], [[true, false, true, false], false]);
});

for (
  const [where, buffers, readsBefore] of [
    ["at a node", undefined, 0],
    ["where many meet", new SpareBuffers(), 1],
  ] as const
) {
  Deno.test(`Connection has asked for more ${readsBefore} times when an answer leaves ${where}`, async () => {
    const stream = new FakeStream();
    const handler = { onFrame: () => connection.send(ping(2)), onClose() {} };
    const connection = new Connection(stream, 1 << 20, handler, buffers);
    stream.feed(PREFACE);
    await turn();
    const { reads } = stream;
    const seen: number[] = [];
    const write = stream.write.bind(stream);
    stream.write = (bytes) => {
      seen.push(stream.reads - reads);
      return write(bytes);
    };
    stream.feed(toBytes(ping(1)));
    await turn();
    assertEquals([seen, stream.reads - reads], [[readsBefore], 1]);
    connection.close();
  });
}

Deno.test("Connection.hold() stops reading after the current read, and release() goes on", async () => {
  const opened = open();
  const { stream, connection, frames } = opened;
  stream.feed(PREFACE);
  await turn();
  connection.hold();
  stream.feed(toBytes(ping(1)));
  await turn();
  assertEquals(frames, [ping(1)]);
  const { reads } = stream;
  stream.feed(toBytes(ping(2)));
  await turn();
  assertEquals([frames.length, stream.reads], [1, reads]);
  connection.hold();
  connection.release();
  await turn();
  assertEquals(frames, [ping(1), ping(2)]);
  connection.release();
  stream.feed(toBytes(ping(3)), null);
  await connection.over;
  assertEquals(frames.length, 3);
});

Deno.test("Connection.hold() from onFrame() and right after release() lets no read through", async () => {
  const opened = open(({ value }, { connection }) => {
    if (value === 1) connection.hold();
  });
  const { stream, connection, frames } = opened;
  stream.feed(PREFACE, toBytes(ping(1)));
  await turn();
  stream.feed(toBytes(ping(2)));
  connection.release();
  connection.hold();
  await turn();
  assertEquals(frames, [ping(1)]);
  connection.release();
  await turn();
  assertEquals(frames, [ping(1), ping(2)]);
  connection.close();
});

Deno.test("Connection.close() ends a connection that is held, without reading on", async () => {
  const opened = open();
  opened.stream.feed(PREFACE);
  opened.connection.hold();
  opened.stream.feed(toBytes(ping(1)));
  await turn();
  opened.stream.feed(toBytes(ping(2)));
  const { reads } = opened.stream;
  opened.connection.close();
  assertEquals(await reason(opened), undefined);
  await turn();
  assert(opened.stream.reads <= reads + 1);
  assert(opened.frames.length <= 1);
});
