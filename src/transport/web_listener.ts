/**
 * The controller's side of WebSockets: HTTP requests become connections.
 *
 * @module
 */

import { InitializationError } from "../errors.ts";
import { Arrivals } from "./arrivals.ts";
import type { OtherSide } from "./message_stream.ts";
import { OpenSockets } from "./open_sockets.ts";
import {
  type Address,
  type ByteStream,
  cannotListen,
  type Listener,
  type Listening,
} from "./transport.ts";
import { agreedProtocol, type WebGate, webGate, type WebRules } from "./web_gate.ts";
import { webSocketStream } from "./websocket.ts";

/** Where and for whom a controller serves WebSockets. */
export interface WebPlace extends WebRules {
  /** Where it serves them itself; without it, another server hands its requests on. */
  readonly address: { readonly host: string; readonly port: number } | undefined;
}

/** Upgrades requests, from its own server or another one's, until it is closed. */
export class WebListener implements Listener, Listening {
  /** See {@linkcode Listener.address}; empty without an own server. */
  address: Address = {};
  readonly #place: WebPlace;
  readonly #gate: WebGate;
  readonly #sockets = new OpenSockets();
  readonly #arrivals = new Arrivals();
  readonly #stop = new AbortController();
  #server: Deno.HttpServer<Deno.NetAddr> | undefined;
  #ended: Promise<void> | undefined;

  /**
   * @param place Where it serves, and who is let in.
   * @throws {InitializationError} when this runtime cannot serve.
   */
  constructor(place: WebPlace) {
    if (place.address !== undefined && globalThis.Deno?.serve === undefined) {
      throw new InitializationError(
        "Cannot start: this runtime cannot serve by itself; leave web.host and web.port out, and " +
          "have a server hand its requests to g.fetch",
      );
    }
    this.#place = place;
    this.#gate = webGate(place);
  }

  /**
   * Serves by itself, if it has an address.
   *
   * @throws {ConnectionError} when the address cannot be listened on.
   */
  // deno-lint-ignore require-await -- what listens is asynchronous, this one is not
  async listen(): Promise<Listener> {
    const { address } = this.#place;
    if (address !== undefined) this.#serve(address.host, address.port);
    return this;
  }

  #serve(hostname: string, port: number): void {
    const place = `${hostname}:${port}`;
    try {
      this.#server = Deno.serve(
        { hostname, port, signal: this.#stop.signal, onListen() {} },
        (request, info) => this.fetch(request, info),
      );
    } catch (error) {
      throw cannotListen(place, error);
    }
    const shown = hostname.includes(":") ? `[${hostname}]` : hostname;
    this.address = { url: `ws://${shown}:${this.#server.addr.port}/` };
  }

  /**
   * Answers a request: a WebSocket that is let in becomes a connection.
   *
   * @param info What the server tells of it besides; where it comes from, if it is as `Deno.serve` has it.
   */
  async fetch(request: Request, info?: unknown): Promise<Response> {
    const remote = hostnameIn(info);
    const refusal = this.#ended === undefined ? await this.#gate(request) : undefined;
    if (refusal !== undefined) return refusal;
    if (this.#ended !== undefined) return text(503, "The controller has stopped");
    if (globalThis.Deno?.upgradeWebSocket === undefined) {
      return text(501, "This runtime cannot accept WebSockets");
    }
    const protocol = agreedProtocol(request);
    // Once it is upgraded, a request has no headers.
    const other = { holdsBack: holdsBack(request), remote };
    let upgraded: Deno.WebSocketUpgrade;
    try {
      upgraded = Deno.upgradeWebSocket(request, protocol === undefined ? {} : { protocol });
    } catch (error) {
      return text(400, `This is no WebSocket handshake: ${(error as Error).message}`);
    }
    this.#open(upgraded.socket, other);
    return upgraded.response;
  }

  #open(socket: WebSocket, other: OtherSide): void {
    this.#sockets.add(socket);
    const stream = webSocketStream(socket, other);
    socket.onopen = () => this.#arrivals.add(stream);
  }

  /** See {@linkcode Listener.accept}. */
  async accept(): Promise<ByteStream | null> {
    const stream = await this.#arrivals.next();
    if (stream === null) await this.#ended;
    return stream;
  }

  /**
   * See {@linkcode Listener.close}. An own server ends when all its connections are closed, or a
   * little later: it would cut off what they still have to send.
   */
  close(): void {
    this.#ended ??= this.#end();
  }

  async #end(): Promise<void> {
    this.#arrivals.close();
    await this.#sockets.end();
    // Not by `shutdown()`, which waits for requests that somebody has begun and may never finish.
    this.#stop.abort();
    await this.#server?.finished;
  }
}

/**
 * Deno's client leaves Nagle's algorithm on: its second message waits until the first is acknowledged,
 * which a system delays by 40 ms unless something is sent back anyway.
 */
function holdsBack(request: Request): boolean {
  return request.headers.get("user-agent")?.startsWith("Deno/") === true;
}

/** What servers tell beside a request can be anything. */
function hostnameIn(info: unknown): string | undefined {
  const { remoteAddr } = (info ?? {}) as { remoteAddr?: { hostname?: unknown } | null };
  const hostname = remoteAddr?.hostname;
  return typeof hostname === "string" && hostname !== "" ? hostname : undefined;
}

function text(status: number, words: string): Response {
  return new Response(`${words}.\n`, { status });
}
