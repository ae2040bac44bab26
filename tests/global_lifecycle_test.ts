import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import {
  type CallbackFunction,
  CallbackNotFoundError,
  CallCancelledError,
  ConnectionError,
  currentCall,
  DuplicateProcessError,
  Global,
  GlobalContextError,
  type GlobalOptions,
  InitializationError,
  type JoinOptions,
  type StopOptions,
} from "../mod.ts";
import { RecordingLogger } from "./helpers/recording_logger.ts";
import { assertRejectsLater, soon, until } from "./helpers/soon.ts";
import { registry, TestNetwork } from "./helpers/test_network.ts";

Deno.test("Global tells the address once it is ready", async () => {
  await using net = await TestNetwork.start();
  const { hub } = net;
  assertEquals([hub.host, hub.isController, hub.processName], ["localhost", true, "hub"]);
  assert(Number.isInteger(hub.port) && hub.port! > 0);
  assertEquals(hub.socketPath, undefined);
  const a = await net.join("a");
  assertEquals([a.host, a.port, a.isController], ["localhost", hub.port, false]);
});

Deno.test("Global meets over a UNIX socket in the directory that is given", async () => {
  const unixSockPath = await Deno.makeTempDir();
  const options = { unixSockPath, logger: new RecordingLogger() };
  const callbacks = registry((callback) => callback("f", () => "from hub"));
  {
    await using hub = new Global({ ...options, initController: true, callbacks });
    await using a = new Global({ ...options, callbacks: registry(() => {}) });
    await Promise.all([hub.ready, a.ready]);
    assertEquals(await a.call.f(), "from hub");
    for (const g of [hub, a]) {
      assertEquals([g.socketPath, g.host, g.port], [`${unixSockPath}/.sock`, undefined, undefined]);
    }
  }
  await assertRejects(() => Deno.lstat(`${unixSockPath}/.sock`), Deno.errors.NotFound);
  await Deno.remove(unixSockPath, { recursive: true });
});

Deno.test("ready rejects when the port is taken, and so do join() and calls", async () => {
  await using net = await TestNetwork.start();
  const logger = new RecordingLogger();
  await using other = new Global({
    initController: true,
    host: "localhost",
    port: net.hub.port,
    callbacks: registry(() => {}),
    logger,
  });
  const error = await assertRejects(() => other.ready, ConnectionError);
  assertEquals(error.code, "CONNECTION");
  assertStrictEquals(await assertRejects(() => other.join()), error);
  await assertRejects(() => other.call.f(), ConnectionError);
  assert(logger.has("failed"));
});

Deno.test("ready rejects when nobody answers and the node may not try again", async () => {
  await using net = await TestNetwork.start();
  const port = net.hub.port!;
  await net.hub.stop();
  for (const reconnect of [false, { maxAttempts: 3, minDelayMs: 1, maxDelayMs: 2 }]) {
    await using g = net.add("late", () => {}, { port, reconnect });
    await assertRejects(() => soon(g.ready), ConnectionError);
  }
});

Deno.test("ready waits for a controller that comes later", async () => {
  await using net = await TestNetwork.start();
  const port = net.hub.port!;
  await net.hub.stop();
  await using a = net.add("a", () => {}, { port, reconnect: { minDelayMs: 1, maxDelayMs: 10 } });
  await using hub = new Global({ initController: true, host: "localhost", port });
  await soon(Promise.all([hub.ready, a.ready]));
  assertEquals(a.port, port);
});

Deno.test("ready rejects with DuplicateProcessError for a name that is in use", async () => {
  await using net = await TestNetwork.start();
  const first = await net.join("a", (callback) => callback("f", () => "first"));
  const second = net.add("a", (callback) => callback("f", () => "second"));
  const error = await assertRejects(() => soon(second.ready), DuplicateProcessError, '"a"');
  assertEquals(error.code, "DUPLICATE_PROCESS");
  await assertRejects(() => second.waitProcess("hub"), DuplicateProcessError);
  assertEquals(await net.hub.call.f(), "first");
  assertEquals(net.hub.stats.refusedConnections, 1);
  await first.stop();
  const third = await net.join("a", (callback) => callback("f", () => "third"));
  assertEquals(third.processName, "a");
});

