/**
 * MessagePorts: how a node in a worker reaches the controller of its parent.
 *
 * @module
 */

import { ConnectionError, InitializationError } from "../errors.ts";
import { show } from "../internal/show.ts";
import { PORT_HANDSHAKE_TIMEOUT_MS } from "../wire/limits.ts";
import { Arrivals } from "./arrivals.ts";
import { MessageStream } from "./message_stream.ts";
import type { Address, ByteStream, Connecting, Listener, Listening } from "./transport.ts";

/** Says goodbye: not every runtime tells the other side that a port was closed. */
const GOODBYE = null;

/** Whether this is a port by which messages go, and not a number. */
export function isMessagePort(port: unknown): port is MessagePort {
  return typeof MessagePort !== "undefined" && port instanceof MessagePort;
}

/** Makes the stream of a port. Bytes are messages, and numbers are credits. */
export function messagePortStream(port: MessagePort): ByteStream {
  const stream = new MessageStream({
    send(bytes) {
      // The caller keeps its buffer, so a copy is moved: one copy less than by cloning.
      const moved = bytes.slice();
      port.postMessage(moved, [moved.buffer]);
    },
    sendCredit: (bytes) => port.postMessage(bytes),
    close() {
      port.postMessage(GOODBYE);
      port.close();
    },
  });
  port.onmessage = ({ data }) => {
    if (data instanceof Uint8Array) stream.onBytes(data);
    else if (typeof data === "number") stream.onCredit(data);
    else if (data === GOODBYE) end();
    else stream.refuse(1003, "a message is bytes or a credit");
  };
  port.onmessageerror = () => stream.refuse(1003, "a message cannot be read");
  port.addEventListener("close", () => end(new ConnectionError("The other side has gone")));
  function end(error?: Error): void {
    stream.onEnd(error);
    port.close();
  }
  return stream;
}

/** Makes the transport for the one connection that a port is. */
export function messagePortTransport(port: MessagePort): Connecting {
  return {
    description: "the other end of the port",
    connect(): Promise<{ stream: ByteStream; address: Address }> {
      return Promise.resolve({ stream: messagePortStream(port), address: {} });
    },
  };
}

/** The controller's side: nodes come by the ports that are attached. */
export class PortListener implements Listener, Listening {
  /** See {@linkcode Listener.address}. There is none. */
  readonly address: Address = {};
  readonly #arrivals = new Arrivals();
  readonly #attached = new WeakSet<MessagePort>();

  /** Waits for ports. */
  listen(): Promise<Listener> {
    return Promise.resolve(this);
  }

  /** Whoever is at the other end may join. @throws {InitializationError} when it is no port, or not a new one. */
  attach(port: unknown): void {
    if (!isMessagePort(port)) {
      throw new InitializationError(`Cannot attach ${show(port)}: a MessagePort is needed`);
    }
    if (this.#attached.has(port)) {
      throw new InitializationError(
        "Cannot attach the port: it was attached before; each is for one node",
      );
    }
    this.#attached.add(port);
    const handshakeTimeoutMs = PORT_HANDSHAKE_TIMEOUT_MS;
    this.#arrivals.add(Object.assign(messagePortStream(port), { handshakeTimeoutMs }));
  }

  /** See {@linkcode Listener.accept}. */
  accept(): Promise<ByteStream | null> {
    return this.#arrivals.next();
  }

  /** See {@linkcode Listener.close}. */
  close(): void {
    this.#arrivals.close();
  }
}
