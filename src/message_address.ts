/**
 * Where a controller is reached by messages: on a WebSocket, or over a MessagePort.
 *
 * @module
 */

import { InitializationError } from "./errors.ts";
import { badOption } from "./internal/bad_option.ts";
import type { GlobalOptions } from "./options.ts";
import type { ControllerAddress } from "./transport/places.ts";
import { isMessagePort } from "./transport/message_port.ts";
import { isToken } from "./transport/web_token.ts";

/**
 * Reads the options that say so.
 *
 * @returns `undefined` if none of them is given.
 * @throws {InitializationError} when an option is not valid.
 */
export function messageAddress(
  { url, token, port }: GlobalOptions,
): ControllerAddress | undefined {
  if (token !== undefined && !isToken(token)) {
    badOption("token", "(hidden)", "a text of 1 to 4,096 characters");
  }
  if (token !== undefined && url === undefined) {
    throw new InitializationError("Cannot start: token goes with url only");
  }
  if (url !== undefined) return { kind: "url", url: webSocketUrl(url), token };
  return isMessagePort(port) ? { kind: "port", port } : undefined;
}

function webSocketUrl(url: string): string {
  const parsed = typeof url === "string" && URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^wss?:$/.test(parsed.protocol) || parsed.hash !== "") {
    badOption("url", url, 'a URL such as "wss://example.com/daffi"');
  }
  return parsed.href;
}