Deno.test("stop() is idempotent, and ready, join() and waits learn of it", async () => {
  await using net = await TestNetwork.start();
  const a = await net.join("a");
  const joined = a.join();
  const waits = [a.waitProcess("never"), a.waitFunction("never")];
  const rejected = waits.map((wait) => assertRejectsLater(() => soon(wait), GlobalContextError));
  await soon(Promise.all([a.stop(), a.stop()]));
  await Promise.all(rejected);
  await soon(joined);
  await soon(a.join());
  await a.stop();
});

Deno.test("stop() before the start is over rejects ready and frees everything", async () => {
  const logger = new RecordingLogger();
  const g = new Global({
    initController: true,
    host: "localhost",
    callbacks: registry(() => {}),
    logger,
  });
  const ready = assertRejectsLater(() => soon(g.ready), GlobalContextError);
  await soon(g.stop());
  await ready;
});

Deno.test("stop() before a Controller listens waits until it has closed again, and ready rejects", async () => {
  const unixSockPath = await Deno.makeTempDir();
  let inits = 0;
  const controller = new Global({
    ...{ initController: true, initNode: false, unixSockPath },
    onInit: () => void inits++,
  });
  const refused = assertRejects(() => controller.ready, GlobalContextError, "is stopped");
  await controller.stop();
  const files = Array.from(Deno.readDirSync(unixSockPath), ({ name }) => name);
  assertEquals(files.filter((name) => !name.endsWith(".lock")), []);
  await refused;
  assertEquals(inits, 0);
  await Deno.remove(unixSockPath, { recursive: true });
});

Deno.test("stop() tells of calls that wait for their turn that they have not run", async () => {
  let runs = 0;
  await using net = await TestNetwork.start();
  const a = await net.join("a", (callback) => {
    callback("hang", () => (runs++, new Promise(() => {})), { concurrency: 1 });
  });
  const calls = [1, 2, 3].map(() =>
    assertRejectsLater(() => net.hub.call.hang().fg(), CallCancelledError, "is stopping")
  );
  await until(() => a.stats.runningCalls === 3);
  await soon(a.stop({ drainTimeout: 20 }));
  const executed = (await Promise.all(calls)).map((error) => error.executed);
  assertEquals([executed, runs], [["maybe", "never", "never"], 1]);
});

Deno.test("stop() within a callback waits for the others, and lets it answer", async () => {
  const slow = Promise.withResolvers<string>();
  const asked = Promise.withResolvers<void>();
  let stoppedOthers = false;
  await using net = await TestNetwork.start();
  const a = await net.join("a", (callback) => {
    callback("slow", () => (asked.resolve(), slow.promise));
    callback("shutDown", async () => {
      await currentCall()!.g.stop();
      stoppedOthers = true;
      return "bye";
    });
  });
  const other = net.hub.call.slow().bg();
  await soon(asked.promise);
  const shut = [net.hub.call.shutDown().bg(), net.hub.call.shutDown().bg()];
  await until(() => net.hub.registeredCallbacks.a?.length === 0);
  assertEquals(stoppedOthers, false);
  slow.resolve("done");
  assertEquals(await soon(other.get()), "done");
  for (const result of shut) assertEquals(await soon(result.get()), "bye");
  await soon(a.stop());
  assertEquals([a.stats.runningCalls, net.hub.stats.lostConnections], [0, 0]);
});

Deno.test("stop() within a callback of another Global is that of any other", async () => {
  await using net = await TestNetwork.start();
  const a = await net.join("a", (callback) => callback("f", () => 1));
  await net.join("b", (callback) => {
    callback("stopA", async () => {
      await a.stop();
      return "stopped";
    });
  });
  assertEquals(await soon(net.hub.call.stopA()), "stopped");
  await assertRejects(() => a.waitProcess("hub"), GlobalContextError);
  assertEquals(net.hub.registeredCallbacks.a, undefined);
});

Deno.test("stop() refuses a drain timeout that is none", async () => {
  await using net = await TestNetwork.start();
  for (const drainTimeout of [0, -1, "soon"]) {
    await assertRejects(async () => await net.hub.stop({ drainTimeout }), InitializationError);
  }
});

