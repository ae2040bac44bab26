import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  CallCancelledError,
  CallTimeoutError,
  ConnectionError,
  currentCall,
  FG,
  Global,
  PeerLostError,
} from "../mod.ts";
import { MAX_WAITING_BYTES } from "../src/wire/limits.ts";
import { CuttingProxy } from "./helpers/cutting_proxy.ts";
import { RecordingLogger } from "./helpers/recording_logger.ts";
import { assertRejectsLater, soon, until } from "./helpers/soon.ts";
import { registry, TestNetwork } from "./helpers/test_network.ts";

const FAST = { reconnect: { minDelayMs: 1, maxDelayMs: 20 } };

Deno.test("the same Global comes back under its name, though its old connection seems alive", async () => {
  await using net = await TestNetwork.start((callback) => callback("f", () => "hub"));
  await using proxy = new CuttingProxy(net.hub.port!);
  let connects = 0;
  const a = await net.join("a", (callback) => callback("g", () => "a"), {
    ...FAST,
    port: proxy.port,
    onNodeConnect: () => void connects++,
  });
  proxy.cut();
  await until(() => connects === 2);
  assertEquals(await soon(a.call.f().fg()), "hub");
  await soon(net.hub.waitFunction("g"));
  assertEquals(await soon(net.hub.call.g().fg()), "a");
  assertEquals(net.hub.stats.refusedConnections, 0);
});

Deno.test("a connection that is lost again and again is made anew after longer and longer pauses", async () => {
  await using net = await TestNetwork.start();
  await using proxy = new CuttingProxy(net.hub.port!);
  const { setTimeout } = globalThis;
  const { random } = Math;
  const delays: (number | undefined)[] = [];
  globalThis.setTimeout = ((run: () => void, ms?: number) => {
    delays.push(ms);
    return setTimeout(run, ms);
  }) as typeof setTimeout;
  Math.random = () => 0.5;
  try {
    let connects = 0;
    net.add("a", () => {}, {
      reconnect: { minDelayMs: 4, maxDelayMs: 60_000 },
      heartbeat: false,
      port: proxy.port,
      onNodeConnect: () => {
        connects++;
        proxy.cut();
      },
    });
    await until(() => connects === 6);
  } finally {
    globalThis.setTimeout = setTimeout;
    Math.random = random;
  }
  const pauses = [2, 4, 8, 16, 32];
  assertEquals(delays.filter((ms) => pauses.includes(ms!)), pauses);
});

Deno.test("calls under way fail with PeerLostError when the connection is lost", async () => {
  const started = Promise.withResolvers<void>();
  await using net = await TestNetwork.start((callback) => {
    callback("wait", () => {
      started.resolve();
      return new Promise(() => {});
    });
  });
  await using proxy = new CuttingProxy(net.hub.port!);
  const a = await net.join("a", () => {}, { ...FAST, port: proxy.port });
  const calls = [
    a.call.wait().fg(),
    a.call.wait().bg().get(),
    a.call.wait().broadcast({ returnResult: true }),
  ];
  const failed = calls.map((call) => assertRejectsLater(() => soon(call), PeerLostError));
  await started.promise;
  proxy.cut();
  for (const { code, callbackName, executed, callId } of await Promise.all(failed)) {
    assertEquals([code, callbackName, executed], ["PEER_LOST", "wait", "maybe"]);
    assert(Number.isInteger(callId));
  }
});

Deno.test("a call that was sent is not sent again when the connection is lost", async () => {
  const started = Promise.withResolvers<void>();
  const runs: string[] = [];
  await using net = await TestNetwork.start((callback) => {
    callback("run", (which: string) => {
      runs.push(which);
      if (which !== "lost") return;
      started.resolve();
      return new Promise(() => {});
    });
  });
  await using proxy = new CuttingProxy(net.hub.port!);
  const a = await net.join("a", () => {}, { ...FAST, port: proxy.port });
  const lost = assertRejectsLater(() => soon(a.call.run("lost").fg()), PeerLostError);
  await started.promise;
  proxy.cut();
  await lost;
  await soon(a.call.run("next").fg());
  await soon(a.call.run("last").fg());
  assertEquals(runs, ["lost", "next", "last"]);
});

Deno.test("a callback that runs for a lost connection is aborted", async () => {
  const started = Promise.withResolvers<AbortSignal>();
  await using net = await TestNetwork.start();
  await using proxy = new CuttingProxy(net.hub.port!);
  await net.join("a", (callback) => {
    callback("wait", () => {
      started.resolve(currentCall()!.signal);
      return new Promise(() => {});
    });
  }, { ...FAST, port: proxy.port });
  const call = assertRejectsLater(() => soon(net.hub.call.wait().fg()), PeerLostError);
  const signal = await started.promise;
  proxy.cut();
  await until(() => signal.aborted);
  await call;
});

