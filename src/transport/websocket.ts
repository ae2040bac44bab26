/**
 * WebSockets: how nodes reach a controller where nothing else is let through.
 *
 * @module
 */

import { AuthenticationError, ConnectionError } from "../errors.ts";
import { HANDSHAKE_TIMEOUT_MS } from "../wire/limits.ts";
import { type CloseReason, MessageStream, type OtherSide } from "./message_stream.ts";
import { OpenSockets } from "./open_sockets.ts";
import type { Address, ByteStream, Connecting } from "./transport.ts";
import { SUB_PROTOCOL, tokenProtocol } from "./web_token.ts";
import { brokenWebSocket, closedWebSocket } from "./websocket_end.ts";

/** A page and a client may not use the statuses of the RFC, but these that stand for them. */
const PRIVATE_STATUS = 3_000;

/** A server that takes no stranger's WebSocket answers with this; runtimes that tell it use words of their own. */
const REFUSED = /\b401\b/;

type PiecesOf = (bytes: Uint8Array) => Iterable<Uint8Array>;

let piecesOf: PiecesOf | undefined;

/** Has what would wait within a message be sent in several. A page's messages do not wait. */
export function providePieces(provided: PiecesOf): void {
  piecesOf = provided;
}

/**
 * Makes the stream of a WebSocket that may still be connecting.
 *
 * @param other What is known of whoever is at the other end.
 */
export function webSocketStream(socket: WebSocket, other: OtherSide = {}): MessageStream {
  socket.binaryType = "arraybuffer";
  const stream = new MessageStream({
    send(bytes) {
      for (const piece of piecesOf?.(bytes) ?? [bytes]) sendTo(socket, piece);
    },
    sendCredit: (bytes) => sendTo(socket, String(bytes)),
    close: (refusal) => closeSocket(socket, refusal),
  }, other);
  let problem = "";
  socket.onmessage = ({ data }: MessageEvent<ArrayBuffer | string>) => {
    if (typeof data === "string") stream.onText(data);
    else stream.onBytes(new Uint8Array(data));
  };
  socket.onerror = (event) => problem = problemOf(event);
  socket.onclose = ({ code, reason }) => {
    stream.onEnd(problem === "" ? closedWebSocket(code, reason) : brokenWebSocket(problem));
  };
  return stream;
}

function sendTo(socket: WebSocket, data: Uint8Array | string): void {
  // The runtime copies the bytes. Once it is closing, its `close` event tells.
  if (socket.readyState === WebSocket.OPEN) socket.send(data as Uint8Array<ArrayBuffer>);
}

function closeSocket(socket: WebSocket, refusal: CloseReason | undefined): void {
  if (refusal === undefined) return socket.close(1000);
  try {
    socket.close(refusal.status, refusal.reason);
  } catch {
    socket.close(PRIVATE_STATUS + refusal.status, refusal.reason);
  }
}

/** Only some runtimes tell what is wrong. */
function problemOf(event: Event): string {
  return (event as ErrorEvent).message || "it broke";
}

/**
 * Makes the transport for a URL.
 *
 * @param url Begins with `ws:` or `wss:`.
 * @param token What the controller's `web.tokens` must have.
 */
export function webSocketTransport(url: string, token?: string): Connecting {
  const sockets = new OpenSockets();
  const protocols = token === undefined ? [SUB_PROTOCOL] : [SUB_PROTOCOL, tokenProtocol(token)];
  return {
    description: url,
    async connect(): Promise<{ stream: ByteStream; address: Address }> {
      try {
        const socket = new WebSocket(url, protocols);
        sockets.add(socket);
        const stream = webSocketStream(socket);
        await opened(socket);
        return { stream, address: { url } };
      } catch (error) {
        const { message } = error as Error;
        const Failure = REFUSED.test(message) ? AuthenticationError : ConnectionError;
        throw new Failure(
          `Cannot connect to the controller at ${url}: ${message}; check that it runs there, serves ` +
            "WebSockets at this URL, and lets this origin and token in",
          { cause: error },
        );
      }
    },
    end: () => sockets.end(),
  };
}

async function opened(socket: WebSocket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.addEventListener("open", () => resolve());
  socket.addEventListener("error", (event) => reject(new Error(problemOf(event))));
  socket.addEventListener("close", () => reject(new Error("it was closed")));
  const timer = setTimeout(() => {
    reject(new Error(`nobody answered within ${HANDSHAKE_TIMEOUT_MS} ms`));
    socket.close();
  }, HANDSHAKE_TIMEOUT_MS);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
}
