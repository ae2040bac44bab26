import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConnectionError } from "../../mod.ts"; // which provides what pages have no use for
import { concat } from "../../src/internal/concat.ts";
import { nextTurn } from "../../src/internal/next_turn.ts";
import type { ByteStream, Listener } from "../../src/transport/transport.ts";
import { WebListener } from "../../src/transport/web_listener.ts";
import { webSocketStream, webSocketTransport } from "../../src/transport/websocket.ts";
import { HANDSHAKE_TIMEOUT_MS } from "../../src/wire/limits.ts";
import { FakeTime } from "../helpers/fake_time.ts";
import { soon } from "../helpers/soon.ts";

const LOCAL = "127.0.0.1";

function listener(port = 0): WebListener {
  return new WebListener(
    { address: { host: LOCAL, port }, origins: undefined, tokens: undefined },
    () => {},
  );
}

async function readAll(stream: ByteStream): Promise<number> {
  const into = new Uint8Array(65_536);
  let total = 0;
  for (let count = await stream.read(into); count !== null; count = await stream.read(into)) {
    total += count;
  }
  return total;
}

Deno.test("WebListener leaves its connections alone until they are closed", async () => {
  const listening = await listener().listen();
  const { stream } = await webSocketTransport(listening.address.url!).connect();
  const accepted = await listening.accept();
  listening.close(); // a controller stops listening first, and then sends what it still has to
  const bytes = new Uint8Array(3_000_000);
  await nextTurn();
  for (let at = 0; at < bytes.length;) at += await accepted!.write(bytes.subarray(at));
  accepted!.close();
  assertEquals(await soon(readAll(stream), 10_000), bytes.length);
  assertEquals(await soon(listening.accept(), 10_000), null);
});

Deno.test("WebListener tells where a connection comes from, if the server that takes it does", async () => {
  const mounted = new WebListener(
    { address: undefined, origins: undefined, tokens: undefined },
    () => {},
  );
  const own = await listener().listen();
  let info: unknown;
  await using handing = Deno.serve(
    { hostname: LOCAL, port: 0, onListen() {} },
    (request) => mounted.fetch(request, info),
  );
  await using passing = Deno.serve(
    { hostname: LOCAL, port: 0, onListen() {} },
    (request, info) => mounted.fetch(request, info),
  );
  const remoteOf = async (url: string, listening: Listener) => {
    const { stream } = await webSocketTransport(url).connect();
    const accepted = await listening.accept();
    stream.close();
    await soon(readAll(accepted!), 10_000);
    return accepted!.remote;
  };
  const at = (server: Deno.HttpServer<Deno.NetAddr>) => `ws://${LOCAL}:${server.addr.port}/`;
  assertEquals(await remoteOf(own.address.url!, own), LOCAL);
  assertEquals(await remoteOf(at(passing), mounted), LOCAL);
  info = { remoteAddr: { hostname: "10.0.0.1" } }; // as a proxy has told it
  assertEquals(await remoteOf(at(handing), mounted), "10.0.0.1");
  const unknown = [
    undefined,
    null,
    "10.0.0.1",
    5,
    {},
    { remoteAddr: null },
    { remoteAddr: "10.0.0.1" },
    { remoteAddr: { transport: "unix", path: "/socket" } },
    { remoteAddr: { hostname: "" } },
    { remoteAddr: { hostname: { toString: () => "10.0.0.1" } } },
  ];
  for (info of unknown) assertEquals(await remoteOf(at(handing), mounted), undefined);
  for (const listening of [own, mounted]) {
    listening.close();
    await listening.accept();
  }
});

Deno.test("WebListener ends though the other side never answers its goodbye", async () => {
  const listening = await listener().listen();
  const { host, port } = new URL(listening.address.url!);
  using silent = await Deno.connect({ hostname: LOCAL, port: Number(port) });
  await silent.write(new TextEncoder().encode(
    `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  ));
  const accepted = await soon(listening.accept(), 10_000);
  listening.close();
  accepted!.close();
  assertEquals(await soon(listening.accept(), 10_000), null);
  const next = await listener(Number(port)).listen();
  next.close();
  await next.accept();
});

Deno.test("WebListener answers 400 to a handshake that is none, and 503 after its end", async () => {
  const listening = listener();
  const request = () =>
    new Request("http://localhost/", { method: "POST", headers: { upgrade: "websocket" } });
  assertEquals((await listening.fetch(request())).status, 400);
  listening.close();
  assertEquals((await listening.fetch(request())).status, 503);
  await listening.accept();
});

Deno.test("webSocketTransport() tells the URL, the reason and what to check", async () => {
  const closed = Deno.listen({ hostname: LOCAL, port: 0 });
  const { port } = closed.addr;
  closed.close();
  const url = `ws://${LOCAL}:${port}/daffi`;
  const error = await assertRejects(() => webSocketTransport(url).connect(), ConnectionError);
  assert(error.message.startsWith(`Cannot connect to the controller at ${url}: `), error.message);
  assert(error.message.includes("check that"), error.message);
  assert(error.cause instanceof Error);
});

Deno.test("webSocketTransport() gives up when nobody answers", async () => {
  using silent = Deno.listen({ hostname: LOCAL, port: 0 });
  const transport = webSocketTransport(`ws://${LOCAL}:${silent.addr.port}/`);
  const time = new FakeTime();
  try {
    const connecting = assertRejects(() => transport.connect(), ConnectionError, "nobody answered");
    await time.tickAsync(HANDSHAKE_TIMEOUT_MS);
    await connecting;
  } finally {
    time.restore();
  }
  await transport.end!();
});

Deno.test("webSocketTransport() gives up on end() what is not open yet", async () => {
  using silent = Deno.listen({ hostname: LOCAL, port: 0 });
  const transport = webSocketTransport(`ws://${LOCAL}:${silent.addr.port}/`);
  const connecting = assertRejects(() => transport.connect(), ConnectionError);
  await transport.end!();
  await soon(connecting);
});

Deno.test("a WebSocket whose other side breaks off without goodbye gives the reason", async () => {
  const listening = await listener().listen();
  const { hostname, port } = new URL(listening.address.url!);
  const conn = await Deno.connect({ hostname, port: Number(port) });
  await conn.write(new TextEncoder().encode(
    `GET / HTTP/1.1\r\nHost: ${hostname}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  ));
  const accepted = await soon(listening.accept(), 10_000);
  conn.close();
  await soon(
    assertRejects(() => accepted!.read(new Uint8Array(1)), ConnectionError, "was closed"),
    10_000,
  );
  listening.close();
  await listening.accept();
});

/** A WebSocket that keeps what is sent. */
class Sending {
  readonly readyState = WebSocket.OPEN;
  readonly sent: Uint8Array[] = [];
  send(data: Uint8Array): void {
    this.sent.push(data.slice());
  }
  close(): void {}
}

for (
  const [bytes, messages] of [
    [1, [1]],
    [1024, [1024]],
    [1025, [1024, 1]],
    [65_535, [...Array(63).fill(1024), 1023]],
    [65_536, [65_536]],
  ] as const
) {
  Deno.test(`webSocketStream() sends ${bytes} bytes as ${messages.length} messages in Deno, whose client would wait within one`, async () => {
    const socket = new Sending();
    const data = crypto.getRandomValues(new Uint8Array(bytes));
    const stream = webSocketStream(socket as unknown as WebSocket);
    assertEquals(await stream.write(data), bytes);
    assertEquals(socket.sent.map(({ length }) => length), [...messages]);
    assertEquals(concat(socket.sent), data);
    stream.close();
  });
}
