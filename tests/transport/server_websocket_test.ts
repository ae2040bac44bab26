import { assert, assertEquals, assertRejects } from "@std/assert";
import { PIECE_BYTES } from "../../src/transport/pieces.ts";
import { ServerWebSocket } from "../../src/transport/server_websocket.ts";
import { OPCODE } from "../../src/transport/websocket_reader.ts";
import { CLOSE_TIMEOUT_MS, MESSAGE_WINDOW_BYTES } from "../../src/wire/limits.ts";
import { FakeTime } from "../helpers/fake_time.ts";
import { soon } from "../helpers/soon.ts";
import { FakeStream, turn } from "../link/fake_stream.ts";
import { clientFrame, goodbye } from "./client_frames.ts";

const NONE = new Uint8Array(0);

function open(socket = new FakeStream()) {
  return { socket, it: new ServerWebSocket(socket, NONE, {}) };
}

Deno.test("a WebSocket reads into some 64 KiB at most, however much comes", async () => {
  const socket = new FakeStream();
  const rooms: number[] = [];
  const read = socket.read.bind(socket);
  socket.read = (into) => {
    rooms.push(into.length);
    return read(into);
  };
  const { it } = open(socket);
  const ping = clientFrame(OPCODE.ping, new Uint8Array(125));
  const flood = new Uint8Array(3000 * ping.length);
  for (let i = 0; i < 3000; i++) flood.set(ping, i * ping.length);
  socket.feed(flood, goodbye(1000));
  await soon(it.over);
  assertEquals([rooms[0], Math.max(...rooms)], [1032, 64 * 1032]);
});

Deno.test("a WebSocket answers the first message of a client that holds back as soon as it is taken", async () => {
  using time = new FakeTime();
  const socket = new FakeStream();
  const it = new ServerWebSocket(socket, NONE, { holdsBack: true });
  socket.feed(clientFrame(OPCODE.binary, new Uint8Array(PIECE_BYTES)));
  assertEquals(await it.stream.read(new Uint8Array(2 * PIECE_BYTES)), PIECE_BYTES);
  await turn();
  const credit = new TextEncoder().encode(String(PIECE_BYTES));
  assertEquals(socket.written, Uint8Array.of(128 | OPCODE.text, credit.length, ...credit));
  it.stream.close();
  socket.feed(goodbye(1000));
  await it.over;
  assertEquals(time.pending, 0);
});

for (const most of [1, 3, 100]) {
  Deno.test(`a WebSocket sends whole frames to a socket that takes ${most} bytes at a time`, async () => {
    const { socket, it } = open();
    socket.maxWriteBytes = most;
    const bytes = Uint8Array.from({ length: 200 }, (_, i) => i);
    assertEquals(await it.stream.write(bytes), 200);
    assertEquals(socket.written, Uint8Array.of(130, 126, 0, 200, ...bytes));
    it.stream.close();
    socket.feed(goodbye(1000));
    await soon(it.over);
    assertEquals(socket.written.slice(-4), Uint8Array.of(136, 2, 1000 >> 8, 1000 & 255));
  });
}

Deno.test("a WebSocket that is closed lets go of who waits until something is sent", async () => {
  const { socket, it } = open();
  socket.block();
  const writes = [1, 2, 3].map((size) =>
    assertRejects(() => it.stream.write(new Uint8Array(size)), Error, "is closed")
  );
  await turn();
  it.stream.close();
  await soon(Promise.all(writes));
  socket.unblock();
  socket.feed(goodbye(1000));
  await soon(it.over);
});

Deno.test("a WebSocket whose socket breaks lets go of who waits until something is sent", async () => {
  const { socket, it } = open();
  socket.block();
  const writes = [1, 2].map((size) =>
    assertRejects(() => it.stream.write(new Uint8Array(size)), Error, "reset by peer")
  );
  await turn();
  socket.feed(new Error("reset by peer"));
  await soon(Promise.all(writes));
  await soon(it.over);
  assert(socket.closes > 0);
});

Deno.test("a WebSocket sends no credit and no pong behind its goodbye", async () => {
  const { socket, it } = open();
  socket.block(); // so that the goodbye waits
  const written = it.stream.write(Uint8Array.of(7));
  written.catch(() => {});
  const part = clientFrame(OPCODE.binary, new Uint8Array(MESSAGE_WINDOW_BYTES / 8));
  socket.feed(part, part, part, part, part, clientFrame(OPCODE.ping, NONE), goodbye(1001));
  const into = new Uint8Array(MESSAGE_WINDOW_BYTES);
  let total = 0;
  while (total < 5 * MESSAGE_WINDOW_BYTES / 8) total += (await soon(it.stream.read(into)))!;
  assertEquals(await it.stream.read(into), null);
  socket.unblock();
  await soon(it.over);
  assertEquals(socket.written.slice(-4), Uint8Array.of(136, 2, 1001 >> 8, 1001 & 255));
});

Deno.test("a WebSocket has no timer once it is over", async () => {
  using time = new FakeTime();
  const { socket, it } = open();
  it.stream.close();
  assertEquals(time.pending, 1);
  socket.feed(goodbye(1000));
  await it.over;
  assertEquals(time.pending, 0);
  const silent = open();
  silent.it.stream.close();
  await time.tickAsync(CLOSE_TIMEOUT_MS - 1);
  assertEquals(silent.socket.closes, 0);
  await time.tickAsync(1);
  await silent.it.over;
  assertEquals([silent.socket.closes, time.pending], [1, 0]);
});
