/**
 * The process in the middle: copies bytes, without looking at them but for the first ones, which say
 * whether they go to one connection or to several.
 */

import { ready, stay } from "../program.ts";
import {
  BUFFER_BYTES,
  dial,
  listen,
  readHello,
  sendHello,
  withoutDelay,
  writeAll,
} from "./socket.ts";

const { listener, fields } = listen("relay");
accept();
ready(fields);
await stay(() => Promise.resolve());

async function accept(): Promise<void> {
  for await (const near of listener) serve(withoutDelay(near));
}

async function serve(near: Deno.Conn): Promise<void> {
  const hello = await readHello(near);
  if (hello === undefined) return near.close();
  const { mode, messageBytes, count } = hello;
  if (mode !== "fan") {
    const far = await dial("callee");
    await sendHello(far, hello);
    copy(near, far);
    copy(far, near);
    return;
  }
  const far: Deno.Conn[] = [];
  for (let i = 0; i < count; i++) {
    far.push(await dial("callee"));
    await sendHello(far[i]!, { mode: "echo", messageBytes, count: 0 });
  }
  fanOut(near, far);
  gather(far, near);
}

async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  try {
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
      await writeAll(to, buffer.subarray(0, count));
    }
    to.close();
  } catch {
    // The other direction has closed it.
  }
}

/** What comes goes to all. */
async function fanOut(from: Deno.Conn, to: readonly Deno.Conn[]): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
    const bytes = buffer.subarray(0, count);
    await Promise.all(to.map((each) => writeAll(each, bytes)));
  }
  for (const each of to) each.close();
}

/** What comes from all in one turn goes in one write. */
function gather(from: readonly Deno.Conn[], to: Deno.Conn): void {
  let waiting: Uint8Array[] = [];
  const write = () => {
    const bytes = new Uint8Array(waiting.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const each of waiting) at += (bytes.set(each, at), each.length);
    waiting = [];
    writeAll(to, bytes);
  };
  for (const each of from) {
    read(each, (bytes) => {
      if (waiting.push(bytes) === 1) queueMicrotask(write);
    }).finally(() => each === from[0] && to.close());
  }
}

async function read(from: Deno.Conn, onBytes: (bytes: Uint8Array) => void): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES / 64);
  try {
    for (let count = await from.read(buffer); count !== null; count = await from.read(buffer)) {
      onBytes(buffer.slice(0, count));
    }
  } catch {
    // It was closed here.
  }
}
