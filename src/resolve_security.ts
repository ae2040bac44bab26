/**
 * Checking the options that decide who may join.
 *
 * @module
 */

import { InitializationError } from "./errors.ts";
import type { Authorize } from "./internal/authorization.ts";
import { badOption } from "./internal/bad_option.ts";
import { checkOptionNames } from "./internal/known_options.ts";
import { show } from "./internal/show.ts";
import type { GlobalOptions } from "./options.ts";
import type { ControllerAddress, TlsSettings, WebPlace } from "./transport/places.ts";

/** The options that are checked here. */
export const SECURITY_OPTIONS = ["secret", "tls", "authorize", "insecure"] as const;

/** These options, checked. */
export interface ResolvedSecurity {
  readonly secret: string | undefined;
  readonly tls?: TlsSettings | undefined;
  readonly authorize?: Authorize | undefined;
}

/**
 * Checks these options.
 *
 * @param options As given.
 * @param address Where the Controller is, besides the web.
 * @param web Where it serves the web.
 * @throws {InitializationError} when one is not valid, or a Controller would be open to everybody.
 */
export function resolveSecurity(
  options: GlobalOptions,
  address: ControllerAddress | undefined,
  web: WebPlace,
): ResolvedSecurity {
  const { initController = false, authorize, insecure = false } = options;
  if (typeof insecure !== "boolean") badOption("insecure", insecure, "true or false");
  const secret = resolveSecret(options.secret);
  const tls = resolveTls(options.tls, initController, address?.kind);
  if (authorize !== undefined) {
    if (typeof authorize !== "function") badOption("authorize", authorize, "a function");
    if (!initController) {
      throw new InitializationError("Cannot start: authorize is for where the Controller is");
    }
  }
  if (initController && secret === undefined && !insecure) {
    if (address?.kind === "tcp" && (tls === undefined || authorize === undefined)) {
      checkPrivate("host", address.host, "tls with authorize");
    }
    if (web.tokens === undefined) checkPrivate("web.host", web.address?.host, "web.tokens");
  }
  return { secret, tls, authorize };
}

/** Only processes of this machine can reach it. */
function checkPrivate(option: string, host: string | undefined, instead: string): void {
  if (host === undefined || isPrivate(host)) return;
  throw new InitializationError(
    `Cannot start: ${option} is ${show(host)}, so everybody who reaches this machine could join ` +
      `and run its callbacks. Give a secret, or ${instead}; or ${option} "localhost"; or, if that ` +
      "is what you want, insecure: true",
  );
}

/**
 * Checks a secret. Its value is not shown, for messages get logged.
 *
 * @throws {InitializationError} when it is none.
 */
export function resolveSecret(secret: unknown): string | undefined {
  if (secret === undefined) return undefined;
  if (typeof secret === "string" && secret !== "" && secret.isWellFormed()) return secret;
  const what = secret === "" ? "empty" : typeof secret === "string" ? "malformed" : typeof secret;
  fail("secret", what, "a string that is not empty");
}

function resolveTls(
  tls: GlobalOptions["tls"],
  initController: boolean,
  transport: ControllerAddress["kind"] | undefined,
): TlsSettings | undefined {
  if (tls === undefined) return undefined;
  if (transport !== "tcp") {
    throw new InitializationError(
      "Cannot start: tls needs host and port; a UNIX socket has no TLS, and over the web it is that of " +
        "the server and of wss: addresses, where Deno trusts what deno run --cert names",
    );
  }
  checkOptionNames(
    initController ? "tls of a controller" : "tls of a node",
    tls,
    initController ? ["cert", "key"] : ["caCerts"],
  );
  const { cert, key, caCerts } = tls as Record<string, unknown>;
  if (initController) {
    checkPem("tls.cert", cert, "CERTIFICATE");
    checkPem("tls.key", key, "PRIVATE KEY");
  } else if (caCerts !== undefined) {
    if (!Array.isArray(caCerts)) fail("tls.caCerts", show(caCerts), "a list of PEM texts");
    caCerts.forEach((ca, i) => checkPem(`tls.caCerts[${i}]`, ca, "CERTIFICATE"));
  }
  return tls;
}

/** What it holds is not shown, for it may be a key. */
function checkPem(name: string, value: unknown, label: string): void {
  const isText = typeof value === "string";
  if (isText && new RegExp(`-----BEGIN ([A-Z0-9 ]+ )?${label}-----`).test(value)) return;
  fail(name, isText ? "another text" : typeof value, `a PEM text with BEGIN ${label}`);
}

function isPrivate(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, "$1");
  return name === "localhost" || /^127(\.\d{1,3}){3}$/.test(name) ||
    /^(0*:)*:?0*1$/.test(name) && name.includes(":");
}

function fail(name: string, is: string, wanted: string): never {
  throw new InitializationError(`Cannot start: ${name} must be ${wanted}, but is ${is}`);
}
