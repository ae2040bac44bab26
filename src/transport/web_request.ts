/**
 * Heads of HTTP requests, of which a controller answers one kind: RFC 9112, sections 2 to 5. No body
 * is ever read, and no second request on the same connection.
 *
 * @module
 */

import type { ByteStream } from "./transport.ts";

/** What decides who comes in. */
export type WebRequest = Pick<Request, "method" | "url" | "headers">;

/** A request, and what has come behind its head. */
export interface ReadRequest {
  readonly request: WebRequest;
  readonly rest: Uint8Array;
}

/** Room for the longest token and for what proxies add. */
const MAX_HEAD_BYTES = 32 * 1024;
const FIRST_BYTES = 2 * 1024;
/** More than any proxy sends; each costs a look at all before it. */
const MAX_HEADERS = 100;

/** RFC 9110, section 5.6.2: what methods and names of headers are made of. */
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const REQUEST_LINE = new RegExp(`^(${TOKEN}) (/[\\x21-\\x7e]*) HTTP/1\\.1$`);
const NAME = new RegExp(`^${TOKEN}$`);
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;
const NO_REQUEST = "This is no request of HTTP/1.1";
const HOST = /^[^/?#@\\\s]+$/;

/** What came is no request that could be let in. */
export class BadRequest extends Error {
  /** The status of the answer. */
  readonly status: number;

  /** @param status See {@linkcode BadRequest.status}. @param message What is wrong. */
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Reads the head of a request.
 *
 * @throws {BadRequest} when it is none, or too large. Rejects as the stream does, and when it ends before.
 */
export async function readRequest(stream: ByteStream): Promise<ReadRequest> {
  let bytes = new Uint8Array(FIRST_BYTES);
  let filled = 0;
  for (;;) {
    const count = await stream.read(bytes.subarray(filled));
    if (count === null) throw new Error("it ended within a request");
    const from = filled;
    const end = endOfHead(bytes, from);
    filled += count;
    // Not in any head, and what is none may have no end to wait for.
    if (bytes.subarray(from, end ?? filled).includes(0)) {
      throw new BadRequest(
        400,
        `${NO_REQUEST}; nodes join here by a ws: url, not by host and port`,
      );
    }
    if (end !== undefined) {
      return { request: parse(bytes.subarray(0, end - 4)), rest: bytes.slice(end, filled) };
    }
    if (filled === MAX_HEAD_BYTES) {
      throw new BadRequest(431, `A request has at most ${MAX_HEAD_BYTES} bytes before its body`);
    }
    if (filled === bytes.length) {
      const larger = new Uint8Array(bytes.length * 2);
      larger.set(bytes);
      bytes = larger;
    }
  }
}

/** Where the empty line ends, if it does behind `from`. */
function endOfHead(bytes: Uint8Array, from: number): number | undefined {
  for (let at = bytes.indexOf(10, from); at !== -1; at = bytes.indexOf(10, at + 1)) {
    if (bytes[at - 1] === 13 && bytes[at - 2] === 10 && bytes[at - 3] === 13) return at + 1;
  }
  return undefined;
}

function parse(head: Uint8Array): WebRequest {
  const [first, ...lines] = latin1(head).split("\r\n");
  const [, method, path] = REQUEST_LINE.exec(first!) ?? [];
  if (method === undefined) throw new BadRequest(400, NO_REQUEST);
  if (lines.length > MAX_HEADERS) {
    throw new BadRequest(431, `A request has at most ${MAX_HEADERS} headers`);
  }
  const headers = new Headers();
  for (const line of lines) {
    const [name, value] = [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)];
    if (!line.includes(":") || !NAME.test(name) || NOT_IN_VALUE.test(value)) {
      throw new BadRequest(400, "A header is a name, a colon and a value");
    }
    headers.append(name, value); // it takes the blanks around it away
  }
  const host = headers.get("host");
  if (host === null || !HOST.test(host)) throw new BadRequest(400, "One Host is needed");
  return { method: method!, url: `http://${host}${path}`, headers };
}

/** Not by `TextDecoder`: what it calls so is windows-1252. */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
