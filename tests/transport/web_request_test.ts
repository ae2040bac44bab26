import { assertEquals, assertRejects } from "@std/assert";
import { BadRequest, readRequest } from "../../src/transport/web_request.ts";
import { PREFACE } from "../../src/wire/preface.ts";
import { soon } from "../helpers/soon.ts";
import { FakeStream } from "../link/fake_stream.ts";
import { upgradeRequest } from "./client_frames.ts";

const bytesOf = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));

function reading(...pieces: Uint8Array[]): ReturnType<typeof readRequest> {
  const stream = new FakeStream();
  stream.feed(...pieces);
  return readRequest(stream);
}

function statusOf(head: string): Promise<number> {
  const stream = new FakeStream();
  stream.feed(bytesOf(head), null);
  return assertRejects(() => readRequest(stream), BadRequest).then(({ status }) => status);
}

Deno.test("readRequest() reads a head however it is cut, and keeps what comes behind it", async () => {
  const bytes = upgradeRequest("localhost:8000", { "x-umlaut": "\u00fc".repeat(3), "x-empty": "" });
  const latin1 = bytesOf(new TextDecoder().decode(bytes));
  const rest = Uint8Array.of(130, 10, 13, 10);
  for (const size of [1, 2, 3, 7, 1000]) {
    const all = Uint8Array.from([...latin1, ...(size === 1000 ? rest : [])]);
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < all.length;) pieces.push(all.subarray(at, at += size));
    const { request, rest: left } = await reading(...pieces);
    assertEquals([request.method, request.url], ["GET", "http://localhost:8000/daffi"]);
    assertEquals(request.headers.get("upgrade"), "websocket");
    assertEquals(request.headers.get("x-umlaut"), "\u00fc\u00fc\u00fc");
    assertEquals(request.headers.get("x-empty"), "");
    assertEquals(left, size === 1000 ? rest : new Uint8Array(0));
  }
});

Deno.test("readRequest() joins headers that come twice", async () => {
  const { request } = await reading(bytesOf(
    "POST /?a=b HTTP/1.1\r\nHost: [::1]:80\r\nConnection: a \r\nconnection:\tUpgrade\r\n\r\n",
  ));
  assertEquals(request.headers.get("connection"), "a, Upgrade");
  assertEquals([request.method, request.url], ["POST", "http://[::1]:80/?a=b"]);
});

Deno.test("readRequest() refuses with 400 what is no request, or could be read in two ways", async () => {
  const HEADS = [
    "GET / HTTP/1.0\r\nhost: a\r\n\r\n",
    "GET / HTTP/2.0\r\nhost: a\r\n\r\n",
    "GET / HTTP/1.10\r\nhost: a\r\n\r\n",
    "GET / HTTP/1x1\r\nhost: a\r\n\r\n",
    "GET  / HTTP/1.1\r\nhost: a\r\n\r\n",
    "GET http://a/ HTTP/1.1\r\nhost: a\r\n\r\n",
    "GET * HTTP/1.1\r\nhost: a\r\n\r\n",
    "GET /\u00e4 HTTP/1.1\r\nhost: a\r\n\r\n",
    "G(T / HTTP/1.1\r\nhost: a\r\n\r\n",
    "\r\nGET / HTTP/1.1\r\nhost: a\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n", // no host
    "GET / HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: a/b\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: a?b\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: a#b\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: a\\b\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: me@a\r\n\r\n",
    "GET / HTTP/1.1\r\nhost:\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: a\r\nx : y\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: a\r\n(x: y\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: a\r\n: y\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: a\r\nx: y\r\n z\r\n\r\n", // folded
    "GET / HTTP/1.1\r\nhost: a\r\nno colon\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: a\r\nnocolon\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: a\r\nx: a\nb\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: a\r\nx: a\n\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: a\r\nx: a\rb\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: a\r\nx: \0\r\n\r\n",
    "GET / HTTP/1.1\r\nhost: a\r\nx: \x7f\r\n\r\n",
    "DAFFI\0\0\x01\r\n\r\n",
  ];
  for (const head of HEADS) assertEquals(await statusOf(head), 400, head);
});

Deno.test("readRequest() refuses a head of more than 32 KiB with 431, and takes one of as many", async () => {
  const start = "GET / HTTP/1.1\r\nhost: a\r\nx: ";
  const full = start + "y".repeat(32 * 1024 - start.length - 4) + "\r\n\r\n";
  assertEquals((await reading(bytesOf(full))).request.headers.get("host"), "a");
  assertEquals(await statusOf(full.replace("y", "yy")), 431);
  assertEquals(await statusOf(`${start}${"y".repeat(100_000)}`), 431);
});

Deno.test("readRequest() refuses with 400 at once what begins as no head does, such as a node on TCP", async () => {
  for (const bytes of [PREFACE, bytesOf("GET /\0"), Uint8Array.of(22, 3, 1, 0)]) { // TLS begins so
    const error = await soon(assertRejects(() => reading(bytes), BadRequest));
    assertEquals(error.status, 400);
  }
  await assertRejects(() => reading(PREFACE), BadRequest, "join here by a ws: url");
});

Deno.test("readRequest() rejects when the stream ends within the head", async () => {
  const stream = new FakeStream();
  stream.feed(bytesOf("GET / HTTP/1.1\r\nhost: a\r\n"), null);
  await assertRejects(() => readRequest(stream), Error, "ended within a request");
});

Deno.test("readRequest() refuses more than 100 headers with 431", async () => {
  const head = (count: number) => `GET / HTTP/1.1\r\nhost: a\r\n${"x:\r\n".repeat(count - 1)}\r\n`;
  assertEquals((await reading(bytesOf(head(100)))).request.headers.get("host"), "a");
  assertEquals(await statusOf(head(101)), 431);
});
