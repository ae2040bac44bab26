/**
 * Bytes as fast as they move: `Deno.Conn` with buffers of one's own.
 *
 * @module
 */

import { join } from "@std/path";
import { keepFreedMemory } from "../../src/transport/freed_memory.ts";
import { type Meeting, meeting } from "../program.ts";

/** The argument of the programs here. */
export interface FloorMeeting extends Meeting {
  /** TCP ports, told by those who listen. */
  readonly calleePort?: number;
  readonly relayPort?: number;
}

/** Who listens. */
export type Listening = "callee" | "relay";

/** Size of {@linkcode Hello} on the wire. */
export const HELLO_BYTES = 16;

/** Size of the buffers into which small messages are read. */
export const BUFFER_BYTES: number = 256 * 1024;

/** What the first bytes of a connection say of the others. */
export interface Hello {
  /**
   * Send each message back; the same, with memory of its own for each; the same on several connections;
   * take all, and say so by one byte; send all.
   */
  readonly mode: "echo" | "keep" | "fan" | "sink" | "source";
  readonly messageBytes: number;
  /** Messages, or connections; 0 for as many as come. */
  readonly count: number;
}

const MODES = ["echo", "keep", "fan", "sink", "source"] as const;

/** Listens where {@linkcode dial} finds it; the fields are for `ready`. */
export function listen(who: Listening): { listener: Deno.Listener; fields: object } {
  const { transport, directory } = meeting<FloorMeeting>();
  if (transport === "unix") {
    return { listener: Deno.listen({ transport, path: join(directory, who) }), fields: {} };
  }
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return { listener, fields: { [`${who}Port`]: listener.addr.port } };
}

/** Connects to who listens. */
export async function dial(who: Listening): Promise<Deno.Conn> {
  const { transport, directory, [`${who}Port` as const]: port } = meeting<FloorMeeting>();
  if (transport === "unix") {
    return await Deno.connect({ transport, path: join(directory, who) });
  }
  return withoutDelay(await Deno.connect({ hostname: "127.0.0.1", port: port! }));
}

/** Has TCP send at once what is written. */
export function withoutDelay(socket: Deno.Conn): Deno.Conn {
  if ("setNoDelay" in socket) (socket as Deno.TcpConn).setNoDelay(true);
  return socket;
}

/** Says what is to come. */
export async function sendHello(socket: Deno.Conn, hello: Hello): Promise<void> {
  const bytes = new DataView(new ArrayBuffer(HELLO_BYTES));
  bytes.setUint32(0, MODES.indexOf(hello.mode));
  bytes.setUint32(4, hello.messageBytes);
  bytes.setFloat64(8, hello.count);
  await writeAll(socket, new Uint8Array(bytes.buffer));
}

/** Reads what is to come; `undefined` if nothing does. */
export async function readHello(socket: Deno.Conn): Promise<Hello | undefined> {
  const bytes = new Uint8Array(HELLO_BYTES);
  if (!await readAll(socket, bytes)) return undefined;
  const view = new DataView(bytes.buffer);
  const mode = MODES[view.getUint32(0)]!;
  return { mode, messageBytes: view.getUint32(4), count: view.getFloat64(8) };
}

/** Writes all of it. */
export async function writeAll(socket: Deno.Conn, bytes: Uint8Array): Promise<void> {
  let written = await socket.write(bytes);
  while (written < bytes.length) written += await socket.write(bytes.subarray(written));
}

/** Fills the array; false if the connection ends before. */
export async function readAll(socket: Deno.Conn, bytes: Uint8Array): Promise<boolean> {
  let there = 0;
  while (there < bytes.length) {
    const count = await socket.read(there === 0 ? bytes : bytes.subarray(there));
    if (count === null) return false;
    there += count;
  }
  return true;
}

/** A message in memory of its own, for whoever may keep it; `undefined` if the connection ends before. */
export async function readOwned(
  socket: Deno.Conn,
  messageBytes: number,
): Promise<Uint8Array | undefined> {
  keepFreedMemory(); // as this module does
  const message = new Uint8Array(messageBytes);
  return await readAll(socket, message) ? message : undefined;
}

/** Sends messages behind each other, many in one write. */
export async function pour(socket: Deno.Conn, messageBytes: number, count: number): Promise<void> {
  const bytes = new Uint8Array(BUFFER_BYTES);
  let left = messageBytes * count;
  while (left > 0) {
    const piece = left < bytes.length ? bytes.subarray(0, left) : bytes;
    await writeAll(socket, piece);
    left -= piece.length;
  }
}

/** Takes as many bytes as {@linkcode pour} sends. */
export async function drain(socket: Deno.Conn, messageBytes: number, count: number): Promise<void> {
  const bytes = new Uint8Array(BUFFER_BYTES);
  let left = messageBytes * count;
  while (left > 0) left -= await socket.read(bytes) ?? left;
}
