import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { AuthenticationError, CallbackRegistry, Global } from "../../mod.ts";
import { Program } from "../helpers/processes.ts";
import { later, within } from "../helpers/soon.ts";
import { type Here, joinHere, overBoth, POSIX, QUICK, startNode } from "./network.ts";
import { hello, KIND, PREFACE, rawFrame, RawPeer } from "./raw_peer.ts";
import { RawWebSocket } from "./raw_web_socket.ts";

const LOCAL = "127.0.0.1";
const WEB = { initController: true, web: { host: LOCAL } };
const WORKER = new URL("./fixtures/worker_node.ts", import.meta.url);
const PERMITTED_WORKER = new URL("./fixtures/permitted_worker.ts", import.meta.url);
const MiB = 1024 * 1024;

const nothing = () => new CallbackRegistry();
const quiet = { warn() {}, error() {} };

/** A controller here that serves the web, at an address that is not known before. */
async function hub(options = {}): Promise<Here & { url: string }> {
  const here = await joinHere({ options: {}, controllerOptions: {} }, { ...WEB, ...options });
  return Object.assign(here, { url: here.g.url! });
}

/** A peer that has joined over a raw WebSocket. */
function joinRaw(url: string, dialled: (raw: RawWebSocket) => void): Promise<RawPeer> {
  const dial = async () => {
    const raw = await RawWebSocket.connect(url);
    dialled(raw);
    return raw;
  };
  return RawPeer.join({ dial }, "outlaw");
}

