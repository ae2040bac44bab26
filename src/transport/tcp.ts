/**
 * TCP through `Deno.listen` and `Deno.connect`, with or without TLS.
 *
 * @module
 */

import { ConnectionError } from "../errors.ts";
import { SocketStream } from "./socket_stream.ts";
import type { TlsSettings } from "./places.ts";
import { checkCertificate, listenTls, startTls } from "./tls.ts";
import {
  acceptFrom,
  type Address,
  BACKLOG,
  type ByteStream,
  cannotListen,
  isLoop,
  LED_BACK,
  type Listener,
  type OnTrouble,
  type Transport,
} from "./transport.ts";

/** A connection that is not made so soon after it was given up is taken for one that nobody will answer. */
const LATE_MS = 100;

/**
 * Makes the TCP transport for an address.
 *
 * @param host Where to listen, or whom to connect to.
 * @param port Its port; 0 lets the system choose one when listening.
 * @param tls What encrypts it; without it nothing does.
 */
export function tcpTransport(host: string, port: number, tls?: TlsSettings): Transport {
  const description = `${host}:${port}`;
  const attempts = new Set<Promise<unknown>>();
  return {
    description,
    async listen(onTrouble?: OnTrouble): Promise<Listener> {
      if (tls !== undefined) checkCertificate(tls);
      try {
        if (tls !== undefined) return await listenTls(host, port, tls, onTrouble);
        const listener = Deno.listen({
          transport: "tcp",
          hostname: host,
          port,
          tcpBacklog: BACKLOG,
        });
        return new TcpListener(listener, host, onTrouble);
      } catch (error) {
        throw cannotListen(description, error);
      }
    },
    async connect(signal?: AbortSignal): Promise<{ stream: ByteStream; address: Address }> {
      try {
        const socket = await open(host, port, signal, attempts);
        if (isLoop(socket.localAddr, socket.remoteAddr)) {
          socket.close();
          throw new Error(LED_BACK);
        }
        socket.setNoDelay(true);
        const stream = tls === undefined
          ? new SocketStream(socket)
          : await startTls(socket, host, tls);
        return { stream, address: { host, port } };
      } catch (error) {
        throw new ConnectionError(
          `Cannot connect to the controller at ${description}: ${(error as Error).message}`,
          { cause: error },
        );
      }
    },
    async end(): Promise<void> {
      await Promise.all(attempts);
    },
  };
}

/**
 * Connects, and gives up at once when it is told to. What is under way then is closed if it is made after all. The
 * runtime is told to give up only later, if nobody has answered: what it has just connected when it is told, it loses,
 * and keeps its file descriptor for ever. Not to tell it would keep the process alive for two minutes.
 *
 * @param attempts Where it is kept until nothing is left of it.
 */
function open(
  hostname: string,
  port: number,
  signal: AbortSignal | undefined,
  attempts: Set<Promise<unknown>>,
): Promise<Deno.TcpConn> {
  return new Promise((resolve, reject) => {
    const attempt = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const giveUp = () => {
      timer = setTimeout(() => attempt.abort(), LATE_MS);
      reject(signal!.reason);
    };
    const connecting = Deno.connect({ hostname, port, signal: attempt.signal })
      .then((socket) => timer === undefined ? resolve(socket) : socket.close(), reject)
      .finally(() => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", giveUp);
        attempts.delete(connecting);
      });
    attempts.add(connecting);
    if (signal?.aborted) giveUp();
    else signal?.addEventListener("abort", giveUp);
  });
}

class TcpListener implements Listener {
  readonly address: Address;
  #listener: Deno.TcpListener;
  #onTrouble: OnTrouble | undefined;
  #closed = false;

  constructor(listener: Deno.TcpListener, host: string, onTrouble: OnTrouble | undefined) {
    this.#listener = listener;
    this.#onTrouble = onTrouble;
    this.address = { host, port: listener.addr.port };
  }

  async accept(): Promise<ByteStream | null> {
    const accept = () => this.#acceptOne();
    const socket = await acceptFrom({ accept }, () => this.#closed, this.#onTrouble);
    return socket && new SocketStream(socket);
  }

  async #acceptOne(): Promise<Deno.TcpConn> {
    const socket = await this.#listener.accept();
    try {
      socket.setNoDelay(true);
      return socket;
    } catch (error) {
      socket.close(); // macOS refuses to set anything for a peer that has hung up already
      throw error;
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
  }
}
