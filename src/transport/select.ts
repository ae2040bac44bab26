/**
 * Which transport an address needs.
 *
 * @module
 */

import { messageTransport } from "./message_transport.ts";
import type { ControllerAddress, TlsSettings } from "./places.ts";
import { socketTransport } from "./sockets.ts";
import type { Connecting, Listening } from "./transport.ts";

/**
 * Makes what a controller listens with, besides the web.
 *
 * @throws {InitializationError} when this runtime has nothing of the kind.
 */
export function listeningAt(
  address: ControllerAddress | undefined,
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
export function connectingTo(address: ControllerAddress, tls?: TlsSettings): Connecting {
  if (address.kind === "port" || address.kind === "url") return messageTransport(address);
  return socketTransport(address, tls);
}
