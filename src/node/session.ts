/**
 * One stay in the network: what a node has from `WELCOME` until the connection ends.
 *
 * @module
 */

import type { Connection } from "../link/connection.ts";
import type { Outbox } from "./outbox.ts";

/** A joined connection, and how to send on it. */
export interface Session {
  /** For small frames that must not wait. */
  readonly connection: Connection;
  /** For everything else that goes to other processes. */
  readonly outbox: Outbox;
  /** Largest frame that the controller accepts. */
  readonly maxFrameBytes: number;
}
