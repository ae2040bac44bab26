import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  AuthenticationError,
  ConnectionError,
  Global,
  GlobalContextError,
  InitializationError,
  ProtocolError,
} from "../mod.ts";
import { HANDSHAKE_TIMEOUT_MS } from "../src/wire/limits.ts";
import { RawWebSocket } from "./e2e/raw_web_socket.ts";
import { registry } from "./helpers/test_network.ts";
import { RecordingLogger } from "./helpers/recording_logger.ts";
import { soon } from "./helpers/soon.ts";

const LOCAL = "127.0.0.1";
const add = registry((callback) => callback("add", (a: number, b: number) => a + b));
const none = () => registry(() => {});

Deno.test("Global serves WebSockets by itself, and beside TCP", async () => {
  await using hub = new Global({
    processName: "hub",
    initController: true,
    callbacks: add,
    host: LOCAL,
    web: { host: LOCAL },
  });
  await hub.ready;
  assert(hub.port! > 0);
  await using web = new Global({ processName: "web", url: hub.url, callbacks: none() });
  await using tcp = new Global({
    processName: "tcp",
    host: LOCAL,
    port: hub.port,
    callbacks: registry((callback) => callback("multiply", (a: number, b: number) => a * b)),
  });
  await web.waitProcess("tcp");
  assertEquals(await web.call.add(1, 2), 3);
  assertEquals(await web.call.multiply(3, 4), 12);
  assertEquals(await tcp.call.add(1, 2), 3);
  assertEquals([web.url, web.host, web.port, web.socketPath], [
    hub.url,
    undefined,
    undefined,
    undefined,
  ]);
});

Deno.test("Global with host and port fails where WebSockets are served, and the controller tells why", async () => {
  const logger = new RecordingLogger();
  const common = { callbacks: none(), logger };
  await using hub = new Global({ initController: true, web: { host: LOCAL }, ...common });
  await hub.ready;
  const port = Number(new URL(hub.url!).port);
  await using lost = new Global({ host: LOCAL, port, ...common });
  await soon(assertRejects(() => lost.ready, ProtocolError), HANDSHAKE_TIMEOUT_MS);
  assert(logger.has("nodes join here by a ws: url"));
});

Deno.test("Global.fetch is bound, and takes WebSockets under a path of another server", async () => {
  await using hub = new Global({ initController: true, web: true, callbacks: add });
  const { fetch } = hub;
  await using server = Deno.serve({ hostname: LOCAL, port: 0, onListen() {} }, (request) => {
    if (new URL(request.url).pathname === "/daffi") return fetch(request);
    return new Response("Hello!");
  });
  const { port } = server.addr;
  assertEquals([hub.port, hub.socketPath, hub.url], [undefined, undefined, undefined]);
  await using node = new Global({ url: `ws://${LOCAL}:${port}/daffi`, callbacks: none() });
  await node.ready;
  assertEquals(await node.call.add(1, 2), 3);
  const hello = await globalThis.fetch(`http://${LOCAL}:${port}/`);
  assertEquals(await hello.text(), "Hello!");
  const other = await globalThis.fetch(`http://${LOCAL}:${port}/daffi`);
  assertEquals([other.status, other.headers.get("upgrade")], [426, "websocket"]);
  await other.body?.cancel();
});

Deno.test("Global.fetch takes WebSockets also for a controller without the option web", async () => {
  await using hub = new Global({ initController: true, host: LOCAL, callbacks: add });
  await using server = Deno.serve({ hostname: LOCAL, port: 0, onListen() {} }, hub.fetch);
  await using node = new Global({
    url: `ws://${LOCAL}:${server.addr.port}/`,
    callbacks: none(),
  });
  await node.ready;
  assertEquals(await node.call.add(1, 2), 3);
});