Deno.test("stop() before the own node has joined is no connection that was turned away", async () => {
  const logger = new RecordingLogger();
  const g = new Global({ initController: true, host: "localhost", logger });
  g.ready.catch(() => {});
  await g.stop();
  assertEquals([logger.lines, g.stats.refusedConnections], [[], 0]);
});

Deno.test("stats of a controller to which nothing has happened are zero", async () => {
  await using hub = new Global({ initController: true, initNode: false, host: "localhost" });
  await hub.ready;
  assertEquals([...new Set(Object.values(hub.stats))], [0]);
});

Deno.test("join() refuses options that are none", async () => {
  await using net = await TestNetwork.start();
  for (
    const [options, words] of [
      [{ drainTimeout: 0 }, "drainTimeout"],
      [{ drainTimout: 5 }, "drainTimeout?"],
      [{ killAllConnectedNodes: true }, "killAllConnectedNodes"],
      ["10s", "join"],
    ] as [JoinOptions, string][]
  ) {
    await assertRejects(() => soon(net.hub.join(options)), InitializationError, words);
  }
});

Deno.test("stop() refuses an option that it does not know", async () => {
  await using net = await TestNetwork.start();
  const options = { drainTimout: 5 } as StopOptions;
  await assertRejects(
    async () => await net.hub.stop(options),
    InitializationError,
    "drainTimeout?",
  );
});

Deno.test("stop() lets running callbacks finish, which may call on, and takes no new calls", async () => {
  const started = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  await using net = await TestNetwork.start((callback) => callback("double", (n: number) => 2 * n));
  const a = await net.join("a", (callback) => {
    callback("slow", async () => {
      started.resolve();
      await goOn.promise;
      return await currentCall()!.g.call.double(21);
    });
    callback("quick", () => 1);
  });
  const result = net.hub.call.slow().fg();
  await started.promise;
  const stopped = a.stop();
  await assertRejects(() => a.call.double(1), GlobalContextError);
  await assertRejects(() => a.waitProcess("hub"), GlobalContextError);
  await until(() => net.hub.registeredCallbacks.a?.length === 0);
  await assertRejects(() => net.hub.call.quick().fg({ to: "a" }), CallbackNotFoundError);
  goOn.resolve();
  assertEquals(await soon(result), 42);
  await soon(stopped);
});

Deno.test("stop() aborts what runs longer than the drain timeout", async () => {
  const started = Promise.withResolvers<AbortSignal>();
  await using net = await TestNetwork.start();
  const a = await net.join("a", (callback) => {
    callback("endless", () => {
      started.resolve(currentCall()!.signal);
      return new Promise(() => {});
    });
  });
  const result = net.hub.call.endless().fg();
  const failed = assertRejectsLater(() => soon(result));
  const signal = await started.promise;
  assertEquals(signal.aborted, false);
  await soon(a.stop({ drainTimeout: 20 }));
  assert(signal.aborted);
  assert(signal.reason instanceof CallCancelledError);
  await failed;
});

Deno.test("stop() fails the calls that wait for an answer", async () => {
  await using net = await TestNetwork.start();
  const started = Promise.withResolvers<void>();
  await net.join("a", (callback) => {
    callback("endless", () => {
      started.resolve();
      return new Promise(() => {});
    });
  });
  const b = await net.join("b");
  const call = b.call.endless().fg();
  const failed = assertRejectsLater(() => soon(call), GlobalContextError);
  await started.promise;
  await b.stop();
  await failed;
});

