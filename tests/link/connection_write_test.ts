import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { setImmediate } from "node:timers";
import { collectGarbage } from "../helpers/garbage.ts";
import { Connection } from "../../src/link/connection.ts";
import { MIN_SHARED_BYTES } from "../../src/link/write_queue.ts";
import { type Frame, frame, Kind } from "../../src/wire/frame.ts";
import { HEADER_BYTES, PAUSE_AT_BYTES, RESUME_AT_BYTES } from "../../src/wire/limits.ts";
import { PREFACE } from "../../src/wire/preface.ts";
import { concat, payloadOf, toBytes } from "../wire/frames.ts";
import { settled } from "../helpers/soon.ts";
import { FakeStream, turn } from "./fake_stream.ts";

interface Opened {
  stream: FakeStream;
  connection: Connection;
  errors: (Error | undefined)[];
  drains: number;
}

/** A connection whose preface is written. */
async function open(): Promise<Opened> {
  const stream = new FakeStream();
  const opened = { stream, errors: [], drains: 0 } as unknown as Opened;
  opened.connection = new Connection(stream, 1 << 20, {
    onFrame() {},
    onDrain: () => opened.drains++,
    onClose: (error) => opened.errors.push(error),
  });
  await opened.connection.flushed();
  assertEquals(stream.writes, [PREFACE]);
  stream.writes.length = 0;
  return opened;
}

const ping = (value: number): Frame => frame(Kind.Ping, { value });

Deno.test("Connection sends the preface and what is sent in its first turn in one write", async () => {
  const stream = new FakeStream();
  const connection = new Connection(stream, 1 << 20, { onFrame() {}, onClose() {} });
  connection.send(ping(1));
  await connection.flushed();
  assertEquals(stream.writes, [concat([PREFACE, toBytes(ping(1))])]);
  connection.close();
});

Deno.test("Connection.send() writes the few frames of one turn in one write", async () => {
  const { stream, connection } = await open();
  for (let i = 0; i < 10; i++) connection.send(ping(i));
  assertEquals(stream.writes.length, 0);
  await turn();
  const frames = Array.from({ length: 10 }, (_, i) => toBytes(ping(i)));
  assertEquals(stream.writes, [concat(frames)]);
  assertEquals(connection.queuedBytes, 0);
  connection.close();
});

Deno.test("Connection.writeNow() writes what was sent so far, and the rest when the turn is over", async () => {
  const { stream, connection } = await open();
  connection.writeNow();
  assertEquals(stream.writes.length, 0);
  for (let i = 0; i < 4; i++) {
    connection.send(ping(i));
    if (i === 1) connection.writeNow();
  }
  assertEquals(stream.writes, [concat([toBytes(ping(0)), toBytes(ping(1))])]);
  await turn();
  assertEquals(stream.writes.slice(1), [concat([toBytes(ping(2)), toBytes(ping(3))])]);
  connection.close();
});

Deno.test("Connection.send() writes the first of many frames before the turn ends, the others together", async () => {
  const { stream, connection } = await open();
  const frames = Array.from({ length: 1_000 }, (_, i) => ping(i));
  for (const each of frames.slice(0, 500)) connection.send(each);
  assertEquals(stream.writes.length, 1);
  for (const each of frames.slice(500)) connection.send(each);
  await connection.flushed();
  assertEquals(stream.writes.length, 2);
  assertEquals(stream.written, concat(frames.map(toBytes)));
  connection.close();
});

Deno.test("Connection.send() writes the first third of what a turn has sent lately", async () => {
  const { stream, connection } = await open();
  const sendTurn = async (count: number) => {
    stream.writes.length = 0;
    for (let i = 0; i < count; i++) connection.send(ping(i));
    await connection.flushed();
    return stream.writes.map((bytes) => bytes.length / HEADER_BYTES);
  };
  await sendTurn(300);
  assertEquals(await sendTurn(300), [100, 200]);
  for (let i = 0; i < 100; i++) await sendTurn(1);
  assertEquals(await sendTurn(64), [64]);
  assertEquals(await sendTurn(300), [64, 236]);
  connection.close();
});

Deno.test("Connection.send() gathers what is sent during a write for the next one", async () => {
  const { stream, connection } = await open();
  stream.block();
  connection.send(ping(1));
  await turn();
  for (const value of [2, 3, 4]) {
    connection.send(ping(value));
    await turn();
  }
  assertEquals(stream.writes.length, 1);
  stream.unblock();
  await connection.flushed();
  assertEquals(stream.writes, [toBytes(ping(1)), concat([2, 3, 4].map((i) => toBytes(ping(i))))]);
  connection.close();
});

Deno.test("Connection.send() is done with the payload when it returns", async () => {
  const { stream, connection } = await open();
  const payload = payloadOf(1_000_000);
  const frames = [ping(1), frame(Kind.Call, { call: 1, payload }), ping(2)];
  const wanted = concat(frames.map(toBytes));
  for (const each of frames) connection.send(each);
  payload.fill(0);
  await connection.flushed();
  assertEquals(stream.written, wanted);
  connection.close();
});