Deno.test("Global.fetch takes the address that the server tells", async () => {
  const addresses: unknown[] = [];
  await using hub = new Global({
    initController: true,
    web: true,
    callbacks: add,
    authorize: (request) => {
      if (request.action === "join") addresses.push(request.address);
      return true;
    },
  });
  const join = async (handler: Deno.ServeHandler<Deno.NetAddr>) => {
    await using server = Deno.serve({ hostname: LOCAL, port: 0, onListen() {} }, handler);
    await using node = new Global({
      url: `ws://${LOCAL}:${server.addr.port}/`,
      callbacks: none(),
    });
    await node.ready;
  };
  await join(hub.fetch);
  await join((request) => hub.fetch(request));
  assertEquals(addresses, [LOCAL, undefined]);
});

Deno.test("Global.fetch lets nobody in without a right token, and tells them", async () => {
  const logger = new RecordingLogger();
  const tokens = ["let me in"];
  const web = { tokens };
  await using hub = new Global({ initController: true, web, callbacks: add, logger });
  await using server = Deno.serve({ hostname: LOCAL, port: 0, onListen() {} }, hub.fetch);
  const url = `ws://${LOCAL}:${server.addr.port}/`;
  await using stranger = new Global({ url, token: "guess", callbacks: none(), logger });
  await assertRejects(() => soon(stranger.ready), AuthenticationError, "401");
  await using node = new Global({ url, token: tokens[0], callbacks: none() });
  assertEquals(await soon(node.call.add(1, 2)), 3);
  assertEquals(hub.stats.failedAuthentications, 1);
});

Deno.test("stop() waits until WebSockets that came by Global.fetch are closed", async () => {
  const logger = new RecordingLogger();
  const hub = new Global({ initController: true, initNode: false, web: true, logger });
  await using server = Deno.serve({ hostname: LOCAL, port: 0, onListen() {} }, hub.fetch);
  using raw = await RawWebSocket.connect(`ws://${LOCAL}:${server.addr.port}/`);
  await raw.read(new Uint8Array(1)); // the other side has it, too
  await soon(hub.stop());
  assert(raw.socket.readyState > WebSocket.OPEN, `${raw.socket.readyState}`);
  while (await raw.read(new Uint8Array(100)) !== null);
});

Deno.test("Global.fetch answers 503 once the controller is stopped", async () => {
  const hub = new Global({ initController: true, web: true, logger: new RecordingLogger() });
  await using server = Deno.serve({ hostname: LOCAL, port: 0, onListen() {} }, hub.fetch);
  const url = `ws://${LOCAL}:${server.addr.port}/`;
  await using node = new Global({ url, reconnect: false, logger: new RecordingLogger() });
  await node.ready;
  await hub.stop();
  await assertRejects(() => node.join(), ConnectionError);
  const response = await hub.fetch(new Request("http://localhost/"));
  assertEquals(response.status, 503);
});

Deno.test("Global.fetch is refused where no controller is", async () => {
  await using hub = new Global({ initController: true, web: { host: LOCAL } });
  await hub.ready;
  await using node = new Global({ url: hub.url });
  await node.ready;
  await assertRejects(
    () => node.fetch(new Request("http://localhost/")),
    GlobalContextError,
    "initController",
  );
});

Deno.test("Global.url is known at once, and stop() gives up what nobody answers", async () => {
  using silent = Deno.listen({ hostname: LOCAL, port: 0 });
  const url = `ws://${LOCAL}:${silent.addr.port}/`;
  const node = new Global({ url, callbacks: none(), logger: new RecordingLogger() });
  assertEquals(node.url, url);
  const failed = assertRejects(() => node.ready, GlobalContextError);
  using connection = await silent.accept();
  await node.stop();
  await failed;
  const request = new Uint8Array(4_096);
  // Before the time for connecting is over, which would end it too.
  while (await soon(connection.read(request), HANDSHAKE_TIMEOUT_MS - 2_000) !== null);
});

Deno.test("Global fails to start when the web's address is taken, and frees the other one", async () => {
  using taken = Deno.listen({ hostname: LOCAL, port: 0 });
  using probe = Deno.listen({ hostname: LOCAL, port: 0 });
  const { port } = probe.addr;
  probe.close();
  const logger = new RecordingLogger();
  await using hub = new Global({
    initController: true,
    host: LOCAL,
    port,
    web: { host: LOCAL, port: taken.addr.port },
    logger,
  });
  await assertRejects(() => hub.ready, ConnectionError, `${LOCAL}:${taken.addr.port}`);
  await hub.stop();
  Deno.listen({ hostname: LOCAL, port }).close();
});

