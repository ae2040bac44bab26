/**
 * TLS on top of TCP.
 *
 * @module
 */

import type * as nodeCrypto from "node:crypto";
import type * as net from "node:net";
import type * as tls from "node:tls";
import { AuthenticationError, InitializationError, ProtocolError } from "../errors.ts";
import { builtinModule } from "../internal/builtin_module.ts";
import { nextTurn } from "../internal/next_turn.ts";
import { Arrivals } from "./arrivals.ts";
import { Inbox } from "./inbox.ts";
import { SocketStream } from "./socket_stream.ts";
import {
  type Address,
  BACKLOG,
  type ByteStream,
  type Listener,
  type OnTrouble,
} from "./transport.ts";
import type { TlsSettings } from "./places.ts";

/**
 * Begins TLS on a connection to a controller. The certificate must be for `host`, and is checked when
 * the first bytes flow, so that the time of the handshake is that of the connection's.
 */
export async function startTls(
  socket: Deno.TcpConn,
  host: string,
  { caCerts = [] }: TlsSettings,
): Promise<ByteStream> {
  return new ClientStream(await Deno.startTls(socket, { hostname: host, caCerts: [...caCerts] }));
}

/** The node's end. */
class ClientStream extends SocketStream {
  override async read(into: Uint8Array): Promise<number | null> {
    try {
      return await super.read(into);
    } catch (error) {
      // Ended without goodbye, as TCP connections do. Whether that was too early, frames tell.
      if (error instanceof Deno.errors.UnexpectedEof) return null;
      throw explain(error as Error);
    }
  }

  override async write(bytes: Uint8Array): Promise<number> {
    try {
      return await super.write(bytes);
    } catch (error) {
      throw explain(error as Error);
    }
  }
}

function explain(error: Error): Error {
  if (!(error instanceof Deno.errors.InvalidData)) return error;
  const { message } = error;
  return message.includes("peer certificate")
    ? new AuthenticationError(`Cannot trust the controller: ${message}`, { cause: error })
    : notTls(error);
}

function notTls(error: Error): ProtocolError {
  return new ProtocolError(`The other side does not do TLS as it should: ${error.message}`, {
    cause: error,
  });
}

/**
 * Whether what a controller is to show to its nodes can be used. The runtime does not look: it would listen, and each
 * node would be told something else.
 *
 * @throws {InitializationError} when it cannot.
 */
export function checkCertificate({ cert, key }: TlsSettings): void {
  const { createPrivateKey, X509Certificate } = builtinModule<typeof nodeCrypto>("node:crypto")!;
  let fits: boolean;
  try {
    // Of several certificates this is the first, as it is in TLS.
    fits = new X509Certificate(cert!).checkPrivateKey(createPrivateKey(key!));
  } catch (cause) {
    const { message } = cause as Error;
    throw new InitializationError(
      `Cannot start: tls.cert or tls.key cannot be read: ${message}`,
      { cause },
    );
  }
  if (fits) return;
  throw new InitializationError(
    "Cannot start: tls.key is not the private key of tls.cert, whose first certificate must be the controller's",
  );
}

/**
 * Listens for TLS connections. By `node:tls`, because a connection of `Deno.listenTls` cannot be
 * closed as long as its handshake is not over, so that strangers who say nothing would stay for ever;
 * nor can it be asked to send small writes at once.
 *
 * @throws What is wrong with the address, or with `tls`.
 */
export async function listenTls(
  host: string,
  port: number,
  { cert, key }: TlsSettings,
  onTrouble: OnTrouble = () => {},
): Promise<Listener> {
  const { createServer } = builtinModule<typeof net>("node:net")!;
  const { createSecureContext, TLSSocket } = builtinModule<typeof tls>("node:tls")!;
  const secureContext = createSecureContext({ cert, key });
  await requestListening(host, port);
  const arrivals = new Arrivals();
  const server = createServer({ noDelay: true }, (socket) => {
    const encrypted = new TLSSocket(socket, { isServer: true, secureContext });
    arrivals.add(new ServerStream(socket, encrypted));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    // An IPv6 address may be in brackets, as in a URL.
    server.listen({ host: host.replace(/^\[|\]$/g, ""), port, backlog: BACKLOG }, resolve);
  });
  server.on("error", onTrouble); // one that could not be accepted does not end the listener
  const address: Address = { host, port: (server.address() as { port: number }).port };
  return {
    address,
    accept: () => arrivals.next(),
    close(): void {
      server.close();
      arrivals.close();
    },
  };
}

/**
 * `node:net` listens on the address that a name stands for, and what Deno does not permit there is thrown where
 * nobody can catch it. `Deno.listen` asks for the name alone.
 */
async function requestListening(hostname: string, port: number): Promise<void> {
  if (globalThis.Deno === undefined) return;
  const listener = Deno.listen({ hostname, port });
  const { addr } = listener;
  listener.close();
  const address = addr.hostname.includes(":") ? `[${addr.hostname}]` : addr.hostname;
  const permission = { name: "net", host: `${address}:${port}` } as const;
  if ((await Deno.permissions.request(permission)).state === "granted") return;
  throw new Error(
    `net permission is missing for ${address}: grant --allow-net=${hostname},${address}`,
  );
}

/** The controller's end. */
class ServerStream implements ByteStream {
  readonly remote: string | undefined;
  readonly #socket: net.Socket;
  readonly #tls: tls.TLSSocket;
  /** What was read, and did not fit where it should go. */
  readonly #inbox = new Inbox();
  /** Why there will be nothing any more; `null` for an orderly end. */
  #end: Error | null | undefined;
  #closed = false;
  #wake = Promise.withResolvers<void>();

  constructor(socket: net.Socket, encrypted: tls.TLSSocket) {
    this.remote = socket.remoteAddress;
    this.#socket = socket;
    this.#tls = encrypted;
    const wake = () => this.#wake.resolve();
    const end = (error: Error | null) => {
      this.#end ??= error;
      wake();
    };
    const fail = (error: Error & { code?: string }) =>
      end(error.code?.startsWith("ERR_SSL") ? notTls(error) : error);
    encrypted.on("readable", wake).on("end", () => end(null)).on("error", fail);
    socket.on("error", fail).on("close", () => end(null));
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#closed || this.#inbox.bytes === 0) {
      if (this.#closed) throw new Error("the connection is closed");
      const bytes: Uint8Array | null = this.#tls.read();
      if (bytes !== null) this.#inbox.add(bytes);
      else if (this.#end === null) return null;
      else if (this.#end !== undefined) throw this.#end;
      else {
        await this.#wake.promise;
        this.#wake = Promise.withResolvers();
      }
    }
    return this.#inbox.take(into);
  }

  async write(bytes: Uint8Array): Promise<number> {
    if (this.#closed) throw new Error("the connection is closed");
    const error = await new Promise<unknown>((written) => this.#tls.write(bytes, written));
    if (!error) return bytes.length;
    await nextTurn(); // why the handshake failed comes after the write that failed by it
    throw this.#end ?? error;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#tls.destroy();
    this.#socket.destroy();
    this.#wake.resolve();
  }
}