for (
  const [what, place] of [
    ["TCP", () => ({ host: "localhost" })],
    ["a UNIX socket", () => ({ unixSockPath: Deno.makeTempDirSync() })],
    ["WebSockets", () => ({ web: { host: "localhost" } })],
  ] as [string, () => GlobalOptions][]
) {
  Deno.test(`a controller that cannot accept connections says so, and goes on: ${what}`, async () => {
    const { listen } = Deno;
    const failing = (options: Deno.ListenOptions) => {
      const listener = listen(options);
      const accept = listener.accept.bind(listener);
      let attempts = 0;
      listener.accept = () =>
        ++attempts <= 3 ? Promise.reject(new Error("Too many open files")) : accept();
      return listener;
    };
    const logger = new RecordingLogger();
    const options = place();
    Object.assign(Deno, { listen: failing });
    try {
      await using hub = new Global({
        ...{ processName: "hub", initController: true, callbacks: registry(() => {}), logger },
        ...options,
      });
      await soon(hub.ready);
      const { url, port } = hub;
      const there = url === undefined ? { ...options, ...(port && { port }) } : { url };
      await using g = new Global({ ...there, callbacks: registry(() => {}), logger });
      await soon(g.ready);
      const told = logger.lines.filter((line) => line.includes("cannot be accepted at present"));
      assertEquals(told.length, 1);
      assert(told[0]!.includes("Too many open files"), told[0]);
    } finally {
      Object.assign(Deno, { listen });
      if (options.unixSockPath !== undefined) {
        await Deno.remove(options.unixSockPath, { recursive: true });
      }
    }
  });
}

Deno.test("stop() with killAllConnectedNodes stops the nodes too", async () => {
  await using net = await TestNetwork.start();
  const nodes = [await net.join("a"), await net.join("b")];
  const joined = nodes.map((g) => g.join());
  await soon(net.hub.stop({ killAllConnectedNodes: true }));
  await soon(Promise.all(joined));
  for (const g of nodes) await assertRejects(() => g.waitProcess("x"), GlobalContextError);
});

Deno.test("a later stop() does not overtake one that stops the nodes too", async () => {
  await using net = await TestNetwork.start();
  const a = await net.join("a");
  const stopped = a.join();
  await soon(Promise.all([net.hub.stop({ killAllConnectedNodes: true }), net.hub.stop()]));
  await soon(stopped);
});

Deno.test("stop() refuses options that have a value which they cannot have, and stops nothing", async () => {
  await using net = await TestNetwork.start();
  const a = await net.join("a");
  const wrong = [
    ...["no", "", 0, 1, null].map((value) => ({ killAllConnectedNodes: value })),
    { drainTimeout: "soon" },
  ];
  for (const options of wrong) {
    const [name] = Object.keys(options);
    const refused = () => net.hub.stop(options as StopOptions);
    await assertRejects(refused, InitializationError, name);
  }
  await soon(a.waitProcess("hub"));
  await soon(net.hub.waitProcess("a"));
});

Deno.test("stop() with killAllConnectedNodes is refused where no controller is", async () => {
  await using net = await TestNetwork.start();
  const a = await net.join("a");
  await assertRejects(() => a.stop({ killAllConnectedNodes: true }), GlobalContextError);
  await soon(a.waitProcess("hub"));
});

Deno.test("await using stops the Global at the end of its block", async () => {
  await using net = await TestNetwork.start();
  let left: Global;
  {
    await using a = net.add("a");
    await a.ready;
    left = a;
    await net.hub.waitProcess("a");
  }
  await assertRejects(() => left.call.f(), GlobalContextError);
  assertEquals(net.hub.registeredCallbacks, {});
});

Deno.test("a Global without a node refuses what needs one", async () => {
  const logger = new RecordingLogger();
  await using g = new Global({ initController: true, initNode: false, host: "localhost", logger });
  await g.ready;
  assert(g.port! > 0);
  const error = await assertRejects(() => g.call.f(), GlobalContextError, "initNode");
  assertEquals([error.code, error.executed], ["GLOBAL_CONTEXT", "never"]);
  await assertRejects(() => g.call.f().broadcast(), GlobalContextError);
  await assertRejects(() => g.call.f([]).stream(), GlobalContextError);
  await assertRejects(() => g.call.f().bg().get(), GlobalContextError);
  await assertRejects(() => g.waitProcess("a"), GlobalContextError);
  await assertRejects(() => g.waitFunction("f"), GlobalContextError);
  await g.call.f().noReturn();
  assert(logger.has("dropped"));
});

