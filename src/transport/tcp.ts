/**
 * TCP through `Deno.listen` and `Deno.connect`.
 *
 * @module
 */

import { ConnectionError } from "../errors.ts";
import { SocketStream } from "./socket_stream.ts";
import {
  acceptFrom,
  type Address,
  type ByteStream,
  type Listener,
  type Transport,
} from "./transport.ts";

/** Makes the TCP transport for an address; port 0 lets the system choose one when listening. */
export function tcpTransport(host: string, port: number): Transport {
  const description = `${host}:${port}`;
  return {
    description,
    // deno-lint-ignore require-await -- the interface is asynchronous, this call is not
    async listen(): Promise<Listener> {
      let listener: Deno.TcpListener;
      try {
        listener = Deno.listen({ transport: "tcp", hostname: host, port });
      } catch (error) {
        throw new ConnectionError(
          error instanceof Deno.errors.AddrInUse
            ? `Cannot listen on ${description}: another program, perhaps another controller, does already`
            : `Cannot listen on ${description}: ${(error as Error).message}`,
          { cause: error },
        );
      }
      return new TcpListener(listener, host);
    },
    async connect(): Promise<{ stream: ByteStream; address: Address }> {
      try {
        const socket = await Deno.connect({ transport: "tcp", hostname: host, port });
        socket.setNoDelay(true);
        return { stream: new SocketStream(socket), address: { host, port } };
      } catch (error) {
        throw new ConnectionError(
          `Cannot connect to the controller at ${description}: ${(error as Error).message}`,
          { cause: error },
        );
      }
    },
  };
}

class TcpListener implements Listener {
  readonly address: Address;
  #listener: Deno.TcpListener;
  #closed = false;

  constructor(listener: Deno.TcpListener, host: string) {
    this.#listener = listener;
    this.address = { host, port: listener.addr.port };
  }

  async accept(): Promise<ByteStream | null> {
    const socket = await acceptFrom(this.#listener, () => this.#closed);
    socket?.setNoDelay(true);
    return socket && new SocketStream(socket);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener.close();
  }
}