Deno.test("Connection.flushed() waits for what was sent before, and not for what is sent meanwhile", async () => {
  const { stream, connection } = await open();
  stream.maxWriteBytes = HEADER_BYTES + 1;
  const write = stream.write.bind(stream);
  stream.write = (bytes) => {
    if (stream.writes.length < 1_000) connection.send(ping(9)); // so that it never rests
    return write(bytes);
  };
  for (let value = 0; value < 3; value++) connection.send(ping(value));
  const { queuedBytes, writtenBytes } = connection;
  await connection.flushed();
  const left = writtenBytes + queuedBytes - connection.writtenBytes;
  assert(left <= 0 && left > -10 * HEADER_BYTES, `${left} bytes were left`);
  connection.close();
});

Deno.test("Connection.sendShared() writes the same bytes at once, in order with what is sent", async () => {
  const { stream, connection } = await open();
  const shared = toBytes(ping(1));
  connection.sendShared(shared);
  assertStrictEquals(stream.given.at(-1), shared);
  connection.send(ping(2));
  connection.sendShared(toBytes(ping(3)));
  await connection.flushed();
  assertEquals(stream.written, concat([1, 2, 3].map((value) => toBytes(ping(value)))));
  connection.close();
  connection.sendShared(shared);
  assertEquals(connection.queuedBytes, 0);
});

Deno.test("Connection.sendShared() tells when it holds the bytes no longer: when they are written, or it is closed", async () => {
  const { stream, connection } = await open();
  const released: number[] = [];
  connection.sendShared(toBytes(ping(1)), () => released.push(1));
  assertEquals(released, []);
  await connection.flushed();
  assertEquals(released, [1]);
  stream.block();
  connection.sendShared(toBytes(ping(2)), () => released.push(2));
  connection.sendShared(payloadOf(MIN_SHARED_BYTES), () => released.push(3));
  assertEquals(released, [1]);
  connection.close();
  assertEquals(released, [1, 2, 3]);
});

for (const most of [1, 7, 23, 25]) {
  Deno.test(`Connection.send() goes on after a write that took ${most} bytes`, async () => {
    const { stream, connection } = await open();
    stream.maxWriteBytes = most;
    const frames = [ping(1), frame(Kind.Call, { call: 1, payload: payloadOf(200) }), ping(2)];
    for (const each of frames) connection.send(each);
    await connection.flushed();
    assertEquals(stream.written, concat(frames.map(toBytes)));
    assertEquals(connection.queuedBytes, 0);
    connection.close();
  });
}

Deno.test("Connection is congested above PAUSE_AT_BYTES until RESUME_AT_BYTES, then drains once", async () => {
  const opened = await open();
  const { stream, connection } = opened;
  stream.block();
  const size = 100_000;
  const each = frame(Kind.Item, { call: 1, payload: payloadOf(size) });
  const fit = Math.floor(PAUSE_AT_BYTES / (size + HEADER_BYTES));
  for (let i = 0; i < fit; i++) connection.send(each);
  assertEquals(connection.congested, false);
  connection.send(each);
  assertEquals(connection.congested, true);
  await turn();
  const queuedAtDrain: number[] = [];
  connection.handler = {
    onFrame() {},
    onDrain: () => queuedAtDrain.push(connection.queuedBytes),
    onClose() {},
  };
  stream.unblock();
  await connection.flushed();
  assertEquals(connection.congested, false);
  assertEquals(queuedAtDrain.length, 1);
  assert(queuedAtDrain[0]! <= RESUME_AT_BYTES && queuedAtDrain[0]! > RESUME_AT_BYTES - 2 * size);
  connection.close();
});

Deno.test("Connection calls no onDrain when it was not congested", async () => {
  const opened = await open();
  opened.connection.send(frame(Kind.Item, { call: 1, payload: payloadOf(2_000_000) }));
  await opened.connection.flushed();
  assertEquals(opened.drains, 0);
  opened.connection.close();
});

Deno.test("Connection.flushed() waits for what is sent while it waits", async () => {
  const { stream, connection } = await open();
  stream.block();
  connection.send(ping(1));
  let flushed = false;
  const waiting = connection.flushed().then(() => flushed = true);
  await turn();
  connection.send(ping(2));
  await turn();
  assertEquals(flushed, false);
  stream.unblock();
  await waiting;
  assertEquals(stream.written.length, 2 * HEADER_BYTES);
  await connection.flushed();
  connection.close();
});

Deno.test("Connection closes with the reason when a write fails", async () => {
  const { stream, connection, errors } = await open();
  stream.block();
  connection.send(ping(1));
  await turn();
  const broken = new Error("broken pipe");
  stream.unblock(broken);
  await connection.over;
  assertEquals(errors, [broken]);
  assertEquals([connection.closed, stream.closes], [true, 1]);
  await connection.flushed();
});

