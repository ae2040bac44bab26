/**
 * Which transport an address needs.
 *
 * @module
 */

import { InitializationError } from "../errors.ts";
import { tcpTransport } from "./tcp.ts";
import type { TlsSettings } from "./tls.ts";
import type { Transport } from "./transport.ts";
import { unixTransport } from "./unix.ts";

/** Where a controller is. */
export type TransportAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly directory: string | undefined };

/**
 * Makes the transport for an address.
 *
 * @param address Where it is.
 * @param tls What encrypts TCP.
 * @throws {InitializationError} when this runtime cannot open sockets.
 */
export function transportFor(address: TransportAddress, tls?: TlsSettings): Transport {
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
