/**
 * Tokens as sub-protocols, the only thing besides the URL that a page can send with a WebSocket.
 *
 * @module
 */

import { sameBytes, sha256 } from "../internal/digest.ts";
import { MAX_TOKEN_LENGTH } from "../wire/limits.ts";

/** The sub-protocol of this module's WebSockets. */
export const SUB_PROTOCOL = "daffi";

const TOKEN_PREFIX = `${SUB_PROTOCOL}.token.`;

/** Whether this can be a token: a text that is not empty, and that a header has room for. */
export function isToken(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= MAX_TOKEN_LENGTH &&
    value.isWellFormed();
}

/** The sub-protocol that carries a token: its UTF-8 in base64url, of which HTTP takes every letter. */
export function tokenProtocol(token: string): string {
  const bytes = new TextEncoder().encode(token);
  const base64 = btoa(String.fromCharCode(...bytes));
  return TOKEN_PREFIX + base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/**
 * Makes a check for one of several tokens. It takes as long for one that is nearly right as for any
 * other, so that nobody finds one letter by letter.
 *
 * @param tokens Those that are let in.
 * @returns Tells whether one of the sub-protocols that a client offers carries one of them.
 */
export function tokenCheck(
  tokens: readonly string[],
): (protocols: readonly string[]) => Promise<boolean> {
  let wanted: Promise<Uint8Array[]> | undefined;
  return async (protocols) => {
    const given = protocols.find((protocol) => protocol.startsWith(TOKEN_PREFIX));
    if (given === undefined) return false;
    wanted ??= Promise.all(tokens.map((token) => digest(tokenProtocol(token))));
    const digestOfGiven = await digest(given);
    let found = false;
    for (const digestOfWanted of await wanted) {
      found = sameBytes(digestOfWanted, digestOfGiven) || found;
    }
    return found;
  };
}

function digest(text: string): Promise<Uint8Array> {
  return sha256(new TextEncoder().encode(text));
}