Deno.test("Connection.flushed() resolves when it is closed during a write", async () => {
  const { stream, connection, errors } = await open();
  stream.block();
  connection.send(ping(1));
  const waiting = connection.flushed();
  await turn();
  connection.close();
  await waiting;
  assertEquals(errors, [undefined]);
});

Deno.test("Connection.send() does nothing after close()", async () => {
  const { stream, connection } = await open();
  connection.close();
  connection.send(ping(1));
  await turn();
  assertEquals([stream.writes.length, connection.queuedBytes], [0, 0]);
  await connection.flushed();
});

Deno.test("Connection.close() in the turn of a send() writes nothing more and reports once", async () => {
  const { stream, connection, errors } = await open();
  connection.send(ping(1));
  connection.close();
  await turn();
  assertEquals(stream.writes.length, 0);
  assertEquals(errors, [undefined]);
});

Deno.test("Connection.close() keeps nothing of what was sent or has come", async () => {
  const announced = toBytes(frame(Kind.Item, { call: 1, payload: new Uint8Array(400_000) }));
  const incoming = [PREFACE, announced.subarray(0, HEADER_BYTES)];
  const memory: WeakRef<ArrayBufferLike>[] = [];
  const late = Promise.withResolvers<number>();
  const use = ({ buffer }: Uint8Array) => {
    if (buffer.byteLength > 100_000) memory.push(new WeakRef(buffer));
    return late.promise;
  };
  const stream = {
    write: use,
    close() {},
    read(into: Uint8Array): Promise<number> {
      const bytes = incoming.shift();
      if (bytes === undefined) return use(into);
      into.set(bytes);
      return Promise.resolve(bytes.length);
    },
  };
  const errors: unknown[] = [];
  const connection = new Connection(stream, 1 << 20, {
    onFrame() {},
    onClose: (error) => errors.push(error),
  });
  connection.send(frame(Kind.Item, { call: 1, payload: new Uint8Array(1_000_000) }));
  await turn();
  assertEquals(memory.length, 2);
  connection.close();
  await turn();
  collectGarbage();
  assertEquals(memory.map((reference) => reference.deref()?.byteLength), [undefined, undefined]);
  assertEquals(connection.queuedBytes, 0);
  late.resolve(10); // what was under way comes to its end
  await turn();
  assertEquals(errors, [undefined]);
});

Deno.test("Connection looks at what has come in while it writes much that is taken at once", async () => {
  const { stream, connection } = await open();
  const queuedAtFrame: number[] = [];
  connection.handler = {
    onFrame: () => queuedAtFrame.push(connection.queuedBytes),
    onClose() {},
  };
  setImmediate(() => stream.feed(PREFACE, toBytes(ping(1))));
  for (let i = 0; i < 40; i++) {
    connection.send(frame(Kind.Item, { call: 1, payload: new Uint8Array(100_000) }));
  }
  await connection.flushed();
  assertEquals(queuedAtFrame.length, 1);
  assert(queuedAtFrame[0]! > 0);
  connection.close();
});

Deno.test("Connection looks at what has come in while a sender never leaves its turn", async () => {
  const { stream, connection } = await open();
  let asked = false;
  connection.handler = { onFrame: () => asked = true, onClose() {} };
  setImmediate(() => stream.feed(PREFACE, toBytes(ping(1))));
  let sent = 0;
  for (; !asked && sent < 100; sent++) {
    connection.send(frame(Kind.Item, { call: 1, payload: new Uint8Array(100_000) }));
    await connection.flushed(); // which is after some microtasks
  }
  assert(sent < 100, "10 MB were written without looking");
  connection.close();
});

Deno.test("Connection.send() writes at once what fills a buffer, behind what waits", async () => {
  const { stream, connection } = await open();
  const frames = [ping(1), frame(Kind.Item, { call: 1, payload: payloadOf(300_000) }), ping(2)];
  connection.send(frames[0]!);
  assertEquals(stream.writes.length, 0);
  connection.send(frames[1]!);
  assertEquals(stream.writes.length, 1);
  connection.send(frames[2]!);
  await connection.flushed();
  assertEquals(stream.written, concat(frames.map(toBytes)));
  connection.close();
});

Deno.test("Connection reads once in a turn while it is congested, as often as it can otherwise", async () => {
  const { stream, connection } = await open();
  stream.feed(PREFACE);
  await settled();
  const reads = async () => {
    const before = stream.reads;
    stream.feed(...Array.from({ length: 5 }, () => toBytes(ping(1))));
    await settled();
    return stream.reads - before;
  };
  assertEquals(await reads(), 5);
  stream.block();
  const each = frame(Kind.Item, { call: 1, payload: payloadOf(1_000_000) });
  while (!connection.congested) connection.send(each);
  assertEquals(await reads(), 0); // the first is delivered, and the next read is in another turn
  await turn();
  stream.unblock();
  await connection.flushed();
  connection.close();
});
