/**
 * Connecting to a controller that may not answer at all.
 *
 * @module
 */

import { ConnectionError } from "../errors.ts";
import { within } from "../internal/within.ts";
import type { Address, ByteStream, Connecting } from "../transport/transport.ts";
import { CONNECT_TIMEOUT_MS } from "../wire/limits.ts";

/**
 * Connects, but does not wait for as long as the system would, which asks a host that is cut off again
 * and again with pauses of up to a minute, and so finds it late when it is back.
 *
 * @param transport How.
 * @param signal Gives up: an attempt would keep the process alive.
 * @throws {ConnectionError} when nobody answers.
 */
export async function connectInTime(
  transport: Connecting,
  signal: AbortSignal,
): Promise<{ stream: ByteStream; address: Address }> {
  const attempt = new AbortController();
  const giveUp = () => attempt.abort();
  if (signal.aborted) giveUp();
  signal.addEventListener("abort", giveUp);
  try {
    const connecting = transport.connect(attempt.signal);
    if (await within(connecting, CONNECT_TIMEOUT_MS)) return await connecting;
    giveUp();
    connecting.then(({ stream }) => stream.close(), () => {}); // too late
    throw new ConnectionError(
      `Cannot connect to the controller at ${transport.description}: nobody has answered within ` +
        `${CONNECT_TIMEOUT_MS} ms`,
    );
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}
