/** The process at the other end of the floor: does what the first bytes of a connection say. */

import { ready, stay } from "../program.ts";
import {
  BUFFER_BYTES,
  drain,
  listen,
  pour,
  readAll,
  readHello,
  readOwned,
  withoutDelay,
  writeAll,
} from "./socket.ts";

const { listener, fields } = listen("callee");
accept();
ready(fields);
await stay(() => Promise.resolve());

async function accept(): Promise<void> {
  for await (const socket of listener) serve(withoutDelay(socket));
}

async function serve(socket: Deno.Conn): Promise<void> {
  const hello = await readHello(socket);
  if (hello !== undefined) {
    const { mode, messageBytes, count } = hello;
    if (mode === "source") await pour(socket, messageBytes, count);
    else if (mode === "sink") {
      await drain(socket, messageBytes, count);
      await writeAll(socket, new Uint8Array(1));
    } else if (mode === "keep") await echoKept(socket, messageBytes);
    else if (messageBytes > BUFFER_BYTES / 8) await echoLarge(socket, messageBytes);
    else await echoSmall(socket, messageBytes);
  }
  socket.close();
}

/** One write for all messages that one read has completed. */
async function echoSmall(socket: Deno.Conn, messageBytes: number): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  let there = 0;
  while (true) {
    const count = await socket.read(there === 0 ? buffer : buffer.subarray(there));
    if (count === null) return;
    there += count;
    const whole = there - there % messageBytes;
    if (whole === 0) continue;
    await writeAll(socket, buffer.subarray(0, whole));
    buffer.copyWithin(0, whole, there);
    there -= whole;
  }
}

/** As a callee does: has the whole message before it answers. */
async function echoLarge(socket: Deno.Conn, messageBytes: number): Promise<void> {
  const buffer = new Uint8Array(messageBytes);
  while (await readAll(socket, buffer)) await writeAll(socket, buffer);
}

/** The same for whoever may keep what came: each has memory of its own. */
async function echoKept(socket: Deno.Conn, messageBytes: number): Promise<void> {
  for (let message; (message = await readOwned(socket, messageBytes)) !== undefined;) {
    await writeAll(socket, message);
  }
}
