/**
 * What both sides have in common when a connection becomes a member of the network
 * (`docs/protocol.md`, section 4).
 *
 * @module
 */

import { ConnectionError, ProtocolError } from "../errors.ts";
import type { Frame } from "../wire/frame.ts";
import { kindName } from "../wire/kind_name.ts";
import type { Connection } from "./connection.ts";

/** Cuts off a handshake that takes longer than `timeoutMs`. */
export function withinHandshakeTime(
  timeoutMs: number,
  connection: Connection,
  outcome: Promise<Connection>,
): Promise<Connection> {
  const timer = setTimeout(() => {
    connection.close(
      new ConnectionError(`The handshake was not finished within ${timeoutMs} ms`),
    );
  }, timeoutMs);
  return outcome.finally(() => clearTimeout(timer));
}

/** While one side works on a proof or a decision, the other has nothing to say. */
export function outOfTurn(frame: Frame): never {
  throw outOfState(frame);
}

/** A frame came that the state does not allow. */
export function outOfState(frame: Frame): ProtocolError {
  return new ProtocolError(`${kindName(frame.kind)} is not allowed during the handshake`);
}
