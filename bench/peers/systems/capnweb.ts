/**
 * Cap'n Web over WebSockets. Calls travel as its JSON; bytes in a session of their own as CBOR, for
 * in JSON they would be base64.
 *
 * @module
 */

import {
  newWebSocketRpcSession,
  RpcSession,
  RpcTarget,
  type RpcTransportWithCustomEncoding,
  WebSocketTransport,
} from "capnweb";
import { Encoder } from "cbor-x";
import type { AddressInfo } from "node:net";
import { WebSocket as Socket, WebSocketServer } from "ws";
import type { Contender } from "../../contender.ts";
import type { Meeting } from "../../program.ts";
import { expectAll, numbers, sendAll, Taken } from "../flow.ts";
import type { Crowd } from "../peer.ts";

type CapnWebMeeting = Meeting & {
  /** Those of the runtime, or those of the package `ws`. */
  sockets: "runtime" | "ws";
  calleePort: number;
  crowdPorts?: number[];
};

/** As the documentation of Cap'n Web has it for formats that know bytes. */
class CborTransport implements RpcTransportWithCustomEncoding {
  readonly encodingLevel = "jsonCompatibleWithBytes";
  readonly #inner: WebSocketTransport<ArrayBuffer>;
  readonly #codec = new Encoder({ useRecords: false });

  constructor(socket: WebSocket) {
    this.#inner = new WebSocketTransport<ArrayBuffer>(socket);
  }

  send(message: unknown): number {
    const bytes = this.#codec.encode(message);
    this.#inner.send(bytes as unknown as ArrayBuffer);
    return bytes.length;
  }

  async receive(): Promise<unknown> {
    return this.#codec.decode(new Uint8Array(await this.#inner.receive()));
  }

  abort(reason: unknown): void {
    this.#inner.abort(reason);
  }
}

class Callee extends RpcTarget {
  readonly #oneWay = new Taken();

  add(a: number, b: number): number {
    return a + b;
  }

  echo<T>(value: T): T {
    return value;
  }

  oneWay(n: number): void {
    this.#oneWay.take(n);
  }

  arrived(): number {
    return this.#oneWay.count;
  }

  finish(count: number): void {
    this.#oneWay.finish(count);
  }

  download(count: number): ReadableStream<number> {
    return numberStream(count);
  }

  async upload(stream: ReadableStream<number>): Promise<number> {
    const taken = new Taken();
    for await (const n of stream) taken.take(n);
    return taken.count;
  }
}

function numberStream(count: number): ReadableStream<number> {
  return ReadableStream.from(numbers(count)) as ReadableStream<number>;
}

export async function serve(meeting: CapnWebMeeting): Promise<object> {
  return { calleePort: await listen(meeting) };
}

export async function serveCrowd(meeting: CapnWebMeeting, { nodes }: Crowd): Promise<object> {
  const ports = await Promise.all(Array.from({ length: nodes }, () => listen(meeting)));
  return { crowdPorts: [...meeting.crowdPorts ?? [], ...ports] };
}

function listen({ sockets }: CapnWebMeeting): Promise<number> {
  return sockets === "ws" ? listenByWs() : listenByDeno();
}

function accept(socket: WebSocket, path: string): void {
  const callee = new Callee();
  if (path === "/bytes") new RpcSession(new CborTransport(socket), callee);
  else newWebSocketRpcSession(socket, callee);
}

function listenByWs(): Promise<number> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  server.on("connection", (socket, { url }) => accept(socket as unknown as WebSocket, url!));
  return new Promise((resolve) =>
    server.on("listening", () => resolve((server.address() as AddressInfo).port))
  );
}

function listenByDeno(): Promise<number> {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => {
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.addEventListener("open", () => accept(socket, new URL(request.url).pathname));
      return response;
    },
  );
  return Promise.resolve(server.addr.port);
}

function dial(port: number, path: string, { sockets }: CapnWebMeeting): WebSocket {
  const url = `ws://127.0.0.1:${port}${path}`;
  if (sockets === "runtime") return new WebSocket(url);
  return new Socket(url, { perMessageDeflate: false }) as unknown as WebSocket;
}

export function connect(meeting: CapnWebMeeting): Promise<Contender> {
  const { calleePort, crowdPorts = [] } = meeting;
  const open = (port: number) => newWebSocketRpcSession<Callee>(dial(port, "/", meeting));
  const callee = open(calleePort);
  const bytesTransport = new CborTransport(dial(calleePort, "/bytes", meeting));
  const bytesCallee = new RpcSession<Callee>(bytesTransport).getRemoteMain();
  const crowd = crowdPorts.map(open);
  return Promise.resolve(
    {
      add: (a, b) => callee.add(a, b),
      echo: (value) => callee.echo(value) as PromiseLike<unknown>,
      echoBytes: (bytes) => bytesCallee.echo(bytes) as PromiseLike<Uint8Array>,
      async oneWay(count) {
        // The result of a call that nobody awaits is not sent; to dispose of it frees its place.
        await sendAll(count, (n) => callee.oneWay(n)[Symbol.dispose](), () => callee.arrived());
        await callee.finish(count);
      },
      async download(count) {
        const taken = new Taken();
        for await (const n of await callee.download(count)) taken.take(n);
        taken.finish(count);
      },
      async upload(count) {
        expectAll(await callee.upload(numberStream(count)), count);
      },
      // There is no call to many, but as many calls.
      async broadcast(targets) {
        const answers = await Promise.all(
          crowd.slice(0, targets).map((member) => member.add(1, 2)),
        );
        return answers.filter((answer) => answer === 3).length;
      },
      close() {
        for (const stub of [callee, bytesCallee, ...crowd]) stub[Symbol.dispose]();
        return Promise.resolve();
      },
    } satisfies Contender,
  );
}
