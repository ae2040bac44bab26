/**
 * TCP and UNIX sockets through `node:net`, where `Deno` is missing.
 *
 * @module
 */

import type { AddressInfo, NetConnectOpts, Server, Socket } from "node:net";
import { ConnectionError } from "../errors.ts";
import { builtinModule } from "../internal/builtin_module.ts";
import { Arrivals } from "./arrivals.ts";
import { Inbox } from "./inbox.ts";
import {
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

/** The part of `node:net` that is used here. */
export type NodeNet = Pick<typeof import("node:net"), "createServer" | "connect">;

/** `node:net`, where it can be had without an import. */
export function nodeNet(): NodeNet | undefined {
  return builtinModule<NodeNet>("node:net");
}

const CLOSED = "the connection is closed";

/** Makes the TCP transport for an address; port 0 lets the system choose one when listening. */
export function nodeTcpTransport(net: NodeNet, host: string, port: number): Transport {
  const description = `${host}:${port}`;
  const address = { host, port };
  return {
    description,
    listen: (onTrouble) => listen(net, address, onTrouble),
    connect: (signal) =>
      connect(net, description, { host, port, noDelay: true, ...(signal && { signal }) }, address),
  };
}

/** Makes the transport for a UNIX socket; to listen, what `node:net` has is not enough. */
export function nodeUnixTransport(net: NodeNet, path: string): Transport {
  return {
    description: path,
    // Two that start at once must not take each other's socket away, which needs a file lock.
    listen: () =>
      Promise.reject(
        new ConnectionError(
          `Cannot listen on ${path}: only Deno can run a controller on a UNIX socket; ` +
            "give host and port instead",
        ),
      ),
    connect: () => connect(net, path, { path }, { socketPath: path }),
  };
}

async function connect(
  net: NodeNet,
  description: string,
  where: NetConnectOpts,
  address: Address,
): Promise<{ stream: ByteStream; address: Address }> {
  const socket = net.connect({ ...where, allowHalfOpen: true });
  try {
    await happens(socket, "connect");
    const { localAddress, localPort, remoteAddress, remotePort } = socket;
    if (
      isLoop(
        { hostname: localAddress, port: localPort },
        { hostname: remoteAddress, port: remotePort },
      )
    ) {
      socket.destroy();
      throw new Error(LED_BACK);
    }
    return { stream: new NodeSocketStream(socket), address };
  } catch (error) {
    throw new ConnectionError(
      `Cannot connect to the controller at ${description}: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

async function listen(
  net: NodeNet,
  { host, port }: { host: string; port: number },
  onTrouble: OnTrouble = () => {},
): Promise<Listener> {
  const server = net.createServer({ allowHalfOpen: true, noDelay: true });
  try {
    server.listen({ host, port, backlog: BACKLOG });
    await happens(server, "listening");
    const bound = { host, port: (server.address() as AddressInfo).port };
    return new NodeListener(server, bound, onTrouble);
  } catch (error) {
    throw cannotListen(`${host}:${port}`, error);
  }
}

function happens(emitter: Socket | Server, event: "connect" | "listening"): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error) => reject(error);
    emitter.once("error", onError);
    emitter.once(event, () => {
      emitter.off("error", onError);
      resolve();
    });
  });
}

/** A host with several addresses fails with one error for each of them, and no message. */
function messageOf(error: unknown): string {
  const { message, errors } = error as AggregateError;
  return message || (errors ?? []).map((each: Error) => each.message).join("; ");
}

class NodeListener implements Listener {
  readonly address: Address;
  readonly #server: Server;
  readonly #arrivals = new Arrivals();

  constructor(server: Server, address: Address, onTrouble: OnTrouble) {
    this.#server = server;
    this.address = address;
    server.on("connection", (socket) => this.#arrivals.add(new NodeSocketStream(socket)));
    // One connection that could not be accepted does not end the others.
    server.on("error", onTrouble);
  }

  accept(): Promise<ByteStream | null> {
    return this.#arrivals.next();
  }

  close(): void {
    this.#server.close();
    this.#arrivals.close();
  }
}

/** A socket that is read when somebody asks, so that the system slows the sender down otherwise. */
class NodeSocketStream implements ByteStream {
  readonly remote: string | undefined;
  readonly #socket: Socket;
  /** Read from the socket, but not asked for yet. */
  readonly #inbox = new Inbox();
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.remote = socket.remoteAddress;
    const wake = () => this.#wake?.();
    socket.on("readable", wake).on("end", wake).on("close", wake);
    socket.on("error", (error: Error) => this.#failure = error); // "close" comes next
  }

  async read(into: Uint8Array): Promise<number | null> {
    while (this.#closed || this.#inbox.bytes === 0) {
      if (this.#closed) throw new Error(CLOSED); // Bun would say that the other side has ended
      if (this.#failure !== undefined) throw this.#failure;
      const chunk: Uint8Array | null = this.#socket.read();
      if (chunk !== null) this.#inbox.add(chunk);
      else if (this.#socket.readableEnded) return null;
      else if (this.#socket.destroyed) throw new Error(CLOSED);
      else await new Promise<void>((resolve) => this.#wake = resolve);
    }
    return this.#inbox.take(into);
  }

  write(bytes: Uint8Array): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => {
        // What was under way when the socket was closed ends here without an error.
        if (error || this.#closed) reject(error ?? new Error(CLOSED));
        else resolve(bytes.length);
      });
    });
  }

  close(): void {
    this.#closed = true;
    this.#socket.destroy();
  }
}
