/**
 * Which transport an address needs.
 *
 * @module
 */

import { InitializationError } from "../errors.ts";
import { messagePortTransport } from "./message_port.ts";
import type { TlsSettings } from "./tls.ts";
import type { SocketAddress } from "./sockets.ts";
import type { Connecting, Listening, Transport } from "./transport.ts";
import { webSocketTransport } from "./websocket.ts";

/** Where a controller is. */
export type ControllerAddress =
  | SocketAddress
  | { readonly kind: "url"; readonly url: string; readonly token: string | undefined }
  | { readonly kind: "port"; readonly port: MessagePort };

/** Makes the transport for a socket. @throws {InitializationError} when there are no sockets. */
export type SocketTransport = (address: SocketAddress, tls?: TlsSettings) => Transport;

/**
 * Makes what a controller listens with, besides the web.
 *
 * @throws {InitializationError} when this runtime has nothing of the kind.
 */
export function listeningAt(
  address: ControllerAddress | undefined,
  socketTransport: SocketTransport,
  tls?: TlsSettings,
): Listening[] {
  if (address?.kind !== "tcp" && address?.kind !== "unix") return [];
  return [socketTransport(address, tls)];
}

/**
 * Makes what a node needs to reach a controller.
 *
 * @throws {InitializationError} when this runtime has nothing of the kind.
 */
export function connectingTo(
  address: ControllerAddress,
  socketTransport: SocketTransport,
  tls?: TlsSettings,
): Connecting {
  if (address.kind === "port") return messagePortTransport(address.port);
  if (address.kind !== "url") return socketTransport(address, tls);
  if (typeof WebSocket === "undefined") {
    throw new InitializationError("Cannot start: this runtime has no WebSocket");
  }
  return webSocketTransport(address.url, address.token);
}