Deno.test("a Global comes back to a controller restarted on the same port", async () => {
  await using net = await TestNetwork.start();
  const port = net.hub.port!;
  const heard: string[] = [];
  const a = await net.join("a", (callback) => callback("who", () => "a"), {
    ...FAST,
    onNodeConnect: () => void heard.push("connect"),
    onNodeDisconnect: () => void heard.push("disconnect"),
    onProcessLeave: (_, name) => void heard.push(`leave ${name}`),
  });
  const b = await net.join("b", () => {}, FAST);
  await net.hub.stop();
  await until(() => heard.includes("disconnect"));
  assertEquals(a.registeredCallbacks, {});
  const slow = assertRejectsLater(() => soon(b.call.who().fg({ timeout: 30 })), CallTimeoutError);
  assertEquals((await slow).executed, "never");
  const waiting = [b.call.who().fg(), b.call.who().bg().get(), b.call.who().fg({ to: "a" })];
  const callbacks = registry((callback) => callback("who", () => "hub 2"));
  await using _hub = new Global({ processName: "hub 2", initController: true, port, callbacks });
  const answers = await soon(Promise.all(waiting), 8000);
  assertEquals(answers[2], "a");
  for (const answer of answers) assert(["a", "hub 2"].includes(answer), answer);
  await soon(a.waitProcess("b"));
  assertEquals(heard.filter((line) => !line.startsWith("leave b")), [
    "connect",
    "leave hub",
    "disconnect",
    "connect",
  ]);
});

Deno.test("a Global comes back, whatever another program on that port answered meanwhile", async () => {
  const options = { initController: true, host: "127.0.0.1", callbacks: registry(() => {}) };
  const first = new Global({ ...options, processName: "first" });
  await first.ready;
  const { port } = first;
  await using node = new Global({
    ...FAST,
    host: "127.0.0.1",
    port,
    logger: new RecordingLogger(),
    callbacks: registry((callback) => callback("f", () => "back")),
  });
  await node.ready;
  await first.stop();
  {
    using other = Deno.listen({ hostname: "127.0.0.1", port: port! });
    for (let i = 0; i < 3; i++) {
      using socket = await soon(other.accept());
      await socket.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
      while (await soon(socket.read(new Uint8Array(100))) !== null);
    }
  }
  await using second = new Global({ ...options, port, processName: "second" });
  await soon(second.waitFunction("f"));
  assertEquals(await soon(second.call.f().fg()), "back");
});

Deno.test("calls made while the controller is away keep their order", async () => {
  await using net = await TestNetwork.start();
  const port = net.hub.port!;
  const a = await net.join("a", () => {}, FAST);
  await net.hub.stop();
  await until(() => Object.keys(a.registeredCallbacks).length === 0);
  const heard: number[] = [];
  const calls = [
    a.call.hear(1).noReturn(),
    a.call.hear(2).fg(),
    a.call.hear(3).broadcast(),
    a.call.hear([4, 5]).stream(),
    a.call.hear(6).noReturn(),
  ];
  const callbacks = registry((callback) => {
    callback("hear", (n: number) => void heard.push(n));
  });
  await using hub = new Global({ initController: true, port, callbacks });
  await hub.ready;
  await soon(Promise.all(calls), 8000);
  await until(() => heard.length === 6);
  assertEquals(heard.filter((n) => n !== 4 && n !== 5), [1, 2, 3, 6]);
});

Deno.test("calls that are given up while the controller is away make room for others", async () => {
  await using net = await TestNetwork.start();
  const a = await net.join("a", () => {}, FAST);
  await net.hub.stop();
  await until(() => Object.keys(a.registeredCallbacks).length === 0);
  const part = new Uint8Array(MAX_WAITING_BYTES / 5);
  for (let i = 0; i < 6; i++) {
    const aborting = new AbortController();
    const kept = { signal: aborting.signal };
    const calls = [a.call.f(part).fg(kept), a.call.f(part).exec(FG({ ...kept, timeout: "1m" }))];
    const gone = calls.map((call) => assertRejectsLater(() => soon(call), CallCancelledError));
    aborting.abort();
    await Promise.all(gone);
  }
});

Deno.test("what is registered while the controller is away is offered when it is back", async () => {
  await using net = await TestNetwork.start();
  const port = net.hub.port!;
  const callbacks = registry((callback) => callback("old", () => 1));
  const a = await net.join("a", () => {}, { ...FAST, callbacks });
  await net.hub.stop();
  await until(() => Object.keys(a.registeredCallbacks).length === 0);
  callbacks.callback("new", () => 2);
  callbacks.callback.remove("old");
  await using hub = new Global({
    initController: true,
    port,
    callbacks: registry(() => {}),
  });
  await soon(hub.waitProcess("a"), 8000);
  assertEquals(hub.registeredCallbacks, { a: ["new"] });
});

Deno.test("a Global that may not come back stops with the reason", async () => {
  await using net = await TestNetwork.start();
  for (const reconnect of [false, { maxAttempts: 2, minDelayMs: 1, maxDelayMs: 2 }]) {
    await using other = await TestNetwork.start();
    const a = net.add("a", () => {}, { reconnect, port: other.hub.port });
    await a.ready;
    const joined = assertRejectsLater(() => soon(a.join()), ConnectionError);
    await other.hub.stop();
    await joined;
    await assertRejects(() => soon(a.call.f()), ConnectionError);
  }
});

Deno.test("stop() while the node tries to come back ends the attempts", async () => {
  await using net = await TestNetwork.start();
  const a = await net.join("a", () => {}, {
    reconnect: { minDelayMs: 60_000, maxDelayMs: 60_000 },
  });
  const call = a.call.f().fg();
  await assertRejects(() => call);
  await net.hub.stop();
  await until(() => Object.keys(a.registeredCallbacks).length === 0);
  await soon(a.stop());
  await soon(a.join());
});
