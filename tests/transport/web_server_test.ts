import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { ProtocolError } from "../../src/errors.ts";
import { nextTurn } from "../../src/internal/next_turn.ts";
import { Arrivals } from "../../src/transport/arrivals.ts";
import { ServerWebSocket } from "../../src/transport/server_websocket.ts";
import type { ByteStream, Listener } from "../../src/transport/transport.ts";
import { type OnWebRefusal, webGate } from "../../src/transport/web_gate.ts";
import { WebListener } from "../../src/transport/web_listener.ts";
import { WebServer } from "../../src/transport/web_server.ts";
import { tokenProtocol } from "../../src/transport/web_token.ts";
import { OPCODE } from "../../src/transport/websocket_reader.ts";
import {
  CLOSE_TIMEOUT_MS,
  HANDSHAKE_TIMEOUT_MS,
  MAX_HANDSHAKES,
  MAX_MESSAGE_BYTES,
  MESSAGE_WINDOW_BYTES,
} from "../../src/wire/limits.ts";
import { FakeStream, turn } from "../link/fake_stream.ts";
import { FakeTime } from "../helpers/fake_time.ts";
import { settled, soon } from "../helpers/soon.ts";
import { clientFrame, goodbye, upgradeRequest } from "./client_frames.ts";

const LOCAL = "127.0.0.1";
const LIMIT_MS = 10_000;

/** A server, and raw sockets that connect to it. */
class Place {
  readonly host: string;
  readonly listening: WebListener;

  private constructor(listening: WebListener, readonly refusals: number[]) {
    this.listening = listening;
    this.host = new URL(listening.address.url!).host;
  }

  static async open(tokens?: string[]): Promise<Place> {
    const address = { host: LOCAL, port: 0 };
    const refusals: number[] = [];
    const place = { address, origins: undefined, tokens };
    const listening = new WebListener(place, ({ status }) => refusals.push(status));
    await listening.listen();
    return new Place(listening, refusals);
  }

  async dial(...sent: Uint8Array[]): Promise<Client> {
    const port = Number(new URL(this.listening.address.url!).port);
    const client = new Client(await Deno.connect({ hostname: LOCAL, port }));
    for (const bytes of sent) await client.send(bytes);
    return client;
  }

  /** A WebSocket, and what the listener has of it. */
  async upgrade(behind: Uint8Array = new Uint8Array(0)): Promise<[Client, ByteStream]> {
    const request = upgradeRequest(this.host);
    const client = await this.dial(Uint8Array.from([...request, ...behind]));
    assertMatch(await client.head(), /^HTTP\/1.1 101 /);
    return [client, (await soon(this.listening.accept(), LIMIT_MS))!];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.listening.close();
    await soon(this.listening.accept(), LIMIT_MS);
  }
}

/** The other side of a server. */
class Client implements Disposable {
  readonly #socket: Deno.Conn;
  #unread: number[] = [];

  constructor(socket: Deno.Conn) {
    this.#socket = socket;
  }

  async send(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#socket.write(bytes.subarray(at));
  }

  /** Sends what the other side may not take any more. */
  async sendInVain(bytes: Uint8Array): Promise<void> {
    await this.send(bytes).catch(() => {});
  }

