/**
 * Where the processes of `@daffi/core` meet, as options of a `Global`.
 *
 * @module
 */

import type { GlobalOptions } from "@daffi/core";
import { type Meeting, meeting } from "../program.ts";

/** The argument of the programs here. */
export interface DaffiMeeting extends Meeting {
  /** Told by the controller. */
  readonly port?: number;
}

/** The address, for whoever runs the controller and for whoever joins it. */
export function place(): Pick<GlobalOptions, "host" | "port" | "unixSockPath"> {
  const { transport, directory, port } = meeting<DaffiMeeting>();
  return transport === "unix" ? { unixSockPath: directory } : { host: "127.0.0.1", port };
}
