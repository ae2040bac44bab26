import { assert, assertEquals } from "@std/assert";
import { Connection } from "../../src/link/connection.ts";
import { SpareBuffers } from "../../src/link/spare_buffers.ts";
import { frame, Kind } from "../../src/wire/frame.ts";
import { PAUSE_AT_BYTES } from "../../src/wire/limits.ts";
import { PREFACE } from "../../src/wire/preface.ts";
import { askedTurns } from "../helpers/asked_turns.ts";
import { concat, toBytes } from "../wire/frames.ts";
import { FakeStream, turn } from "./fake_stream.ts";

const MiB = 1024 * 1024;
const KiB = 1024;

async function open(buffers?: SpareBuffers) {
  const stream = new FakeStream();
  let receivedBytes = 0;
  const handler = {
    onFrame: ({ payload }: { payload: Uint8Array }) => void (receivedBytes += payload.length),
    onClose() {},
  };
  const connection = new Connection(stream, 2 * MiB, handler, buffers);
  stream.feed(PREFACE);
  await connection.flushed();
  await turn();
  return { stream, connection, received: () => receivedBytes };
}

for (
  const [where, buffers] of [["a node", undefined], ["a controller", new SpareBuffers()]] as const
) {
  Deno.test(`Connection of ${where} gives others their turn after each MiB of what has come`, async () => {
    const { stream, connection, received } = await open(buffers);
    const each = toBytes(frame(Kind.Item, { call: 1, payload: new Uint8Array(32 * KiB) }));
    const turns = await askedTurns(async () => {
      stream.feed(concat(Array(8 * MiB / (32 * KiB)).fill(each)));
      while (received() < 8 * MiB) await turn();
    });
    assert(turns >= 6 && turns <= 9, `${turns} turns`);
    connection.close();
  });
}

Deno.test("Connection.giveWay() gives others their turn after the read, and reads little the next time", async () => {
  const { stream, connection, received } = await open(new SpareBuffers());
  const each = toBytes(frame(Kind.Item, { call: 1, payload: new Uint8Array(KiB) }));
  stream.feed(concat(Array(1024).fill(each))); // so that much is read at a time
  while (received() < MiB) await turn();
  const before = stream.reads;
  let came = 0;
  connection.handler = {
    onFrame() {
      came++;
      connection.giveWay();
    },
    onClose() {},
  };
  stream.feed(concat(Array(512).fill(each)));
  while (came < 512) await turn();
  const reads = stream.reads - before;
  assert(reads >= 16 && reads <= 25, `${reads} reads`);
  connection.close();
});

Deno.test("Connection gives others their turn after each MiB that it writes", async () => {
  const { connection } = await open();
  const turns = await askedTurns(async () => {
    for (let i = 0; i < 8; i++) {
      connection.send(frame(Kind.Item, { call: 1, payload: new Uint8Array(MiB) }));
    }
    await connection.flushed();
  });
  assert(turns >= 6 && turns <= 9, `${turns} turns`);
  connection.close();
});

Deno.test("Connection that is answered writes on in the same turn, however much it is in all", async () => {
  const { stream, connection, received } = await open();
  const answer = toBytes(frame(Kind.Item, { call: 1, payload: new Uint8Array(1) }));
  const turns = await askedTurns(async () => {
    for (let i = 1; i <= 16; i++) {
      connection.send(frame(Kind.Item, { call: 1, payload: new Uint8Array(MiB / 2) }));
      await connection.flushed();
      stream.feed(answer);
      while (received() < i) await undefined;
    }
  });
  assertEquals(turns, 0);
  connection.close();
});

Deno.test("Connection.sendShared() makes it congested too", async () => {
  const { stream, connection } = await open();
  stream.block();
  const each = toBytes(frame(Kind.Item, { call: 1, payload: new Uint8Array(MiB) }));
  let sent = 0;
  for (; !connection.congested && sent < 20; sent++) connection.sendShared(each);
  assertEquals(sent, PAUSE_AT_BYTES / MiB);
  connection.close();
});