for (const [name, beside] of [["TCP", { host: LOCAL }], ["UNIX", undefined]] as const) {
  Deno.test({
    name: `nodes on ${name}, WebSocket and MessagePort call each other through one controller`,
    ignore: !POSIX && name === "UNIX",
    fn: async () => {
      const directory = await Deno.makeTempDir({ prefix: "daffi_" });
      try {
        await using here = await hub(beside ?? { unixSockPath: directory });
        const socket = beside === undefined
          ? { unixSockPath: directory }
          : { host: LOCAL, port: here.g.port! };
        await using _onSocket = await startNode({ options: socket }, "onSocket");
        await using _onWeb = await startNode({ options: { url: here.url } }, "onWeb");
        const { port1, port2 } = new MessageChannel();
        here.g.attach(port1);
        await using onPort = new Global({ processName: "p", port: port2, callbacks: nothing() });
        for (const caller of [here.g, onPort]) {
          for (const to of ["onSocket", "onWeb"]) {
            await caller.waitProcess(to);
            const other = to === "onWeb" ? "onSocket" : "onWeb";
            const invocation = { how: "fg", name: "add", args: [1, 2], options: { to: other } };
            assertEquals(await caller.call.invoke(invocation).fg({ to }), { value: 3 });
          }
        }
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}

/** What breaks the rules of WebSockets here, and how the controller closes them. */
const OFFENCES: Record<string, [status: number, (socket: WebSocket) => void]> = {
  "text": [1003, (socket) => socket.send("hello")],
  "a credit of nothing": [1003, (socket) => socket.send("0")],
  "a credit with a fraction": [1003, (socket) => socket.send("1.5")],
  "a credit of a thousand digits": [1003, (socket) => socket.send("9".repeat(1_000))],
  "credit for what was never sent": [1003, (socket) => socket.send("999999999")],
  "text of 8 MiB": [1003, (socket) => socket.send("x".repeat(8 * MiB))],
  "a message over the limit": [1009, (socket) => socket.send(new Uint8Array(MiB + 1))],
};

Deno.test("WebSockets that break the rules are closed, counted and logged", async (t) => {
  await using here = await hub();
  await using _there = await startNode({ options: { url: here.url } }, "there");
  await here.g.waitProcess("there");
  let told = 0;
  for (const [what, [status, offend]] of Object.entries(OFFENCES)) {
    await t.step(`${what}, before it joins`, async () => {
      using raw = await RawWebSocket.connect(here.url);
      offend(raw.socket);
      const { code } = await within("the end", raw.over());
      assertEquals(code, status);
      await here.logged.until("message", ++told);
      assertEquals(here.g.stats.refusedConnections, told);
    });
  }
  const { refusedConnections } = here.g.stats;
  for (const [what, [status, offend]] of Object.entries(OFFENCES)) {
    await t.step(`${what}, of a node`, async () => {
      let socket: RawWebSocket;
      using outlaw = await joinRaw(here.url, (raw) => socket = raw);
      offend(socket!.socket);
      await outlaw.closed();
      assertEquals(socket!.closed!.code, status);
      const message = String((await here.logged.until("message", ++told)).at(-1));
      assertMatch(message, /outlaw.*broke the rules/);
      assertEquals(await here.g.call.add(1, 2), 3);
    });
  }
  assertEquals(here.g.stats.refusedConnections, refusedConnections);
});

Deno.test("a WebSocket that ends within a frame is a lost connection", async () => {
  await using here = await hub();
  const left = Promise.withResolvers<void>();
  await using other = await joinHere({ options: { url: here.url } }, {
    processName: "other",
    onProcessLeave: () => left.resolve(),
  });
  {
    using outlaw = await joinRaw(here.url, () => {});
    await other.g.waitProcess("outlaw");
    await outlaw.write(rawFrame(KIND.OFFER, { payload: new Uint8Array(100) }).subarray(0, 60));
  }
  await within("onProcessLeave", left.promise);
  const [message] = await here.logged.until("message", 1);
  assertMatch(String(message), /"outlaw".*within a frame/);
});

Deno.test("the borders of messages mean nothing", async () => {
  await using here = await hub();
  using raw = await RawWebSocket.connect(here.url, []);
  const bytes = [...PREFACE, ...rawFrame(KIND.HELLO, { payload: hello("bits") })];
  for (const byte of bytes) raw.socket.send(Uint8Array.of(byte));
  raw.socket.send(new Uint8Array(0));
  await within("bits to join", here.g.waitProcess("bits"));
});

Deno.test("pages of foreign origins are refused, and their own are let in", async () => {
  await using here = await hub();
  const { host } = new URL(here.url);
  // As a browser sends it: a page cannot choose.
  const open = (origin: string) => {
    const socket = new WebSocket(here.url, { protocols: ["daffi"], headers: { origin } });
    const { promise, resolve } = Promise.withResolvers<string>();
    socket.onopen = () => socket.close(1000);
    socket.onerror = (event) => resolve((event as ErrorEvent).message);
    socket.onclose = () => resolve("opened");
    return within("an answer", promise);
  };
  assertEquals(await open(`http://${host}`), "opened");
  for (const origin of ["http://evil.example", `http://localhost:1`, "null"]) {
    assertMatch(await open(origin), /403/);
  }
  const lines = await here.logged.until("message", 4); // the one that was let in never said HELLO
  assert(
    lines.some((line) => String(line).includes('Pages of "http://evil.example" are not let in')),
  );
  const { refusedConnections, failedAuthentications } = here.g.stats;
  assertEquals([refusedConnections, failedAuthentications], [4, 0]);
});

Deno.test("a node with a token is let in, one without is told what to check", async () => {
  const token = crypto.randomUUID();
  await using here = await hub({ web: { host: LOCAL, tokens: ["other", token] } });
  await using node = new Global({ url: here.url, token, callbacks: nothing(), logger: quiet });
  await node.ready;
  assertEquals(await node.call.add(1, 2), 3);
  for (const wrong of [{}, { token: "guess" }]) {
    await using stranger = new Global({ url: here.url, ...wrong, logger: quiet }); // gives up at once
    const error = await assertRejects(
      () => stranger.ready,
      AuthenticationError,
      "A token is needed",
    );
    assert(!error.message.includes("guess"), "the token is told");
  }
  const [message] = await here.logged.until("message", 2);
  assertMatch(String(message), /from "127\.0\.0\.1" was turned away: A token is needed/);
  const { refusedConnections, failedAuthentications } = here.g.stats;
  assertEquals([refusedConnections, failedAuthentications], [2, 2]);
});

Deno.test("a node comes back when another server hands its requests to a new controller", async () => {
  const make = () =>
    new Global({ processName: "hub", initController: true, web: true, logger: quiet });
  let hub = make();
  await using server = Deno.serve(
    { hostname: LOCAL, port: 0, onListen() {} },
    (request) => hub.fetch(request),
  );
  const back = Promise.withResolvers<void>();
  let connects = 0;
  await using node = new Global({
    processName: "node",
    url: `ws://${LOCAL}:${server.addr.port}/deep/path?query`,
    reconnect: QUICK,
    logger: quiet,
    callbacks: nothing(),
    onNodeConnect: () => {
      if (++connects === 2) back.resolve();
    },
  });
  await node.ready;
  await hub.stop();
  hub = make();
  await within("the second connect", back.promise);
  await within("the node's return", hub.waitProcess("node"));
  await node.stop();
  await hub.stop();
});

Deno.test("a node in a worker joins its parent's controller by a port", async () => {
  const left = Promise.withResolvers<void>();
  await using here = await joinHere({ options: {}, controllerOptions: {} }, {
    initController: true,
    web: true,
    onProcessLeave: () => left.resolve(),
  });
  const worker = new Worker(WORKER, { type: "module" });
  const told = later(new Promise((resolve) => worker.onmessage = ({ data }) => resolve(data)));
  const { port1, port2 } = new MessageChannel();
  here.g.attach(port1);
  worker.postMessage({ port: port2 }, [port2]);
  assertEquals(await within("the worker's result", told), 3);
  await here.g.waitFunction("multiply");
  assertEquals(await here.g.call.multiply(3, 4), 12);
  here.offerFinish();
  await within("the worker to leave", left.promise);
  worker.terminate();
});

Deno.test("a worker that is terminated has left at once", async () => {
  const left = Promise.withResolvers<string>();
  await using here = await joinHere({ options: {}, controllerOptions: {} }, {
    initController: true,
    web: true,
    onProcessLeave: (_, name) => left.resolve(name),
  });
  const worker = new Worker(WORKER, { type: "module" });
  const { port1, port2 } = new MessageChannel();
  here.g.attach(port1);
  worker.postMessage({ port: port2 }, [port2]);
  await within("the worker to join", here.g.waitFunction("multiply"));
  worker.terminate();
  assertEquals(await within("onProcessLeave", left.promise, 10_000), "worker");
});

overBoth("a node in a worker runs with just the permission for its controller", async (place) => {
  const { host, port, url } = place.options;
  const net = [url === undefined ? `${host}:${port}` : new URL(url).host];
  const flags = [
    "--unstable-worker-options",
    "--allow-read",
    ...net.map((n) => `--allow-net=${n}`),
  ];
  await using here = await joinHere(place, { initController: true });
  await using program = new Program(PERMITTED_WORKER, { options: place.options, net }, { flags });
  assertEquals((await program.event("told")).data, 3);
  assertEquals(await here.g.call.permissions(), []);
  assertEquals(await here.g.call.multiply(3, 4), 12);
  here.offerFinish();
  const { code } = await program.ended();
  assertEquals([code, program.stderr], [0, ""]);
}, { transports: ["TCP", "WebSockets"] }); // UNIX sockets take permissions of files

Deno.test("a node in a worker without permission says which it lacks", async () => {
  for (const options of [{ url: "ws://127.0.0.1:9/" }, { host: "127.0.0.1", port: 9 }]) {
    await using program = new Program(PERMITTED_WORKER, { options, net: false }, {
      flags: ["--unstable-worker-options", "--allow-read"],
    });
    const { data } = await program.event("told");
    assertMatch(String(data), /ConnectionError.*net access to "127\.0\.0\.1:9".*--allow-net/s);
    await program.ended();
  }
});
