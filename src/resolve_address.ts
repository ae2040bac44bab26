/**
 * Checking where a `Global` listens or what it connects to, and filling in the defaults.
 *
 * @module
 */

import { InitializationError } from "./errors.ts";
import { messageAddress } from "./message_address.ts";
import { isMessagePort } from "./transport/message_port.ts";
import { badOption, checkInteger } from "./internal/bad_option.ts";
import { checkOptionNames } from "./internal/known_options.ts";
import type { GlobalOptions, WebOptions } from "./options.ts";
import type { ControllerAddress, WebPlace } from "./transport/places.ts";
import { isToken } from "./transport/web_token.ts";

/**
 * Where the controller is.
 *
 * @returns `undefined` for a controller that is reached over the web alone.
 * @throws {InitializationError} when an option is not valid, or does not go with another one.
 */
export function resolveAddress(options: GlobalOptions): ControllerAddress | undefined {
  const { initController = false, host, port, unixSockPath, web } = options;
  checkTogether(options);
  const byMessages = messageAddress(options);
  if (byMessages !== undefined) return byMessages;
  if (host !== undefined && (typeof host !== "string" || !/^[^\s/]+$/.test(host))) {
    badOption("host", host, "a host name or an IP address");
  }
  if (port !== undefined) checkInteger("port", port as number, initController ? 0 : 1, 65_535);
  if (unixSockPath !== undefined && (typeof unixSockPath !== "string" || unixSockPath === "")) {
    badOption("unixSockPath", unixSockPath, "the path of a directory");
  }
  if (host === undefined && port === undefined) {
    if (unixSockPath === undefined && web !== undefined) return undefined;
    return { kind: "unix", directory: unixSockPath };
  }
  if (port === undefined && !initController) {
    throw new InitializationError(
      "Cannot start: a node with host needs the port of its controller, which g.port tells there " +
        "once g.ready has resolved",
    );
  }
  return { kind: "tcp", host: host ?? "localhost", port: (port as number | undefined) ?? 0 };
}

/** There is one controller, and one way to it. */
function checkTogether(options: GlobalOptions): void {
  const { initController = false, host, port, unixSockPath, url, web } = options;
  const byPort = isMessagePort(port);
  const ways = [
    ...(url === undefined ? [] : ["url"]),
    ...(byPort ? ["port as a MessagePort"] : []),
    ...(unixSockPath === undefined ? [] : ["unixSockPath"]),
    ...(host !== undefined || (port !== undefined && !byPort) ? ["host or port"] : []),
  ];
  if (ways.length > 1) {
    throw new InitializationError(
      `Cannot start: ${
        ways.join(" and ")
      } are both given; one of them says where the controller is`,
    );
  }
  if (initController && (url !== undefined || byPort)) {
    throw new InitializationError(
      `Cannot start: initController and ${ways[0]} are both given; ${
        byPort ? "g.attach(port) takes a port where the Controller is" : "web serves WebSockets"
      }`,
    );
  }
  if (web !== undefined && !initController) {
    throw new InitializationError(
      "Cannot start: web is given without initController; a node gives the url of its controller",
    );
  }
}

/**
 * Where and for whom a controller serves WebSockets.
 *
 * @throws {InitializationError} when an option is not valid.
 */
export function resolveWeb(web: WebOptions | true = true): WebPlace {
  if (web === true) return { address: undefined, origins: undefined, tokens: undefined };
  checkOptionNames("web", web, ["host", "port", "origins", "tokens"]);
  const { host, port, origins, tokens } = web;
  if (host !== undefined && (typeof host !== "string" || host === "")) {
    badOption("web.host", host, "a host name or an IP address");
  }
  if (port !== undefined) checkInteger("web.port", port, 0, 65_535);
  if (origins !== undefined && !isList(origins, isOrigin)) {
    badOption("web.origins", origins, 'a list of origins such as "https://example.com", or ["*"]');
  }
  if (tokens !== undefined && (!isList(tokens, isToken) || tokens.length === 0)) {
    badOption("web.tokens", "(hidden)", "a list of texts of 1 to 4,096 characters");
  }
  const listens = host !== undefined || port !== undefined;
  return {
    address: listens ? { host: host ?? "localhost", port: port ?? 0 } : undefined,
    origins,
    tokens,
  };
}

function isList(value: unknown, isGood: (text: string) => boolean): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === "string" && isGood(item));
}

/** As browsers write it, or it would never match; `null` is that of sandboxed and local pages. */
function isOrigin(text: string): boolean {
  if (text === "*" || text === "null") return true;
  return URL.canParse(text) && new URL(text).origin === text;
}
