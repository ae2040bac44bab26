import { assert, assertEquals, assertRejects } from "@std/assert";
import { makeAuthority, makeCertificate } from "../../examples/tls/make_certificates.ts";
import { ConnectionError } from "../../src/errors.ts";
import { memoryPipe } from "../../src/transport/memory.ts";
import { messagePortStream } from "../../src/transport/message_port.ts";
import { nodeNet, nodeTcpTransport, nodeUnixTransport } from "../../src/transport/node_net.ts";
import { tcpTransport } from "../../src/transport/tcp.ts";
import type { Connecting, Listener, Listening } from "../../src/transport/transport.ts";
import { unixTransport } from "../../src/transport/unix.ts";
import { WebListener } from "../../src/transport/web_listener.ts";
import { webSocketTransport } from "../../src/transport/websocket.ts";
import { messagePair } from "../helpers/message_pair.ts";
import { type Pair, testByteStreams } from "./transport_contract.ts";

interface Place {
  listening: Listener;
  /** Reaches the listener. */
  there: Connecting;
  /** Listens at the same place again. */
  again: Listening;
  free(): Promise<void>;
}

async function tcpPlace(): Promise<Place> {
  const listening = await tcpTransport("127.0.0.1", 0).listen();
  const there = tcpTransport("127.0.0.1", listening.address.port!);
  return { listening, there, again: there, free: () => Promise.resolve() };
}

const authority = await makeAuthority();
const certificate = await makeCertificate(authority);

async function tlsPlace(): Promise<Place> {
  const listening = await tcpTransport("127.0.0.1", 0, certificate).listen();
  const port = listening.address.port!;
  const there = tcpTransport("127.0.0.1", port, { caCerts: [authority.pem] });
  return {
    listening,
    there,
    again: tcpTransport("127.0.0.1", port, certificate),
    free: () => Promise.resolve(),
  };
}

async function unixPlace(): Promise<Place> {
  const directory = await Deno.makeTempDir();
  const there = unixTransport(directory, true);
  const listening = await there.listen();
  return {
    listening,
    there,
    again: there,
    free: () => Deno.remove(directory, { recursive: true }),
  };
}

async function webPlace(): Promise<Place> {
  const web = (port: number) =>
    new WebListener(
      { address: { host: "127.0.0.1", port }, origins: undefined, tokens: undefined },
      () => {},
    );
  const listening = await web(0).listen();
  const { url } = listening.address;
  const there = webSocketTransport(url!);
  const again = web(Number(new URL(url!).port));
  return { listening, there, again, free: () => there.end!() };
}

async function nodeTcpPlace(): Promise<Place> {
  const net = nodeNet()!;
  const listening = await nodeTcpTransport(net, "127.0.0.1", 0).listen();
  const there = nodeTcpTransport(net, "127.0.0.1", listening.address.port!);
  return { listening, there, again: there, free: () => Promise.resolve() };
}

/** A node under Node.js with the controller of Deno. */
async function nodeUnixPlace(): Promise<Place> {
  const place = await unixPlace();
  const path = place.listening.address.socketPath!;
  return { ...place, there: nodeUnixTransport(nodeNet()!, path) };
}

async function pairAt(makePlace: () => Promise<Place>): Promise<Pair> {
  const { listening, there, free } = await makePlace();
  const [accepted, { stream }] = await Promise.all([listening.accept(), there.connect()]);
  assert(accepted !== null);
  return {
    ends: [stream, accepted],
    async close() {
      listening.close();
      await Promise.all([free(), listening.accept()]);
    },
  };
}

function portPair(): Pair {
  const { port1, port2 } = new MessageChannel();
  return { ends: [messagePortStream(port1), messagePortStream(port2)], close() {} };
}

testByteStreams("TCP", () => pairAt(tcpPlace));
testByteStreams("TLS", () => pairAt(tlsPlace));
testByteStreams("WebSocket", () => pairAt(webPlace));
testByteStreams("messages", () => Promise.resolve({ ends: messagePair(), close() {} }));
testByteStreams("MessagePort", () => Promise.resolve(portPair()));
testByteStreams("TCP by node:net", () => pairAt(nodeTcpPlace));
testByteStreams("memory", () => Promise.resolve({ ends: memoryPipe(), close() {} }));
if (Deno.build.os !== "windows") {
  testByteStreams("a UNIX socket", () => pairAt(unixPlace));
  testByteStreams("a UNIX socket by node:net", () => pairAt(nodeUnixPlace));
}

const places: [name: string, makePlace: () => Promise<Place>, remote: string | undefined][] = [
  ["TCP", tcpPlace, "127.0.0.1"],
  ["TCP by node:net", nodeTcpPlace, "127.0.0.1"],
  ["TLS", tlsPlace, "127.0.0.1"],
  ["WebSocket", webPlace, "127.0.0.1"],
];
if (Deno.build.os !== "windows") {
  places.push(["UNIX", unixPlace, undefined], ["UNIX by node:net", nodeUnixPlace, undefined]);
}

for (const [name, makePlace, remote] of places) {
  const test = (what: string, fn: (place: Place) => Promise<void>) => {
    Deno.test(`${name} Transport ${what}`, async () => {
      const place = await makePlace();
      try {
        await fn(place);
      } finally {
        place.listening.close();
        await Promise.all([place.free(), place.listening.accept()]);
      }
    });
  };

  test("accepts several connections, in order", async ({ listening, there }) => {
    const first = await there.connect();
    const second = await there.connect();
    const accepted = [await listening.accept(), await listening.accept()];
    await first.stream.write(Uint8Array.of(1));
    await second.stream.write(Uint8Array.of(2));
    for (const [i, stream] of accepted.entries()) {
      const into = new Uint8Array(4);
      assertEquals(await stream?.read(into), 1);
      assertEquals(into[0], i + 1);
      stream?.close();
    }
    first.stream.close();
    second.stream.close();
  });

  test("tells where a connection comes from, as far as there is an address", async (place) => {
    const { stream } = await place.there.connect();
    const accepted = await place.listening.accept();
    assertEquals(accepted?.remote, remote);
    accepted?.close();
    stream.close();
  });

  test("tells the same address on both sides", async ({ listening, there }) => {
    const { stream, address } = await there.connect();
    (await listening.accept())?.close();
    stream.close();
    assertEquals(address, listening.address);
  });

  test("refuses a place where somebody listens", async ({ again, listening, there }) => {
    const error = await assertRejects(() => again.listen(), ConnectionError);
    assert(/^Cannot listen on [^ ]+: another/.test(error.message), error.message);
    const { stream } = await there.connect();
    stream.close();
    (await listening.accept())?.close();
  });

  test("ends a pending accept() with null on close(), and every later one", async (place) => {
    const { listening } = place;
    const pending = [listening.accept()];
    listening.close();
    listening.close();
    assertEquals(await Promise.all(pending), [null]);
    assertEquals(await listening.accept(), null);
  });

  test("frees its place on close()", async ({ listening, again, there }) => {
    listening.close();
    await assertRejects(() => there.connect(), ConnectionError, "Cannot connect to the controller");
    const next = await again.listen();
    const { stream } = await there.connect();
    stream.close();
    (await next.accept())?.close();
    next.close();
  });
}
