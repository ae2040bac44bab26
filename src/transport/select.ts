/**
 * Which transport an address needs.
 *
 * @module
 */

import { messageTransport } from "./message_transport.ts";
import type { ControllerAddress, SocketAddress, TlsSettings } from "./places.ts";
import type { Connecting, Listening, Transport } from "./transport.ts";

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
  if (address.kind === "port" || address.kind === "url") return messageTransport(address);
  return socketTransport(address, tls);
}
