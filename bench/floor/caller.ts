/**
 * The caller's end of the floor: nothing but bytes, in messages as long as the frames of the same
 * work. There is nothing per message: what one read has completed is sent again in one write.
 */

import { MessagePackCodec } from "../../src/wire/codec.ts";
import { HEADER_BYTES } from "../../src/wire/limits.ts";
import { lanes, type Operation } from "../measure.ts";
import { type Meeting, meeting, serveOperations } from "../program.ts";
import { ECHO_IN_FLIGHT, type Work, type WorkName, WORKS } from "../works.ts";
import { promisedEchoes } from "./promised.ts";
import {
  BUFFER_BYTES,
  dial,
  drain,
  type Hello,
  type Listening,
  pour,
  readAll,
  readOwned,
  sendHello,
  writeAll,
} from "./socket.ts";

const { through, results = false, connections = 1 } = meeting<
  Meeting & { through: Listening; results?: boolean; connections?: number }
>();
const codec = new MessagePackCodec();
const ADD_BYTES = frameBytes([1, 2]);
const ITEM_BYTES = frameBytes(100_000);

/** Connections of the present work. */
const open: Deno.Conn[] = [];
await serveOperations(async (name) => {
  for (const socket of open.splice(0)) socket.close();
  return await floorOf(await connect(), name);
}, () => Promise.resolve());

async function connect(): Promise<Deno.Conn> {
  const socket = await dial(through);
  open.push(socket);
  return socket;
}

/** So many connections, this one among them, on which each message comes back. */
async function echoing(
  socket: Deno.Conn,
  messageBytes: number,
  count: number,
): Promise<Deno.Conn[]> {
  const sockets = [socket];
  while (sockets.length < count) sockets.push(await connect());
  for (const each of sockets) await sendHello(each, { mode: "echo", messageBytes, count: 0 });
  return sockets;
}

/** Length of the frame that carries a value. */
function frameBytes(value: unknown): number {
  return HEADER_BYTES + codec.encode(value, "args").length;
}

async function floorOf(socket: Deno.Conn, name: WorkName): Promise<Operation | undefined> {
  const work: Work = WORKS[name];
  if (results && !["sequential", "add", "echo", "echoBytes"].includes(work.kind)) return undefined;
  const begin = (hello: Hello) => sendHello(socket, hello);
  switch (work.kind) {
    case "broadcast":
      return await toMany(socket, work.targets);
    case "sequential":
      if (connections > 1) return { call: await amongMany(socket, ADD_BYTES) };
      await begin({ mode: "echo", messageBytes: ADD_BYTES, count: 0 });
      return oneAtATime(socket, ADD_BYTES);
    case "add":
      if (connections > 1) {
        return lanes(await amongMany(socket, ADD_BYTES), Math.min(work.inFlight, connections));
      }
      await begin({ mode: "echo", messageBytes: ADD_BYTES, count: 0 });
      return echoes(socket, ADD_BYTES, work.inFlight);
    case "echo": {
      const messageBytes = frameBytes([work.value]);
      await begin({ mode: "echo", messageBytes, count: 0 });
      return echoes(socket, messageBytes, ECHO_IN_FLIGHT);
    }
    case "echoBytes": {
      const messageBytes = HEADER_BYTES + work.bytes;
      await begin({ mode: results ? "keep" : "echo", messageBytes, count: 0 });
      const message = new Uint8Array(messageBytes);
      const call = async () => {
        await writeAll(socket, message);
        await (results ? readOwned(socket, messageBytes) : readAll(socket, message));
      };
      const burst = async (count: number) => {
        for (let n = 0; n < count; n++) await call();
      };
      return { burst, bytesEach: work.bytes };
    }
    case "oneWay":
    case "upload":
      return inConnections(async (socket, count) => {
        const messageBytes = work.kind === "oneWay" ? ADD_BYTES : ITEM_BYTES;
        await sendHello(socket, { mode: "sink", messageBytes, count });
        await pour(socket, messageBytes, count);
        await socket.read(new Uint8Array(1));
      });
    case "download":
      return inConnections(async (socket, count) => {
        await sendHello(socket, { mode: "source", messageBytes: ITEM_BYTES, count });
        await drain(socket, ITEM_BYTES, count);
      });
  }
}

function oneAtATime(
  socket: Deno.Conn,
  messageBytes: number,
): { call(): Promise<void> } {
  if (results) return { call: promisedEchoes(socket, messageBytes, 1) };
  const message = new Uint8Array(messageBytes);
  return {
    async call() {
      await writeAll(socket, message);
      await readAll(socket, message);
    },
  };
}

/** A message there and back on any of many connections, which has no other under way. */
async function amongMany(socket: Deno.Conn, messageBytes: number): Promise<() => Promise<void>> {
  const idle = await echoing(socket, messageBytes, connections);
  const message = new Uint8Array(messageBytes);
  return async () => {
    const at = Math.floor(Math.random() * idle.length);
    const chosen = idle[at]!;
    idle[at] = idle.at(-1)!;
    idle.pop();
    await writeAll(chosen, message);
    await readAll(chosen, new Uint8Array(messageBytes));
    idle.push(chosen);
  };
}

/** A message to each of many, and all of them back; the relay is sent one, and copies it. */
async function toMany(socket: Deno.Conn, targets: number): Promise<Operation> {
  const messageBytes = ADD_BYTES;
  let sockets = [socket];
  if (through === "relay") await sendHello(socket, { mode: "fan", messageBytes, count: targets });
  else sockets = await echoing(socket, messageBytes, targets);
  const message = new Uint8Array(messageBytes);
  return {
    async call() {
      for (const each of sockets) each.write(message);
      await Promise.all(
        sockets.map((each) =>
          readAll(each, new Uint8Array(messageBytes * targets / sockets.length))
        ),
      );
    },
  };
}

/** Writes while it reads: messages that fill the socket would block both sides otherwise. */
function echoes(socket: Deno.Conn, messageBytes: number, inFlight: number): Operation {
  if (results) return lanes(promisedEchoes(socket, messageBytes, inFlight), inFlight);
  const messages = new Uint8Array(messageBytes * inFlight);
  const incoming = new Uint8Array(BUFFER_BYTES);
  const burst = async (count: number) => {
    let allowed = Math.min(count, inFlight);
    let toSend = count;
    let writing = false;
    const write = async () => {
      writing = true;
      while (allowed > 0) {
        const now = allowed;
        allowed = 0;
        toSend -= now;
        await writeAll(socket, messages.subarray(0, messageBytes * now));
      }
      writing = false;
    };
    let written = write();
    let toReceive = count;
    let partial = 0;
    while (toReceive > 0) {
      const bytes = await socket.read(incoming);
      if (bytes === null) throw new Error("The connection has ended");
      const whole = Math.floor((partial + bytes) / messageBytes);
      partial += bytes - whole * messageBytes;
      toReceive -= whole;
      allowed = Math.min(allowed + whole, toSend);
      if (!writing) written = write();
    }
    await written;
  };
  return { burst };
}

function inConnections(run: (socket: Deno.Conn, count: number) => Promise<void>): Operation {
  const burst = async (count: number) => {
    const socket = await dial(through);
    await run(socket, count);
    socket.close();
  };
  return { burst };
}
