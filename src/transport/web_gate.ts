/**
 * Which HTTP requests may become a WebSocket. Any page in a browser can ask for one, also to
 * localhost, so the page's origin counts.
 *
 * @module
 */

import { show } from "../internal/show.ts";
import type { WebRequest } from "./web_request.ts";
import { SUB_PROTOCOL, tokenCheck } from "./web_token.ts";

/** Who is let in. */
export interface WebRules {
  /** Origins of pages; `"*"` stands for all, and none given for that of the request itself. */
  readonly origins: readonly string[] | undefined;
  /** Tokens of which one is needed; with none given, none is. */
  readonly tokens: readonly string[] | undefined;
}

/** Why a request does not become a WebSocket. */
export interface WebRefusal {
  /** The status of HTTP. */
  readonly status: number;
  /** Without the full stop. */
  readonly words: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Says what becomes of a request; `undefined` lets it in. */
export type WebGate = (request: WebRequest) => Promise<WebRefusal | undefined>;

/** Hears of those that are not let in, and where they came from. */
export type OnWebRefusal = (refusal: WebRefusal, remote: string | undefined) => void;

/** Makes the gate for some rules. */
export function webGate({ origins, tokens }: WebRules): WebGate {
  const hasToken = tokens && tokenCheck(tokens);
  return async (request) => {
    if (!lists(request, "upgrade", "websocket")) {
      const words = "This is a daffi controller: it talks over WebSockets only";
      return { status: 426, words, headers: { upgrade: "websocket" } };
    }
    const origin = request.headers.get("origin");
    if (origin !== null && !isAllowed(origin, request, origins)) {
      const words = `Pages of ${show(origin)} are not let in; web.origins lists those that are`;
      return { status: 403, words };
    }
    if (hasToken !== undefined && !await hasToken(offeredProtocols(request))) {
      return { status: 401, words: "A token is needed, and this one is missing or wrong" };
    }
    return undefined;
  };
}

/** The sub-protocol to agree to. */
export function agreedProtocol(request: WebRequest): string | undefined {
  return offeredProtocols(request).find((protocol) => protocol === SUB_PROTOCOL);
}

/**
 * Deno's client leaves Nagle's algorithm on: its second message waits until the first is acknowledged,
 * which a system delays by 40 ms unless something is sent back anyway.
 */
export function holdsBack(request: WebRequest): boolean {
  return request.headers.get("user-agent")?.startsWith("Deno/") === true;
}

/** Whether a header, which is a list, has a word, in whatever case. */
export function lists(request: WebRequest, header: string, word: string): boolean {
  return listIn(request, header).some((each) => each.toLowerCase() === word);
}

function offeredProtocols(request: WebRequest): string[] {
  return listIn(request, "sec-websocket-protocol");
}

function listIn({ headers }: WebRequest, header: string): string[] {
  return (headers.get(header) ?? "").split(",").map((each) => each.trim());
}

function isAllowed(
  origin: string,
  request: WebRequest,
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