Deno.test("a controller without a node serves others", async () => {
  const logger = new RecordingLogger();
  await using hub = new Global({ initController: true, initNode: false, host: "localhost" });
  await hub.ready;
  const options = { host: "localhost", port: hub.port, logger };
  await using a = new Global({ ...options, callbacks: registry((c) => c("f", () => 1)) });
  await using b = new Global({ ...options, callbacks: registry(() => {}) });
  await b.waitFunction("f");
  assertEquals(await b.call.f(), 1);
  assertEquals(Object.keys(b.registeredCallbacks), [a.processName]);
  assert(hub.stats.forwardedFrames >= 2);
});

Deno.test("a controller without a node hears who comes and goes", async () => {
  const heard: string[] = [];
  const logger = new RecordingLogger();
  const hear = (what: string) => (_: unknown, name: string) => void heard.push(`${what} ${name}`);
  await using hub = new Global({
    ...{ processName: "hub", initController: true, initNode: false, host: "localhost" },
    ...{ logger, onProcessJoin: hear("join"), onProcessLeave: hear("leave") },
  });
  await hub.ready;
  const node = (processName: string) =>
    new Global({ processName, port: hub.port!, logger, callbacks: registry(() => {}) });
  const a = node("a");
  await a.ready;
  await using b = node("b");
  await b.ready;
  await a.stop();
  await until(() => heard.length === 3);
  assertEquals(heard, ["join a", "join b", "leave a"]);
});

Deno.test("the directory reaches a Global however small its maxFrameBytes is", async () => {
  const many = (callback: CallbackFunction) => {
    for (let i = 0; i < 1000; i++) callback(`callback ${i} `.padEnd(200, "x"), () => i);
  };
  await using net = await TestNetwork.start(many);
  const small = await net.join("small", () => {}, { maxFrameBytes: 65_536 });
  assertEquals(small.registeredCallbacks["hub"]!.length, 1000);
  await net.join("later", many);
  await soon(small.waitProcess("later"));
  assertEquals(small.registeredCallbacks["later"]!.length, 1000);
});

Deno.test("stop() sends all answers before it leaves, also those that wait for the connection", async () => {
  await using net = await TestNetwork.start();
  const go = Promise.withResolvers<void>();
  let begun = 0;
  const worker = await net.join("worker", (callback) => {
    callback("work", async () => {
      begun++;
      await go.promise;
      return new Uint8Array(12 * 1024 * 1024);
    });
  });
  const answers = Array.from({ length: 4 }, () => net.hub.call.work().fg());
  await until(() => begun === 4);
  const stopped = worker.stop();
  go.resolve();
  assertEquals(
    (await soon(Promise.all(answers), 20_000)).map(({ length }) => length),
    Array(4).fill(12 * 1024 * 1024),
  );
  await stopped;
});

Deno.test("a node that is stopped while it joins leaves, and is not lost", async () => {
  const left = Promise.withResolvers<string>();
  const stopped = Promise.withResolvers<void>();
  await using net = await TestNetwork.start(() => {}, {
    // The controller has admitted it, and it does not know yet.
    onProcessJoin: () => stopped.resolve(node.stop()),
    onProcessLeave: (_, name) => left.resolve(name),
  });
  const node = net.add("hasty");
  await soon(stopped.promise);
  assertEquals(await soon(left.promise), "hasty");
  assertEquals([net.hub.stats.lostConnections, net.logger.lines], [0, []]);
});

Deno.test("stop() loses no call that another process can run, with an answer or without", async () => {
  let ran = 0;
  const offer = (callback: CallbackFunction) => callback("count", () => void ran++);
  await using net = await TestNetwork.start();
  await net.join("stays", offer);
  const caller = await net.join("caller");
  let made = 0;
  let isOver = false;
  const lanes = Array.from({ length: 64 }, async () => {
    while (!isOver) {
      made += 2;
      await caller.call.count();
      await caller.call.count().noReturn();
    }
  });
  for (let i = 0; i < 3; i++) {
    const leaves = net.add("leaves", offer);
    await caller.waitProcess("leaves");
    const before = made;
    await until(() => made > before + 1000);
    await leaves.stop();
  }
  isOver = true;
  await soon(Promise.all(lanes));
  await until(() => ran === made);
  assertEquals(caller.stats.droppedCalls, 0);
});
