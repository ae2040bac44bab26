import { assertEquals } from "@std/assert";
import { SocketStream } from "../../src/transport/socket_stream.ts";
import { MAX_READ_BYTES } from "../../src/wire/framer.ts";

Deno.test("SocketStream keeps what is freed once large values come, and not before", async () => {
  const socket = {
    remoteAddr: { transport: "unix", path: "/socket" },
    read: (into: Uint8Array) => Promise.resolve(into.length),
  } as unknown as Deno.Conn;
  const stream = new SocketStream(socket);
  const { transfer } = ArrayBuffer.prototype;
  let freed = 0;
  ArrayBuffer.prototype.transfer = function (length?: number): ArrayBuffer {
    freed++;
    return transfer.call(this, length);
  };
  try {
    await stream.read(new Uint8Array(MAX_READ_BYTES - 1));
    assertEquals(freed, 0);
    await stream.read(new Uint8Array(MAX_READ_BYTES));
    const once = freed;
    assertEquals(once > 0, true);
    await stream.read(new Uint8Array(MAX_READ_BYTES));
    assertEquals(freed, once);
  } finally {
    ArrayBuffer.prototype.transfer = transfer;
  }
});
