import { assert, assertEquals } from "@std/assert";
import { Connection } from "../../src/link/connection.ts";
import { frame, Kind } from "../../src/wire/frame.ts";
import { soon } from "../helpers/soon.ts";
import { FakeStream } from "./fake_stream.ts";

Deno.test("flushed() resolves when it is asked in the middle of a piece", async () => {
  const stream = new FakeStream();
  const connection = new Connection(stream, 1 << 20, { onFrame() {}, onClose() {} });
  await connection.flushed();
  stream.maxWriteBytes = 10;
  const before = connection.writtenBytes;
  connection.send(frame(Kind.Ping));
  connection.writeNow();
  while (connection.writtenBytes === before) await undefined;
  assert(connection.queuedBytes > 0);
  await soon(connection.flushed(), 1000);
  connection.close();
});

Deno.test("Connection ends when its handler throws as it drains", async () => {
  const stream = new FakeStream();
  const errors: unknown[] = [];
  const defect = new Error("a defect");
  const connection = new Connection(stream, 1 << 20, {
    onFrame() {},
    onDrain() {
      throw defect;
    },
    onClose: (e) => errors.push(e),
  });
  await connection.flushed();
  const large = frame(Kind.Call, { call: 1, payload: new Uint8Array(1_000_000) });
  stream.block();
  while (!connection.congested) connection.send(large);
  stream.unblock();
  await soon(connection.over);
  assertEquals(errors, [defect]);
});
