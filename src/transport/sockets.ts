/**
 * TCP and UNIX sockets, by what the runtime has for them.
 *
 * @module
 */

import { InitializationError } from "../errors.ts";
import { builtinModule } from "../internal/builtin_module.ts";
import { nodeNet, nodeTcpTransport, nodeUnixTransport } from "./node_net.ts";
import { tcpTransport } from "./tcp.ts";
import type { SocketAddress, TlsSettings } from "./places.ts";
import type { Transport } from "./transport.ts";
import { socketPath, unixTransport } from "./unix.ts";

/**
 * Makes the transport for a socket.
 *
 * @param address Where it is.
 * @param tls What encrypts TCP.
 * @throws {InitializationError} when this runtime cannot open sockets.
 */
export function socketTransport(address: SocketAddress, tls?: TlsSettings): Transport {
  if (typeof Deno !== "undefined" && Deno.connect !== undefined) {
    if (address.kind === "tcp") return tcpTransport(address.host, address.port, tls);
    return address.directory === undefined
      ? unixTransport(defaultDirectory(), false)
      : unixTransport(address.directory, true);
  }
  const net = nodeNet();
  if (net === undefined) {
    throw new InitializationError("Cannot start: this runtime has no TCP and no UNIX sockets");
  }
  if (tls !== undefined) {
    throw new InitializationError(
      "Cannot start: only Deno can use tls; url with wss: works everywhere",
    );
  }
  if (address.kind === "tcp") return nodeTcpTransport(net, address.host, address.port);
  return nodeUnixTransport(net, socketPath(address.directory ?? defaultDirectory()));
}

/** As the system says, if the process may ask; controller and nodes must come to the same answer. */
function defaultDirectory(): string {
  return `${(toldByDeno() ?? toldByNode() ?? "/tmp").replace(/[/\\]+$/, "")}/daffi`;
}

function toldByDeno(): string | undefined {
  if (typeof Deno === "undefined") return undefined;
  const variable = Deno.build.os === "windows" ? "TEMP" : "TMPDIR";
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" ? Deno.env.get(variable) : undefined;
}

function toldByNode(): string | undefined {
  if (typeof Deno !== "undefined") return undefined;
  return builtinModule<{ env: Record<string, string | undefined> }>("node:process")?.env.TMPDIR;
}
