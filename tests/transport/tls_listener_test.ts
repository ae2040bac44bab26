import { assert, assertEquals, assertRejects } from "@std/assert";
import type * as net from "node:net";
import { makeAuthority, makeCertificate } from "../../examples/tls/make_certificates.ts";
import { AuthenticationError, ConnectionError, ProtocolError } from "../../src/errors.ts";
import { tcpTransport } from "../../src/transport/tcp.ts";
import type { ByteStream } from "../../src/transport/transport.ts";
import { isListenable } from "../helpers/is_listenable.ts";
import { soon } from "../helpers/soon.ts";

const LOCAL = "127.0.0.1";
const authority = await makeAuthority();
const stranger = await makeAuthority("Somebody else");
const certificate = await makeCertificate(authority);
const trusting = { caCerts: [authority.pem] };

/** What a listener asks of `node:net`. */
interface Asked {
  readonly server: net.Server;
  readonly options: net.ServerOpts;
  readonly listening: net.ListenOptions;
}

async function spying(run: () => Promise<void>): Promise<Asked[]> {
  const module = process.getBuiltinModule("node:net");
  const { createServer } = module;
  const asked: Asked[] = [];
  module.createServer = ((options: net.ServerOpts, onConnection: () => void) => {
    const server = createServer(options, onConnection);
    const listen = server.listen.bind(server) as (...args: unknown[]) => net.Server;
    server.listen = ((listening: net.ListenOptions, ...rest: unknown[]) => {
      asked.push({ server, options, listening });
      return listen(listening, ...rest);
    }) as net.Server["listen"];
    return server;
  }) as typeof createServer;
  try {
    await run();
  } finally {
    module.createServer = createServer;
  }
  return asked;
}

async function pair() {
  const listener = await tcpTransport(LOCAL, 0, certificate).listen();
  const there = tcpTransport(LOCAL, listener.address.port!, trusting);
  const [accepted, { stream }] = await Promise.all([listener.accept(), there.connect()]);
  return { listener, accepted: accepted!, stream };
}

async function writeForever(stream: ByteStream): Promise<never> {
  for (;;) await stream.write(new Uint8Array(1000));
}

Deno.test("a node that does not trust its controller fails by what it writes as by what it reads", async () => {
  const listener = await tcpTransport(LOCAL, 0, certificate).listen();
  const there = tcpTransport(LOCAL, listener.address.port!, { caCerts: [stranger.pem] });
  for (const use of [writeForever, (stream: ByteStream) => stream.read(new Uint8Array(1))]) {
    const { stream } = await there.connect();
    const accepted = (await listener.accept())!;
    const refused = accepted.read(new Uint8Array(1)).then(() => {}, () => {});
    await assertRejects(
      () => soon(use(stream)),
      AuthenticationError,
      "Cannot trust the controller",
    );
    stream.close();
    await soon(refused);
    accepted.close();
  }
  listener.close();
});

Deno.test("a controller that gets no TLS says so, to who reads and to who writes", async () => {
  const listener = await tcpTransport(LOCAL, 0, certificate).listen();
  for (const use of [writeForever, (stream: ByteStream) => stream.read(new Uint8Array(1))]) {
    using plain = await Deno.connect({ hostname: LOCAL, port: listener.address.port! });
    const accepted = (await soon(listener.accept()))!;
    const failed = assertRejects(() => soon(use(accepted)), ProtocolError, "does not do TLS");
    await plain.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
    await failed;
    // It is what every later read tells, too.
    await assertRejects(() => soon(accepted.read(new Uint8Array(1))), ProtocolError);
    accepted.close();
  }
  listener.close();
});

Deno.test("a TLS listener has small writes sent at once, and lets many connections wait", async () => {
  const asked = await spying(async () => {
    (await tcpTransport(LOCAL, 0, certificate).listen()).close();
  });
  assertEquals(asked.map(({ options }) => options.noDelay), [true]);
  assertEquals(asked.map(({ listening }) => listening.backlog), [4_096]);
});

Deno.test("a TLS listener tells of connections that cannot be accepted, and goes on", async () => {
  const told: string[] = [];
  let port = 0;
  const [asked] = await spying(async () => {
    const transport = tcpTransport(LOCAL, 0, certificate);
    const listener = await transport.listen(({ message }) => told.push(message));
    port = listener.address.port!;
  });
  asked!.server.emit("error", new Error("too many files"));
  assertEquals(told, ["too many files"]);
  const { stream } = await tcpTransport(LOCAL, port, trusting).connect();
  stream.close();
  asked!.server.close();
});

Deno.test("a TLS listener says that its port is taken", async () => {
  using taken = Deno.listen({ hostname: LOCAL, port: 0 });
  const transport = tcpTransport(LOCAL, taken.addr.port, certificate);
  await assertRejects(() => soon(transport.listen()), ConnectionError, "another program");
});

Deno.test({
  name: "a TLS listener takes an IPv6 address in brackets",
  ignore: !isListenable("::1"),
  async fn() {
    const listener = await tcpTransport("[::1]", 0, certificate).listen();
    assert(listener.address.port! > 0);
    listener.close();
  },
});

Deno.test("a TLS connection that is closed gives nothing of what has come before", async () => {
  const { listener, accepted, stream } = await pair();
  await stream.write(Uint8Array.of(1, 2, 3));
  assertEquals(await soon(accepted.read(new Uint8Array(1))), 1);
  accepted.close();
  await assertRejects(() => accepted.read(new Uint8Array(1)), Error, "is closed");
  await assertRejects(() => accepted.write(new Uint8Array(1)), Error, "is closed");
  stream.close();
  listener.close();
});

Deno.test("a TLS connection ends with the one that is below it, begun or not", async () => {
  const { listener, accepted, stream } = await pair();
  await stream.write(Uint8Array.of(1));
  assertEquals(await soon(accepted.read(new Uint8Array(9))), 1);
  const reading = accepted.read(new Uint8Array(1));
  stream.close();
  assertEquals(await soon(reading), null);
  using plain = await Deno.connect({ hostname: LOCAL, port: listener.address.port! });
  const unborn = (await soon(listener.accept()))!;
  const ended = unborn.read(new Uint8Array(1)).catch(() => null);
  await plain.closeWrite();
  assertEquals(await soon(ended), null);
  for (const each of [accepted, unborn]) each.close();
  assertEquals(await soon(plain.read(new Uint8Array(1))), null);
  listener.close();
});
