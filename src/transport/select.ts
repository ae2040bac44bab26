/**
 * Which transport an address needs.
 *
 * @module
 */

import { InitializationError } from "../errors.ts";
import { messagePortTransport } from "./message_port.ts";
import { tcpTransport } from "./tcp.ts";
import type { TlsSettings } from "./tls.ts";
import type { Connecting, Listening, Transport } from "./transport.ts";
import { unixTransport } from "./unix.ts";
import { webSocketTransport } from "./websocket.ts";

/** Where a controller is that listens on a socket. */
export type SocketAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly directory: string | undefined };

/** Where a controller is. */
export type ControllerAddress =
  | SocketAddress
  | { readonly kind: "url"; readonly url: string; readonly token: string | undefined }
  | { readonly kind: "port"; readonly port: MessagePort };

/**
 * Makes what a controller listens with, besides the web.
 *
 * @throws {InitializationError} when this runtime has nothing of the kind.
 */
export function listeningAt(
  address: ControllerAddress | undefined,
  tls?: TlsSettings,
): Listening[] {
  return address?.kind === "tcp" || address?.kind === "unix" ? [transportFor(address, tls)] : [];
}

/**
 * Makes what a node needs to reach a controller.
 *
 * @throws {InitializationError} when this runtime has nothing of the kind.
 */
export function connectingTo(
  address: ControllerAddress,
  tls?: TlsSettings,
): Connecting {
  if (address.kind === "port") return messagePortTransport(address.port);
  if (address.kind !== "url") return transportFor(address, tls);
  if (typeof WebSocket === "undefined") {
    throw new InitializationError("Cannot start: this runtime has no WebSocket");
  }
  return webSocketTransport(address.url, address.token);
}

/**
 * Makes the transport for a socket.
 *
 * @param address Where it is.
 * @param tls What encrypts TCP.
 * @throws {InitializationError} when this runtime cannot open sockets.
 */
export function transportFor(address: SocketAddress, tls?: TlsSettings): Transport {
  if (typeof Deno === "undefined" || Deno.listen === undefined) {
    throw new InitializationError("Cannot start: this runtime has no TCP and no UNIX sockets");
  }
  if (address.kind === "tcp") return tcpTransport(address.host, address.port, tls);
  return address.directory === undefined
    ? unixTransport(`${temporaryDirectory()}/daffi`, false)
    : unixTransport(address.directory, true);
}

/** As the system says, if the process may ask; controller and nodes must come to the same answer. */
function temporaryDirectory(): string {
  const variable = Deno.build.os === "windows" ? "TEMP" : "TMPDIR";
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  const told = state === "granted" ? Deno.env.get(variable) : undefined;
  return (told ?? "/tmp").replace(/[/\\]+$/, "");
}
