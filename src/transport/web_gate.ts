/**
 * Which HTTP requests may become a WebSocket. Any page in a browser can ask for one, also to
 * localhost, so the page's origin counts.
 *
 * @module
 */

import { SUB_PROTOCOL, tokenCheck } from "./web_token.ts";

/** Who is let in. */
export interface WebRules {
  /** Origins of pages; `"*"` stands for all, and none given for that of the request itself. */
  readonly origins: readonly string[] | undefined;
  /** Tokens of which one is needed; with none given, none is. */
  readonly tokens: readonly string[] | undefined;
}

/** Says what becomes of a request, by status and words; `undefined` lets it in. */
export type WebGate = (request: Request) => Promise<Response | undefined>;

/** Makes the gate for some rules. */
export function webGate({ origins, tokens }: WebRules): WebGate {
  const hasToken = tokens && tokenCheck(tokens);
  return async (request) => {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return refusal(426, "This is a daffi controller: it talks over WebSockets only", {
        upgrade: "websocket",
      });
    }
    const origin = request.headers.get("origin");
    if (origin !== null && !isAllowed(origin, request, origins)) {
      return refusal(403, "Pages of this origin are not let in; web.origins lists those that are");
    }
    if (hasToken !== undefined && !await hasToken(offeredProtocols(request))) {
      return refusal(401, "A token is needed, and this one is missing or wrong");
    }
    return undefined;
  };
}

/** The sub-protocol to agree to. */
export function agreedProtocol(request: Request): string | undefined {
  return offeredProtocols(request).find((protocol) => protocol === SUB_PROTOCOL);
}

function offeredProtocols(request: Request): string[] {
  const header = request.headers.get("sec-websocket-protocol") ?? "";
  return header.split(",").map((protocol) => protocol.trim());
}

function isAllowed(
  origin: string,
  request: Request,
  origins: readonly string[] | undefined,
): boolean {
  if (origins !== undefined) return origins.includes("*") || origins.includes(origin);
  const page = URL.parse(origin); // not of "null", which a page without an origin sends
  const asked = URL.parse(request.url); // not of a `Host` that names none
  return page !== null && page.host === asked?.host && !mayBeRebound(page);
}

/**
 * Whoever owns a domain can have it point to this machine once the page is loaded: its page is of the
 * same origin then. The name is not proven but by a certificate; and no domain is behind an address.
 */
function mayBeRebound({ protocol, hostname }: URL): boolean {
  return protocol !== "https:" && hostname !== "localhost" && !/^[\d.]+$|^\[/.test(hostname);
}

function refusal(status: number, text: string, headers: HeadersInit = {}): Response {
  return new Response(`${text}.\n`, { status, headers });
}
