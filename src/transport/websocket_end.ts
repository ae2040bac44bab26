/**
 * What the end of a WebSocket means to whoever reads from it.
 *
 * @module
 */

import { AuthenticationError, ConnectionError, type DaffiError } from "../errors.ts";

/**
 * With it a controller closes the WebSocket of whoever has no right token. Most runtimes keep the status of a
 * handshake that was refused to themselves, and this one they tell.
 */
export const UNAUTHORIZED = 4401;

/** The ends of a connection that finished: closed, going away, no status given. */
const FINISHED = [1000, 1001, 1005];

/**
 * The other side has closed it.
 *
 * @param status RFC 6455, section 7.4.
 * @param reason Its words.
 * @returns Nothing, if it has just finished.
 */
export function closedWebSocket(status: number, reason: string): DaffiError | undefined {
  if (status === UNAUTHORIZED) return new AuthenticationError(`Cannot join: ${reason}`);
  return FINISHED.includes(status) ? undefined : brokenWebSocket(`${status} ${reason}`.trim());
}

/** It has ended in another way. */
export function brokenWebSocket(why: string): ConnectionError {
  return new ConnectionError(`The WebSocket was closed: ${why}`);
}
