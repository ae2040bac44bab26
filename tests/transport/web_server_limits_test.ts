import { assert, assertEquals, assertMatch } from "@std/assert";
import { Arrivals } from "../../src/transport/arrivals.ts";
import type { ByteStream } from "../../src/transport/transport.ts";
import { type WebGate, webGate } from "../../src/transport/web_gate.ts";
import { WebServer } from "../../src/transport/web_server.ts";
import { OPCODE } from "../../src/transport/websocket_reader.ts";
import { CLOSE_TIMEOUT_MS, HANDSHAKE_TIMEOUT_MS, MAX_HANDSHAKES } from "../../src/wire/limits.ts";
import { FakeTime } from "../helpers/fake_time.ts";
import { soon } from "../helpers/soon.ts";
import { FakeStream, turn } from "../link/fake_stream.ts";
import { clientFrame, goodbye, upgradeRequest } from "./client_frames.ts";

const HOST = "localhost:8000";
const bytesOf = (words: string) => new TextEncoder().encode(words);

/** A server whose connections the test makes. */
class Place {
  readonly refusals: number[] = [];
  readonly opened: ByteStream[] = [];
  readonly server: WebServer;
  readonly #arrivals = new Arrivals();
  readonly #dialled: FakeStream[] = [];

  constructor(gate: WebGate = webGate({ origins: undefined, tokens: undefined })) {
    this.server = new WebServer({
      gate,
      listener: {
        address: {},
        accept: () => this.#arrivals.next(),
        close: () => this.#arrivals.close(),
      },
      onStream: (stream) => this.opened.push(stream),
      onRefusal: ({ status }) => this.refusals.push(status),
    });
  }