  async bytes(count: number): Promise<number[]> {
    while (this.#unread.length < count) assert(await this.#more(), "it has ended");
    return this.#unread.splice(0, count);
  }

  async #more(): Promise<boolean> {
    const into = new Uint8Array(65_536);
    const count = await soon(this.#socket.read(into), LIMIT_MS);
    this.#unread.push(...into.subarray(0, count ?? 0));
    return count !== null;
  }

  /** All that comes until the server closes. */
  async rest(): Promise<string> {
    while (await this.#more());
    return String.fromCharCode(...this.#unread.splice(0));
  }

  async head(): Promise<string> {
    let text = "";
    while (!text.endsWith("\r\n\r\n")) text += String.fromCharCode(...await this.bytes(1));
    return text;
  }

  /** A frame: its first byte, and its payload. */
  async frame(): Promise<[number, number[]]> {
    const [first, length] = await this.bytes(2);
    if (length! < 126) return [first!, await this.bytes(length!)];
    const extended = await this.bytes(length === 126 ? 2 : 8);
    return [first!, await this.bytes(extended.reduce((sum, byte) => sum * 256 + byte, 0))];
  }

  /** The status of the goodbye that comes next. */
  async goodbye(): Promise<number> {
    const [first, payload] = await this.frame();
    assertEquals(first, 128 | OPCODE.close);
    return payload[0]! * 256 + payload[1]!;
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

const text = (words: string) => new TextEncoder().encode(words);

async function read(stream: ByteStream, count: number): Promise<number[]> {
  const into = new Uint8Array(count);
  for (let at = 0; at < count;) at += (await soon(stream.read(into.subarray(at)), LIMIT_MS))!;
  return [...into];
}

Deno.test("WebServer answers a handshake as RFC 6455 has it, and agrees to one protocol", async () => {
  await using place = await Place.open(["let me in"]);
  const offered = `other, ${tokenProtocol("let me in")}, daffi`;
  const request = upgradeRequest(place.host, { "sec-websocket-protocol": offered });
  using client = await place.dial(request);
  assertEquals((await client.head()).split("\r\n").sort(), [
    "",
    "",
    "HTTP/1.1 101 Switching Protocols",
    "connection: Upgrade",
    "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", // the one of section 1.3
    "sec-websocket-protocol: daffi",
    "upgrade: websocket",
  ]);
  const accepted = await soon(place.listening.accept(), LIMIT_MS);
  accepted!.close();
  assertEquals(await client.goodbye(), 1000);
  await client.send(goodbye(1000));
  assertEquals(await client.rest(), "");
});

Deno.test("WebServer says by its status why it refuses, and closes the connection", async () => {
  await using place = await Place.open(["let me in"]);
  const { host } = place;
  const withToken = { "sec-websocket-protocol": tokenProtocol("let me in") };
  const withKey = (key: string) => upgradeRequest(host, { ...withToken, "sec-websocket-key": key });
  const REQUESTS: [status: number, request: Uint8Array][] = [
    [400, text("HELLO\r\n\r\n")],
    [426, text(`GET / HTTP/1.1\r\nhost: ${host}\r\n\r\n`)],
    [426, upgradeRequest(host, { ...withToken, "sec-websocket-version": "8" })],
    [400, upgradeRequest(host, { ...withToken, connection: "close" })],
    [400, withKey("short==")],
    [400, withKey("of22lettersbutnoends22")],
    [400, withKey("!withthisitisof22letters==")],
    [400, text(new TextDecoder().decode(upgradeRequest(host, withToken)).replace("GET", "POST"))],
    [403, upgradeRequest(host, { ...withToken, origin: "http://evil.example" })],
    [431, text(`GET / HTTP/1.1\r\nhost: ${host}\r\nx: ${"y".repeat(40_000)}\r\n\r\n`)],
  ];
  for (const [status, request] of REQUESTS) {
    using client = await place.dial(request);
    const head = await client.head();
    assertEquals(Number(head.split(" ")[1]), status, head);
    assertMatch(head, /\r\nconnection: close\r\n/);
    const length = Number(/content-length: (\d+)/.exec(head)![1]);
    assertMatch(String.fromCharCode(...await client.bytes(length)), /\w.*\.\n$/);
  }
  assertEquals(place.refusals, REQUESTS.map(([status]) => status));
});

Deno.test("WebServer closes the WebSocket of whoever has no right token, and takes nothing from it", async () => {
  await using place = await Place.open(["let me in"]);
  for (const headers of [{}, { "sec-websocket-protocol": tokenProtocol("let me") }]) {
    using client = await place.dial(upgradeRequest(place.host, headers));
    assertMatch(await client.head(), /^HTTP\/1\.1 101 /);
    assertEquals(await client.goodbye(), 4401);
    await client.send(goodbye(4401));
    assertEquals(await client.rest(), "");
  }
  assertEquals(place.refusals, [401, 401]);
});

/** Brings streams when the test does. */
function fakeListener(): [Listener, (stream: ByteStream) => void] {
  const arrivals = new Arrivals();
  const listener = { address: {}, accept: () => arrivals.next(), close: () => arrivals.close() };
  return [listener, (stream) => arrivals.add(stream)];
}

function serve(listener: Listener, onRefusal: OnWebRefusal = () => {}): WebServer {
  const gate = webGate({ origins: undefined, tokens: undefined });
  return new WebServer({ listener, gate, onStream() {}, onRefusal });
}

Deno.test("WebServer reads a body that it does not want, or its answer might not arrive", async () => {
  const [listener, arrive] = fakeListener();
  const server = serve(listener);
  const stream = new FakeStream();
  arrive(stream);
  const body = new Uint8Array(100_000);
  stream.feed(text(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${body.length}\r\n\r\n`));
  while (stream.writes.length === 0) await turn();
  for (let i = 0; i < 10; i++) {
    stream.feed(body);
    await turn();
    assertEquals(stream.closes, 0);
  }
  stream.feed(null);
  while (stream.closes === 0) await turn();
  server.close();
});

Deno.test("WebServer turns away who comes when too many have not finished asking", async () => {
  const [listener, arrive] = fakeListener();
  const refusals: number[] = [];
  const server = serve(listener, ({ status }) => refusals.push(status));
  const streams = Array.from({ length: MAX_HANDSHAKES + 2 }, () => new FakeStream());
  const closed = () => streams.filter(({ closes }) => closes > 0).length;
  for (const stream of streams) arrive(stream);
  while (refusals.length < 2) await turn();
  assertEquals([refusals, closed()], [[503, 503], 2]);
  streams[7]!.feed(null);
  while (closed() < 3) await turn();
  const next = new FakeStream();
  arrive(next);
  while (next.reads === 0) await turn();
  server.close();
  await turn();
  assertEquals([refusals.length, closed(), next.closes > 0], [2, MAX_HANDSHAKES + 2, true]);
  await soon(server.over(), LIMIT_MS);
});

Deno.test("WebServer closes a connection that does not finish its request", async () => {
  const time = new FakeTime();
  try {
    await using place = await Place.open();
    using client = await place.dial(text("GET / HTTP/1.1\r\n"));
    const rest = client.rest();
    await settled();
    while (await Promise.race([rest.then(() => false), settled().then(() => true)])) {
      await time.tickAsync(HANDSHAKE_TIMEOUT_MS / 50);
    }
    assertEquals(await rest, "");
    assertEquals(place.refusals, [408]);
  } finally {
    time.restore();
  }
});

Deno.test("WebServer tells once of who is refused and stays", async () => {
  const time = new FakeTime();
  try {
    const [listener, arrive] = fakeListener();
    const refusals: number[] = [];
    const server = serve(listener, ({ status }) => refusals.push(status));
    const stream = new FakeStream();
    arrive(stream);
    stream.feed(text("HELLO\r\n\r\n"));
    while (stream.writes.length === 0) await turn();
    await time.tickAsync(HANDSHAKE_TIMEOUT_MS);
    assert(stream.closes > 0);
    assertEquals(refusals, [400]);
    server.close();
  } finally {
    time.restore();
  }
});

Deno.test("WebServer ends with a request that nobody finishes", async () => {
  const time = new FakeTime(); // nothing ends because it has taken too long
  try {
    const place = await Place.open();
    using client = await place.dial(text("GET / HTTP/1.1\r\n"));
    using other = await place.dial(upgradeRequest(place.host));
    assertMatch(await other.head(), /101/);
    (await place.listening.accept())!.close();
    assertEquals(await other.goodbye(), 1000);
    await other.send(goodbye(1000));
    await place[Symbol.asyncDispose]();
    assertEquals(await client.rest(), "");
  } finally {
    time.restore();
  }
});

Deno.test("a WebSocket takes what was sent behind the handshake, and gives what is written", async () => {
  await using place = await Place.open();
  const [client, accepted] = await place.upgrade(clientFrame(OPCODE.binary, text("early")));
  using _ = client;
  assertEquals(accepted.remote, LOCAL);
  assertEquals(await read(accepted, 5), [...text("early")]);
  for (const size of [1, 125, 126, 65_535, 65_536]) {
    const bytes = new Uint8Array(size).fill(size);
    assertEquals(await accepted.write(bytes), size);
    bytes.fill(0);
    const [first, payload] = await client.frame();
    assertEquals(first, 128 | OPCODE.binary);
    assertEquals(payload, Array(size).fill(size & 255));
  }
  accepted.close();
});

Deno.test("a WebSocket answers pings until its goodbye", async () => {
  await using place = await Place.open();
  const [client, accepted] = await place.upgrade();
  using _ = client;
  await client.send(clientFrame(OPCODE.ping, text("are you there?")));
  assertEquals(await client.frame(), [128 | OPCODE.pong, [...text("are you there?")]]);
  accepted.close();
  assertEquals(await client.goodbye(), 1000);
  await client.send(clientFrame(OPCODE.ping, text("still?"))); // nothing follows a goodbye
  await client.send(goodbye(1000));
  assertEquals(await client.rest(), "");
});

Deno.test("a WebSocket that cannot answer pings yet answers the last one alone", async () => {
  const socket = new FakeStream();
  const { over, stream } = new ServerWebSocket(socket, new Uint8Array(0), {});
  socket.block();
  for (let i = 0; i < 100; i++) {
    socket.feed(clientFrame(OPCODE.ping, Uint8Array.of(i)));
    await turn();
  }
  socket.unblock();
  await turn();
  assertEquals(socket.written, Uint8Array.of(138, 1, 0, 138, 1, 99));
  stream.close();
  socket.feed(goodbye(1000));
  await over;
});

Deno.test("a WebSocket answers a goodbye with its status, and its stream ends as it says", async () => {
  const ENDS: [sent: Uint8Array, answer: number, why?: string][] = [
    [goodbye(1000), 1000],
    [goodbye(1001, "I go"), 1001],
    [clientFrame(OPCODE.close, new Uint8Array(0)), 1000],
    [goodbye(4000, "I go"), 4000, "The WebSocket was closed: 4000 I go"],
  ];
  const time = new FakeTime(); // nothing ends because it has taken too long
  try {
    await using place = await Place.open();
    for (const [sent, answer, why] of ENDS) {
      const [client, accepted] = await place.upgrade();
      using _ = client;
      await client.send(clientFrame(OPCODE.binary, text("last")));
      await client.send(sent);
      assertEquals(await client.goodbye(), answer);
      assertEquals(await client.rest(), "");
      assertEquals(await read(accepted, 4), [...text("last")]);
      const end = accepted.read(new Uint8Array(1));
      if (why === undefined) assertEquals(await end, null);
      else await assertRejects(() => end, Error, why);
    }
  } finally {
    time.restore();
  }
});

const half = new Uint8Array(MAX_MESSAGE_BYTES / 2);

/** What a stranger could fill memory with. */
const FLOODS: Record<string, [status: number, ...frames: Uint8Array[]]> = {
  "a message in parts that never ends": [
    1009,
    clientFrame(OPCODE.binary, half, { last: false }),
    clientFrame(OPCODE.more, half, { last: false }),
    clientFrame(OPCODE.more, half, { last: false }),
  ],
  "a message that says to be of 2^60 bytes": [
    1009,
    clientFrame(OPCODE.binary, half, { length: 2 ** 60 }),
  ],
  "more than may be under way": [
    1008,
    ...Array(2 * MESSAGE_WINDOW_BYTES / MAX_MESSAGE_BYTES + 1).fill(
      clientFrame(OPCODE.binary, half),
    ),
  ],
  "frames without a mask": [1002, Uint8Array.of(130, 3, 1, 2, 3)],
};

for (const [what, [status, ...frames]] of Object.entries(FLOODS)) {
  Deno.test(`a WebSocket is closed for ${what}`, async () => {
    await using place = await Place.open();
    const [client, accepted] = await place.upgrade();
    using _ = client;
    for (const frame of frames) await client.sendInVain(frame);
    assertEquals(await client.goodbye(), status);
    await client.sendInVain(goodbye(status));
    const into = new Uint8Array(65_536);
    await assertRejects(
      async () => {
        while (await soon(accepted.read(into), LIMIT_MS) !== null);
      },
      ProtocolError,
      "The other side broke the rules",
    );
  });
}

Deno.test("a WebSocket whose other side never answers its goodbye is closed all the same", async () => {
  const time = new FakeTime();
  try {
    await using place = await Place.open();
    const [client, accepted] = await place.upgrade();
    using _ = client;
    accepted.close();
    assertEquals(await client.goodbye(), 1000);
    const rest = client.rest();
    await time.tickAsync(CLOSE_TIMEOUT_MS);
    assertEquals(await rest, "");
  } finally {
    time.restore();
  }
});

Deno.test("a WebSocket whose other side does not read is closed all the same", async () => {
  const time = new FakeTime();
  try {
    await using place = await Place.open();
    const [client, accepted] = await place.upgrade();
    using _ = client;
    const bytes = new Uint8Array(MAX_MESSAGE_BYTES);
    const writing = assertRejects(async () => {
      for (;;) await accepted.write(bytes);
    });
    await turn();
    accepted.close();
    await writing;
    await time.tickAsync(CLOSE_TIMEOUT_MS);
    place.listening.close();
    assertEquals(await place.listening.accept(), null);
  } finally {
    time.restore();
  }
});

Deno.test("a WebSocket whose other side breaks off gives the reason", async () => {
  await using place = await Place.open();
  const [client, accepted] = await place.upgrade();
  client[Symbol.dispose]();
  await assertRejects(
    () => soon(accepted.read(new Uint8Array(1)), LIMIT_MS),
    Error,
    "The WebSocket was closed: it ended without a goodbye",
  );
});

Deno.test("a WebSocket takes bytes no sooner than its socket does, whatever the other side has credited", async () => {
  const socket = new FakeStream();
  const { over, stream } = new ServerWebSocket(socket, new Uint8Array(0), {});
  socket.block();
  let taken = 0;
  const writing = stream.write(new Uint8Array(100)).then((count) => taken = count);
  socket.feed(clientFrame(OPCODE.text, text("100")));
  while (socket.reads < 2) await turn();
  await turn();
  assertEquals(taken, 0);
  socket.unblock();
  await soon(writing, LIMIT_MS);
  assertEquals(taken, 100);
  socket.block();
  const pending = assertRejects(() => stream.write(new Uint8Array(5)), Error, "is closed");
  await turn();
  stream.close();
  await soon(pending, LIMIT_MS);
  socket.unblock();
  socket.feed(goodbye(1000));
  await over;
});

Deno.test("a WebSocket gives others their turn, however much has come", async () => {
  const socket = new FakeStream();
  const pings = Array.from({ length: 64 }, () => clientFrame(OPCODE.ping, Uint8Array.of(1)));
  socket.feed(...pings, goodbye(1000));
  const { over } = new ServerWebSocket(socket, new Uint8Array(0), {});
  let turns = 0;
  while (await Promise.race([over.then(() => false), nextTurn().then(() => true)])) turns++;
  assert(turns >= 64 / 8, `${turns} turns`);
});

Deno.test("a WebSocket answers a status that must not be sent with 1002", async () => {
  await using place = await Place.open();
  for (const status of [0, 999, 1004, 1005, 1006, 1015, 2999, 5000]) {
    const [client, accepted] = await place.upgrade();
    using _ = client;
    await client.send(goodbye(status));
    assertEquals([status, await client.goodbye()], [status, status === 1005 ? 1000 : 1002]);
    accepted.close();
  }
});

Deno.test("WebServer has freed its port when it is over", async () => {
  for (let i = 0; i < 5; i++) {
    const place = await Place.open();
    const port = Number(new URL(place.listening.address.url!).port);
    await place[Symbol.asyncDispose]();
    Deno.listen({ hostname: LOCAL, port }).close();
  }
});
