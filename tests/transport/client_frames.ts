/**
 * What a WebSocket client sends, byte by byte.
 *
 * @module
 */

import { OPCODE } from "../../src/transport/websocket_reader.ts";

/** What may be different about a frame. */
export interface FrameOptions {
  /** Whether its message ends with it. */
  last?: boolean;
  mask?: readonly number[];
  /** Bits of extensions: 64, 32 and 16. */
  reserved?: number;
  /** What it says of its length. */
  length?: number;
}

/** A masked frame: RFC 6455, section 5.2. */
export function clientFrame(
  opcode: number,
  payload: Uint8Array,
  options: FrameOptions = {},
): Uint8Array {
  const { last = true, mask = [1, 2, 3, 4], reserved = 0, length = payload.length } = options;
  const size = length < 126 ? [length] : length < 65_536 ? [126] : [127];
  const extended = new Uint8Array(size[0] === 127 ? 8 : size[0] === 126 ? 2 : 0);
  const view = new DataView(extended.buffer);
  if (size[0] === 127) view.setBigUint64(0, BigInt(length));
  else if (size[0] === 126) view.setUint16(0, length);
  const masked = payload.map((byte, i) => byte ^ mask[i % 4]!);
  const first = (last ? 128 : 0) | reserved | opcode;
  return Uint8Array.from([first, 128 | size[0]!, ...extended, ...mask, ...masked]);
}

/** A goodbye with a status. */
export function goodbye(status: number, reason = ""): Uint8Array {
  const words = new TextEncoder().encode(reason);
  return clientFrame(OPCODE.close, Uint8Array.of(status >> 8, status & 255, ...words));
}

/** A request that is let in, but for the headers that are given. */
export function upgradeRequest(host: string, headers: Record<string, string> = {}): Uint8Array {
  const all = {
    host,
    connection: "keep-alive, Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return new TextEncoder().encode(["GET /daffi HTTP/1.1", ...lines, "", ""].join("\r\n"));
}
