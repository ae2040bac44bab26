/**
 * The controller's side of WebSockets: HTTP requests become connections.
 *
 * @module
 */

import { Arrivals } from "./arrivals.ts";
import type { OtherSide } from "./message_stream.ts";
import { OpenSockets } from "./open_sockets.ts";
import type { WebPlace } from "./places.ts";
import { socketTransport } from "./sockets.ts";
import type { Address, ByteStream, Listener, Listening, OnTrouble } from "./transport.ts";
import {
  agreedProtocol,
  holdsBack,
  type OnWebRefusal,
  type WebGate,
  webGate,
  type WebRefusal,
} from "./web_gate.ts";
import { WebServer } from "./web_server.ts";
import { webSocketStream } from "./websocket.ts";

/** Upgrades requests, from its own server or another one's, until it is closed. */
export class WebListener implements Listener, Listening {
  /** See {@linkcode Listener.address}; empty without an own server. */
  address: Address = {};
  readonly #place: WebPlace;
  readonly #gate: WebGate;
  readonly #onRefusal: OnWebRefusal;
  readonly #sockets = new OpenSockets();
  readonly #arrivals = new Arrivals();
  #server: WebServer | undefined;
  #ended: Promise<void> | undefined;

  /**
   * @param place Where it serves, and who is let in.
   * @param onRefusal Hears of who is not.
   */
  constructor(place: WebPlace, onRefusal: OnWebRefusal) {
    this.#place = place;
    this.#gate = webGate(place);
    this.#onRefusal = onRefusal;
  }

  /**
   * Serves by itself, if it has an address.
   *
   * @throws {ConnectionError} when the address cannot be listened on.
   * @throws {InitializationError} when this runtime has no sockets.
   */
  async listen(onTrouble?: OnTrouble): Promise<Listener> {
    const { address } = this.#place;
    if (address === undefined) return this;
    const listener = await socketTransport({ kind: "tcp", ...address }).listen(onTrouble);
    this.#server = new WebServer({
      listener,
      gate: this.#gate,
      onStream: (stream) => this.#arrivals.add(stream),
      onRefusal: this.#onRefusal,
    });
    const { host, port } = address;
    const shown = /^[^[].*:/.test(host) ? `[${host}]` : host;
    this.address = { url: `ws://${shown}:${listener.address.port ?? port}/` };
    return this;
  }

  /**
   * Answers a request: a WebSocket that is let in becomes a connection.
   *
   * @param info What the server tells of it besides; where it comes from, if it is as `Deno.serve` has it.
   */
  async fetch(request: Request, info?: unknown): Promise<Response> {
    if (this.#ended !== undefined) {
      return answer({ status: 503, words: "The controller has stopped" });
    }
    const remote = hostnameIn(info);
    const refusal = await this.#gate(request);
    if (refusal !== undefined) {
      this.#onRefusal(refusal, remote);
      return answer(refusal);
    }
    if (globalThis.Deno?.upgradeWebSocket === undefined) {
      const words =
        "Only Deno can make a WebSocket of a request; web.host and web.port serve others";
      return answer({ status: 501, words });
    }
    const protocol = agreedProtocol(request);
    // Once it is upgraded, a request has no headers.
    const other = { holdsBack: holdsBack(request), remote };
    let upgraded: Deno.WebSocketUpgrade;
    try {
      // Nodes have heartbeats; Deno's keep a process for up to 15 s when a socket has ended by an error.
      const options = { idleTimeout: 0, ...(protocol === undefined ? {} : { protocol }) };
      upgraded = Deno.upgradeWebSocket(request, options);
    } catch (error) {
      const words = `This is no WebSocket handshake: ${(error as Error).message}`;
      return answer({ status: 400, words });
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

  /** See {@linkcode Listener.close}. Connections go on until whoever has them closes them. */
  close(): void {
    this.#ended ??= this.#end();
  }

  async #end(): Promise<void> {
    this.#arrivals.close();
    this.#server?.close();
    await Promise.all([this.#sockets.end(), this.#server?.over()]);
  }
}

/** What servers tell beside a request can be anything. */
function hostnameIn(info: unknown): string | undefined {
  const { remoteAddr } = (info ?? {}) as { remoteAddr?: { hostname?: unknown } | null };
  const hostname = remoteAddr?.hostname;
  return typeof hostname === "string" && hostname !== "" ? hostname : undefined;
}

function answer({ status, words, headers = {} }: WebRefusal): Response {
  return new Response(`${words}.\n`, { status, headers });
}
