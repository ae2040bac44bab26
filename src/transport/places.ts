/**
 * Where a controller is. These are types alone, so that a page's compiler needs no sockets.
 *
 * @module
 */

import type { WebRules } from "./web_gate.ts";

/** Where a controller is that is reached by messages. */
export type MessageAddress =
  | { readonly kind: "url"; readonly url: string; readonly token: string | undefined }
  | { readonly kind: "port"; readonly port: MessagePort };

/** Where a controller is that listens on a socket. */
export type SocketAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly directory: string | undefined };

/** Where a controller is. */
export type ControllerAddress = SocketAddress | MessageAddress;

/** Where and for whom a controller serves WebSockets. */
export interface WebPlace extends WebRules {
  /** Where it serves them itself; without it, another server hands its requests on. */
  readonly address: { readonly host: string; readonly port: number } | undefined;
}

/** What a controller shows to its nodes, and what nodes trust. */
export interface TlsSettings {
  /** The controller's certificate, and those between it and its authority, as PEM. */
  readonly cert?: string | undefined;
  /** Its private key, as PEM. */
  readonly key?: string | undefined;
  /** Authorities that the node trusts besides those that its machine does, as PEM. */
  readonly caCerts?: readonly string[] | undefined;
}