  /** Ends all connections too. */
  async end(): Promise<void> {
    for (const stream of this.opened) stream.close();
    for (const stream of this.#dialled) stream.feed(null);
    await turn();
    this.server.close();
    await soon(this.server.over());
  }

  /** Brings a connection that has sent this. */
  dial(sent: Uint8Array, stream = new FakeStream()): FakeStream {
    this.#dialled.push(stream);
    stream.feed(sent);
    this.#arrivals.add(stream);
    return stream;
  }
}

/** Waits in turns, of which no time is asked: it may be a test's. */
async function met(condition: () => boolean): Promise<void> {
  for (let turns = 0; !condition(); turns++) {
    if (turns === 5_000) throw new Error(`${condition} did not come to hold`);
    await turn();
  }
}

/** All that was written, when it is that much. */
async function answerOf(stream: FakeStream, end = "\r\n\r\n"): Promise<string> {
  const text = () => String.fromCharCode(...stream.written);
  await met(() => text().includes(end));
  return text();
}

const onlyTokens = webGate({ origins: undefined, tokens: ["let me in"] });

Deno.test("WebServer tells a browser's visit what it is, and an old client which version it needs", async () => {
  const place = new Place();
  const visit = await answerOf(
    place.dial(bytesOf(`GET / HTTP/1.1\r\nhost: ${HOST}\r\n\r\n`)),
    ".\n",
  );
  assertMatch(visit, /^HTTP\/1\.1 426 /);
  assertMatch(visit, /\r\nupgrade: websocket\r\n/);
  assertMatch(visit, /This is a daffi controller/);
  const old = await answerOf(
    place.dial(upgradeRequest(HOST, { "sec-websocket-version": "8" })),
    ".\n",
  );
  assertMatch(old, /^HTTP\/1\.1 426 /);
  assertMatch(old, /\r\nsec-websocket-version: 13\r\n/);
  place.server.close();
});

const LACKING: Record<string, Record<string, string>> = {
  "a body of known length": { "content-length": "5" },
  "a body in chunks": { "transfer-encoding": "chunked" },
};

for (const [what, headers] of Object.entries(LACKING)) {
  Deno.test(`WebServer makes no WebSocket of a request with ${what}`, async () => {
    const place = new Place();
    const stream = place.dial(upgradeRequest(HOST, headers));
    assertMatch(await answerOf(stream), /^HTTP\/1\.1 400 /);
    assertEquals([place.refusals, place.opened.length], [[400], 0]);
    await turn();
    assertEquals(stream.closes, 0); // what is still to come is read, or the answer might not arrive
    place.server.close();
  });
}

Deno.test("WebServer refuses by HTTP who has no token and asks for no WebSocket as it should", async () => {
  const place = new Place(onlyTokens);
  const stream = place.dial(upgradeRequest(HOST, { "sec-websocket-key": "short" }));
  assertMatch(await answerOf(stream), /^HTTP\/1\.1 401 /);
  place.server.close();
});

Deno.test("WebServer counts who has no right token until it is gone", async () => {
  const place = new Place(onlyTokens);
  const request = upgradeRequest(HOST);
  const strangers = Array.from({ length: MAX_HANDSHAKES }, () => place.dial(request));
  await met(() => place.refusals.length === MAX_HANDSHAKES);
  await turn();
  const next = place.dial(request);
  await met(() => next.closes > 0);
  assertEquals(place.refusals.at(-1), 503);
  strangers[0]!.feed(goodbye(4401));
  await met(() => strangers[0]!.closes > 0);
  await turn();
  assertMatch(await answerOf(place.dial(request)), /^HTTP\/1\.1 101 /);
  place.server.close();
  assert(strangers.every(({ closes }) => closes > 0));
  await soon(place.server.over());
});

Deno.test("WebServer goes on when what it answers to cannot be written", async () => {
  const place = new Place();
  const broken = new FakeStream();
  broken.write = () => Promise.reject(new Error("broken pipe"));
  for (const sent of [bytesOf("HELLO\r\n\r\n"), upgradeRequest(HOST), upgradeRequest("a b")]) {
    const stream = new FakeStream();
    stream.write = broken.write;
    place.dial(sent, stream);
    await met(() => stream.closes > 0);
  }
  assertMatch(await answerOf(place.dial(upgradeRequest(HOST))), /^HTTP\/1\.1 101 /);
  assertEquals(place.opened.length, 1);
  await place.end();
});

Deno.test("WebServer writes all of its answer, however little is taken at a time", async () => {
  const place = new Place();
  const slow = () => Object.assign(new FakeStream(), { maxWriteBytes: 7 });
  const accepted = await answerOf(place.dial(upgradeRequest(HOST), slow()));
  assertMatch(accepted, /\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/);
  const refused = await answerOf(place.dial(bytesOf("HELLO\r\n\r\n"), slow()), ".\n");
  assertMatch(refused, /^HTTP\/1\.1 400 [^]*HTTP\/1\.1\.\n$/);
  await place.end();
});

Deno.test("WebServer closes who was refused, when it has read what that one has sent", async () => {
  const place = new Place();
  const stream = place.dial(bytesOf(`GET / HTTP/1.1\r\nhost: ${HOST}\r\n\r\n`));
  await answerOf(stream, ".\n");
  await met(() => stream.closes > 0);
  place.server.close();
});

Deno.test("WebServer is over a little after it was closed, though a WebSocket of it stays open", async () => {
  using time = new FakeTime();
  const place = new Place();
  await answerOf(place.dial(upgradeRequest(HOST)));
  await met(() => place.opened.length > 0);
  place.server.close();
  let isOver = false;
  const over = place.server.over().then(() => isOver = true);
  await time.tickAsync(CLOSE_TIMEOUT_MS); // each has so long for its goodbye
  assertEquals(isOver, false);
  await time.tickAsync(HANDSHAKE_TIMEOUT_MS);
  assertEquals(isOver, true);
  await over;
  place.opened[0]!.close();
  await time.tickAsync(CLOSE_TIMEOUT_MS);
  assertEquals(time.pending, 0);
});

for (const [agent, credits] of [["Deno/2.9.6", ["1024"]], ["Mozilla/5.0", []]] as const) {
  const tells = credits.length > 0 ? "tells" : "does not tell";
  Deno.test(`WebServer ${tells} ${agent}, which waits for it or not, that little was taken`, async () => {
    using time = new FakeTime();
    const place = new Place();
    const stream = place.dial(upgradeRequest(HOST, { "user-agent": agent }));
    const head = (await answerOf(stream)).length;
    await met(() => place.opened.length > 0);
    stream.feed(clientFrame(OPCODE.binary, new Uint8Array(1024)));
    let taken = 0;
    while (taken < 1024) taken += (await place.opened[0]!.read(new Uint8Array(2000)))!;
    await time.tickAsync(10);
    await turn();
    const text = String.fromCharCode(...stream.written.subarray(head));
    assertEquals(text, credits.map((credit) => `\x81\x04${credit}`).join(""));
    await place.end();
  });
}
