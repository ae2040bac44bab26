/**
 * Which transport an address needs that a page can have.
 *
 * @module
 */

import { InitializationError } from "../errors.ts";
import { messagePortTransport } from "./message_port.ts";
import type { MessageAddress } from "./places.ts";
import type { Connecting } from "./transport.ts";
import { webSocketTransport } from "./websocket.ts";

/**
 * Makes what a node needs to reach a controller.
 *
 * @throws {InitializationError} when this runtime has no WebSocket.
 */
export function messageTransport(address: MessageAddress): Connecting {
  if (address.kind === "port") return messagePortTransport(address.port);
  if (typeof WebSocket === "undefined") {
    throw new InitializationError("Cannot start: this runtime has no WebSocket");
  }
  return webSocketTransport(address.url, address.token);
}
