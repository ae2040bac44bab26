/**
 * A server of WebSockets and nothing else: RFC 6455, section 4.2. Not by the runtime's, which bounds
 * neither what a stranger's message takes nor how long one that is closed stays.
 *
 * @module
 */

import { within } from "../internal/within.ts";
import { CLOSE_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS, MAX_HANDSHAKES } from "../wire/limits.ts";
import { ServerWebSocket } from "./server_websocket.ts";
import type { ByteStream, Listener } from "./transport.ts";
import {
  agreedProtocol,
  holdsBack,
  lists,
  type OnWebRefusal,
  type WebGate,
  type WebRefusal,
} from "./web_gate.ts";
import { BadRequest, readRequest, type WebRequest } from "./web_request.ts";
import { UNAUTHORIZED } from "./websocket_end.ts";

/** RFC 6455, section 1.3: what shows that a server has understood. */
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const KEY = /^[A-Za-z0-9+/]{22}==$/;

/** How long to wait for connections that were closed; a little longer than each of them waits. */
const END_TIMEOUT_MS = CLOSE_TIMEOUT_MS + 1_000;

/** What a server needs. */
export interface WebServerOptions {
  /** Brings the connections. */
  readonly listener: Listener;
  readonly gate: WebGate;
  /** A WebSocket is open. */
  onStream(stream: ByteStream): void;
  readonly onRefusal: OnWebRefusal;
}

/** Answers requests until it is closed. */
export class WebServer {
  readonly #options: WebServerOptions;
  /** Whose request is not answered yet. */
  readonly #asking = new Set<ByteStream>();
  readonly #open = new Set<Promise<void>>();
  readonly #accepting: Promise<void>;

  /** @param options What it needs. */
  constructor(options: WebServerOptions) {
    this.#options = options;
    this.#accepting = this.#accept();
  }

  /** Takes no more connections, and ends those that are not WebSockets yet. */
  close(): void {
    this.#options.listener.close();
    for (const stream of this.#asking) stream.close();
  }

  /** Waits until the address is free, and a little until the WebSockets that were closed are gone. */
  async over(): Promise<void> {
    await this.#accepting;
    await within(Promise.all(this.#open), END_TIMEOUT_MS);
  }

  async #accept(): Promise<void> {
    const { listener, onRefusal } = this.#options;
    for (let stream = await listener.accept(); stream; stream = await listener.accept()) {
      if (this.#asking.size < MAX_HANDSHAKES) this.#answer(stream);
      else {
        stream.close();
        onRefusal(
          { status: 503, words: "Too many others have not finished asking" },
          stream.remote,
        );
      }
    }
  }

  async #answer(stream: ByteStream): Promise<void> {
    this.#asking.add(stream);
    let hasAsked = false;
    const timer = setTimeout(() => {
      if (!hasAsked) this.#tellTooSlow(stream);
      stream.close();
    }, HANDSHAKE_TIMEOUT_MS);
    try {
      const { request, rest } = await readRequest(stream).finally(() => hasAsked = true);
      const lack = lackIn(request);
      const refusal = await this.#options.gate(request) ?? lack;
      const isUnauthorized = refusal?.status === 401 && lack === undefined;
      if (refusal !== undefined && !isUnauthorized) {
        return await this.#refuse(stream, refusal, hasBody(request));
      }
      await send(stream, await welcome(request));
      const socket = this.#begin(stream, rest, request);
      if (refusal === undefined) return this.#options.onStream(socket.stream);
      this.#options.onRefusal(refusal, stream.remote);
      socket.stream.refuse(UNAUTHORIZED, refusal.words);
      await socket.over; // it counts as one that asks until then
    } catch (error) {
      if (error instanceof BadRequest) {
        const refusal = { status: error.status, words: error.message };
        await this.#refuse(stream, refusal, true).catch(() => {});
      }
      stream.close();
    } finally {
      clearTimeout(timer);
      this.#asking.delete(stream);
    }
  }

  #tellTooSlow(stream: ByteStream): void {
    const words = `It did not ask for a WebSocket within ${HANDSHAKE_TIMEOUT_MS} ms`;
    this.#options.onRefusal({ status: 408, words }, stream.remote);
  }

  /** @param reads Whether there is more to come, which must be read before the answer is sure to arrive. */
  async #refuse(stream: ByteStream, refusal: WebRefusal, reads: boolean): Promise<void> {
    const { status, words, headers } = refusal;
    this.#options.onRefusal(refusal, stream.remote);
    const text = `${words}.\n`;
    const length = String(new TextEncoder().encode(text).length);
    const all = { ...headers, "content-length": length, connection: "close" };
    await send(stream, head(`${status} `, all) + text);
    if (reads) { for (const into = new Uint8Array(4096); await stream.read(into) !== null;); }
    stream.close();
  }

  #begin(stream: ByteStream, rest: Uint8Array, request: WebRequest): ServerWebSocket {
    const other = { holdsBack: holdsBack(request), remote: stream.remote };
    const socket = new ServerWebSocket(stream, rest, other);
    this.#open.add(socket.over);
    socket.over.then(() => this.#open.delete(socket.over));
    return socket;
  }
}

/** What a request lacks to become a WebSocket. */
function lackIn(request: WebRequest): WebRefusal | undefined {
  const { method, headers } = request;
  if (headers.get("sec-websocket-version") !== "13") {
    const words = "Version 13 of WebSockets is needed";
    return { status: 426, words, headers: { "sec-websocket-version": "13" } };
  }
  const asks = lists(request, "connection", "upgrade");
  const key = headers.get("sec-websocket-key") ?? "";
  if (method === "GET" && asks && KEY.test(key) && !hasBody(request)) return undefined;
  const words = "This is no WebSocket handshake: it needs GET, Connection: Upgrade and a key";
  return { status: 400, words };
}

function hasBody({ headers }: WebRequest): boolean {
  return headers.has("transfer-encoding") || (headers.get("content-length") ?? "0") !== "0";
}

async function welcome(request: WebRequest): Promise<string> {
  const key = new TextEncoder().encode(request.headers.get("sec-websocket-key") + GUID);
  const accept = new Uint8Array(await crypto.subtle.digest("SHA-1", key));
  const protocol = agreedProtocol(request);
  return head("101 Switching Protocols", {
    upgrade: "websocket",
    connection: "Upgrade",
    "sec-websocket-accept": btoa(String.fromCharCode(...accept)),
    ...(protocol && { "sec-websocket-protocol": protocol }),
  });
}

function head(status: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status}`, ...lines, "", ""].join("\r\n");
}

async function send(stream: ByteStream, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await stream.write(bytes.subarray(at));
}
