/**
 * A node written from `docs/protocol.md` alone. It does what it is told to, also what no node may.
 *
 * @module
 */

import { decode, encode } from "@msgpack/msgpack";
import { within } from "../helpers/soon.ts";
import type { Place } from "./network.ts";
import type { RawConnection } from "./raw_web_socket.ts";

/** Kinds of frame. */
export const KIND = {
  HELLO: 0x01,
  WELCOME: 0x02,
  REFUSED: 0x03,
  CHALLENGE: 0x04,
  PROOF: 0x05,
  OFFER: 0x06,
  WITHDRAW: 0x07,
  DIRECTORY: 0x08,
  LEAVE: 0x09,
  SHUTDOWN: 0x0a,
  PING: 0x0b,
  PONG: 0x0c,
  PAUSE: 0x0d,
  RESUME: 0x0e,
  CALL: 0x10,
  BROADCAST: 0x11,
  TARGETS: 0x12,
  RESULT: 0x13,
  ERROR: 0x14,
  CANCEL: 0x15,
  UNDELIVERED: 0x16,
  PART: 0x17,
  STREAM: 0x18,
  ITEM: 0x19,
  END: 0x1a,
  FAIL: 0x1b,
  CREDIT: 0x1c,
  STOP: 0x1d,
} as const;

/** The flag of calls that want no answer. */
export const NO_REPLY = 1;

/** The flag of frames whose payload comes in parts. */
export const IN_PARTS = 4;

/** A frame's header and its payload. */
export interface RawFrame {
  kind: number;
  flags: number;
  stream: number;
  call: number;
  peer: number;
  name: number;
  value: number;
  payload: Uint8Array;
}

const HEADER_BYTES = 24;

/** What both sides send first. */
export const PREFACE = new Uint8Array([...new TextEncoder().encode("DAFFI"), 0, 0, 1]);

/** Lays a frame out. */
export function rawFrame(kind: number, fields: Partial<RawFrame> = {}): Uint8Array<ArrayBuffer> {
  const { flags = 0, stream = 0, call = 0, peer = 0, name = 0, value = 0 } = fields;
  const payload = fields.payload ?? new Uint8Array(0);
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, HEADER_BYTES - 4 + payload.length);
  view.setUint8(4, kind);
  view.setUint8(5, flags);
  view.setUint16(6, stream);
  view.setUint32(8, call);
  view.setUint32(12, peer);
  view.setUint32(16, name);
  view.setUint32(20, value);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** The payload of `HELLO`, and as much of it as a test wants otherwise. */
export function hello(process: string, fields: Record<string, unknown> = {}): Uint8Array {
  return encode({
    process,
    instance: crypto.randomUUID(),
    maxFrameBytes: 64 * 1024 * 1024,
    callbacks: [],
    ...fields,
  });
}

type ProcessEntry = [id: number, name: string, callbacks: [nameId: number, name: string][]];

/** A connection whose frames are read when the test says so. */
export class RawPeer implements Disposable {
  /** Who is there, by name, as told so far. */
  readonly processes = new Map<string, ProcessEntry>();
  readonly #conn: RawConnection;
  #buffer = new Uint8Array(0);
  #prefaceAhead = true;
  #hungUp = false;

  private constructor(conn: RawConnection) {
    this.#conn = conn;
  }

  /** Takes a connection on which nothing was said yet. */
  static over(conn: Deno.Conn): RawPeer {
    return new RawPeer(conn);
  }

  /** Connects and sends the preface. */
  static async connect(place: Pick<Place, "dial">): Promise<RawPeer> {
    const peer = new RawPeer(await place.dial());
    await peer.write(PREFACE);
    return peer;
  }

  /** Connects and joins. */
  static async join(
    place: Pick<Place, "dial">,
    process: string,
    callbacks: string[] = [],
  ): Promise<RawPeer> {
    const peer = await RawPeer.connect(place);
    await peer.send(KIND.HELLO, { payload: hello(process, { callbacks }) });
    const welcome = await peer.read();
    if (welcome?.kind !== KIND.WELCOME) throw new Error(`not welcome: ${welcome?.kind}`);
    const { processes } = decode(welcome.payload) as { processes: ProcessEntry[] };
    for (const entry of processes) peer.processes.set(entry[1], entry);
    return peer;
  }

  /** Number of a process that was there when this one joined. */
  idOf(process: string): number {
    return this.processes.get(process)![0];
  }

  /** Number of a callback's name. */
  nameOf(process: string, callback: string): number {
    return this.processes.get(process)![2].find(([, name]) => name === callback)![0];
  }

  /** Writes all of it. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  /** Writes a frame. */
  async send(kind: number, fields: Partial<RawFrame> = {}): Promise<void> {
    await this.write(rawFrame(kind, fields));
  }

  /** The next frame; `null` when the connection is over. */
  async read(): Promise<RawFrame | null> {
    if (this.#prefaceAhead) {
      if (await this.#take(PREFACE.length) === null) return null;
      this.#prefaceAhead = false;
    }
    const header = await this.#take(HEADER_BYTES);
    if (header === null) return null;
    const view = new DataView(header.buffer, header.byteOffset);
    const payload = await this.#take(view.getUint32(0) - (HEADER_BYTES - 4));
    if (payload === null) return null;
    return {
      kind: view.getUint8(4),
      flags: view.getUint8(5),
      stream: view.getUint16(6),
      call: view.getUint32(8),
      peer: view.getUint32(12),
      name: view.getUint32(16),
      value: view.getUint32(20),
      payload,
    };
  }

  /** The next frame of a kind; others are skipped. */
  async readUntil(kind: number): Promise<RawFrame> {
    const find = async () => {
      for (let frame = await this.read(); frame !== null; frame = await this.read()) {
        if (frame.kind === kind) return frame;
      }
      throw new Error(`the connection ended before a frame of kind ${kind}`);
    };
    return await within(`a frame of kind ${kind}`, find());
  }

  /** Reads until the other side has closed the connection. */
  async closed(): Promise<void> {
    const drain = async () => {
      while (await this.read() !== null);
    };
    await within("the end of the connection", drain());
  }

  async #take(count: number): Promise<Uint8Array | null> {
    while (this.#buffer.length < count) {
      const chunk = new Uint8Array(Math.max(65_536, count - this.#buffer.length));
      const got = await this.#conn.read(chunk).catch((error) => {
        if (error instanceof Deno.errors.ConnectionReset) return null;
        throw error;
      });
      if (got === null) return null;
      const joined = new Uint8Array(this.#buffer.length + got);
      joined.set(this.#buffer);
      joined.set(chunk.subarray(0, got), this.#buffer.length);
      this.#buffer = joined;
    }
    const taken = this.#buffer.subarray(0, count);
    this.#buffer = this.#buffer.subarray(count);
    return taken;
  }

  /** Hangs up. */
  [Symbol.dispose](): void {
    if (this.#hungUp) return;
    this.#hungUp = true;
    this.#conn.close();
  }
}