Deno.test("Global.attach() lets the node at the other end of a port join, until it closes", async () => {
  const joined = Promise.withResolvers<string>();
  const left = Promise.withResolvers<string>();
  await using hub = new Global({
    initController: true,
    web: true,
    callbacks: add,
    onProcessJoin: (_, name) => joined.resolve(name),
    onProcessLeave: (_, name) => left.resolve(name),
  });
  const { port1, port2 } = new MessageChannel();
  hub.attach(port1);
  await using node = new Global({ processName: "node", port: port2, callbacks: none() });
  await node.ready;
  assertEquals(await node.call.add(1, 2), 3);
  assertEquals(await soon(joined.promise), "node");
  await node.stop();
  assertEquals(await soon(left.promise), "node");
});

Deno.test("Global with a port gives up when its controller is gone", async () => {
  const hub = new Global({ initController: true, web: true, callbacks: add });
  const { port1, port2 } = new MessageChannel();
  hub.attach(port1);
  await using node = new Global({ port: port2, callbacks: none(), logger: new RecordingLogger() });
  await node.ready;
  await hub.stop();
  await assertRejects(() => node.join(), ConnectionError, "lost");
});

Deno.test("Global asks for its secret over the web and at ports too", async () => {
  const secret = crypto.randomUUID();
  const logger = new RecordingLogger();
  await using hub = new Global({
    initController: true,
    web: { host: LOCAL },
    secret,
    callbacks: add,
    logger,
  });
  await hub.ready;
  const byPort = () => {
    const { port1, port2 } = new MessageChannel();
    hub.attach(port1);
    return { port: port2 };
  };
  for (const way of [() => ({ url: hub.url }), byPort]) {
    await using node = new Global({ ...way(), secret, callbacks: none(), logger });
    await node.ready;
    assertEquals(await node.call.add(1, 2), 3);
    for (const wrong of [{}, { secret: "a guess" }]) {
      const stranger = new Global({ ...way(), ...wrong, callbacks: none(), logger });
      await assertRejects(() => stranger.ready, AuthenticationError);
      await stranger.stop();
    }
  }
});

Deno.test("Global.attach() refuses what is no port, and where no controller is", async () => {
  await using hub = new Global({ initController: true, web: true });
  for (const port of [5, null, {}]) {
    assertThrows(() => hub.attach(port as MessagePort), InitializationError, "MessagePort");
  }
  const { port1, port2 } = new MessageChannel();
  const node = new Global({ port: port2, logger: new RecordingLogger() });
  assertThrows(() => node.attach(port1), GlobalContextError, "initController");
  port1.close();
  node.ready.catch(() => {});
  await node.stop();
});

for (
  const [what, bytes] of [
    ["half of a request", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc"],
    ["the beginning of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
  ] as const
) {
  Deno.test(`stop() ends a controller that serves the web to whom has sent ${what}`, async () => {
    const hub = new Global({ initController: true, callbacks: none(), web: { host: LOCAL } });
    await hub.ready;
    using socket = await Deno.connect({ hostname: LOCAL, port: Number(new URL(hub.url!).port) });
    await socket.write(new TextEncoder().encode(bytes));
    await socket.read(new Uint8Array(1)); // it was taken
    await soon(hub.stop());
    const rest = await Array.fromAsync(socket.readable).catch(() => []);
    assert(Array.isArray(rest)); // that connection is over too
  });
}

Deno.test("Global.attach() takes a port once", async () => {
  await using hub = new Global({ initController: true, web: true, callbacks: add });
  const { port1, port2 } = new MessageChannel();
  hub.attach(port1);
  assertThrows(() => hub.attach(port1), InitializationError, "attached before");
  await using node = new Global({ port: port2, callbacks: none() });
  assertEquals(await node.call.add(1, 2), 3);
});
