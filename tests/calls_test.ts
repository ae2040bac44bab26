import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import {
  BG,
  BROADCAST,
  CallbackNotFoundError,
  type CallbackRegistry,
  CallCancelledError,
  CallTimeoutError,
  currentCall,
  FG,
  NO_RETURN,
  STREAM,
} from "../mod.ts";
import { silentSource } from "./helpers/silent_source.ts";
import { soon, until } from "./helpers/soon.ts";
import { registry, TestNetwork } from "./helpers/test_network.ts";

const add = (a: number, b: number) => a + b;

/** Three processes that offer `who`, each answering with its name. */
async function three(): Promise<TestNetwork> {
  const net = await TestNetwork.start();
  for (const name of ["a", "b", "c"]) {
    await net.join(name, (callback) => callback("who", () => name));
  }
  return net;
}

Deno.test("a call is made by await, by fg() and by exec(FG)", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => callback("add", add));
  const { add: remote } = net.hub.call;
  assertEquals(await remote(1, 2), 3);
  assertEquals(await remote(1, 2).fg(), 3);
  assertEquals(await remote(1, 2).fg({ timeout: "5s", to: "a" }), 3);
  assertEquals(await remote(1, 2).exec(FG), 3);
  assertEquals(await remote(1, 2).exec(FG({ timeout: "15s" })), 3);
  assertEquals(await remote(1, 2).then((sum: number) => sum + 1), 4);
  assertEquals(await remote(1, 2).finally(() => {}), 3);
  assertEquals(await net.hub.call.subtract(1, 2).catch(() => "caught"), "caught");
});

Deno.test("a call is not made before it is asked for, and made anew each time", async () => {
  let runs = 0;
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => callback("count", () => ++runs));
  const call = net.hub.call.count();
  assertEquals([await net.hub.call.count(), runs], [1, 1]);
  assertEquals([await call, await call, await call.fg(), await call.bg().get()], [2, 3, 4, 5]);
});

Deno.test("g.call keeps names apart, and takes names that objects have by themselves", async () => {
  await using net = await TestNetwork.start();
  const names = ["constructor", "__proto__", "toString", "hasOwnProperty", "a b", "ünï"];
  await net.join("a", (callback) => {
    for (const name of names) callback(name, () => `I am ${name}`);
  });
  const { call } = net.hub;
  const stored = names.map((name) => [name, call[name]]);
  for (const [name, remote] of stored) assertEquals(await remote(), `I am ${name}`);
});

Deno.test("g.call is not a promise, and cannot be changed", async () => {
  await using net = await TestNetwork.start();
  const { call } = net.hub;
  assertStrictEquals(await call, call);
  assertEquals([call.then, typeof call.f], [undefined, "function"]);
});

Deno.test("arguments and results arrive as what they were", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => callback("echo", (...args: unknown[]) => args));
  const args = [undefined, null, 5n, new Date(0), new Map([[1, new Set(["a"])]]), /x/gi];
  assertEquals(await net.hub.call.echo(...args), args);
});

Deno.test("calls made before the Global is ready go out, in order, when it is", async () => {
  const heard: number[] = [];
  await using net = await TestNetwork.start((callback) => {
    callback("hear", (n: number) => void heard.push(n));
  });
  const a = net.add("a");
  const calls = [
    a.call.hear(1).noReturn(),
    a.call.hear(2).fg(),
    a.call.hear(3).broadcast(),
    a.call.hear(4).bg().get(),
    a.call.hear(5).broadcast({ returnResult: true }),
    a.call.hear(6).fg(),
  ];
  await soon(Promise.all(calls));
  assertEquals(heard, [1, 2, 3, 4, 5, 6]);
});

Deno.test("calls to one process start there in the order in which they were made", async () => {
  const heard: number[] = [];
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => callback("hear", (n: number) => void heard.push(n)));
  const calls: Promise<unknown>[] = [];
  for (let n = 0; n < 100; n += 4) {
    calls.push(
      net.hub.call.hear(n).noReturn(),
      net.hub.call.hear(n + 1).fg(),
      net.hub.call.hear(n + 2).broadcast(),
      net.hub.call.hear(n + 3).bg().get(),
    );
  }
  await soon(Promise.all(calls));
  assertEquals(heard, Array.from({ length: 100 }, (_, n) => n));
});

Deno.test("a call chooses any of those who offer it, or the one that `to` names", async () => {
  await using net = await three();
  const who = net.hub.call.who();
  const names = await Promise.all(Array.from({ length: 100 }, () => who.fg()));
  assertEquals(new Set(names), new Set(["a", "b", "c"]));
  for (const to of ["a", "b", "c"]) {
    assertEquals(await who.fg({ to }), to);
    assertEquals(await who.exec(FG({ to })), to);
    assertEquals(await who.bg({ to }).get(), to);
  }
});

Deno.test("round-robin goes round, across modifiers", async () => {
  await using net = await three();
  const who = net.hub.call.who();
  const strategy = "round-robin";
  const names = [
    await who.fg({ strategy }),
    await who.exec(FG({ strategy })),
    await who.bg({ strategy }).get(),
    await who.exec(BG({ strategy })).get(),
  ];
  assertEquals(new Set(names.slice(0, 3)), new Set(["a", "b", "c"]));
  assertEquals(names[3], names[0]);
});

Deno.test("least-pending prefers the process with the fewest calls under way", async () => {
  const release = Promise.withResolvers<void>();
  await using net = await TestNetwork.start();
  for (const name of ["a", "b"]) {
    await net.join(name, (callback) => callback("work", () => release.promise.then(() => name)));
  }
  const { call } = net.hub;
  const pinned = [call.work().fg({ to: "a" }), call.work().fg({ to: "a" })];
  const chosen = [1, 2].map(() => call.work().fg({ strategy: "least-pending" }));
  const next = [1, 2].map(() => call.work().fg({ strategy: "least-pending" }));
  release.resolve();
  await Promise.all(pinned);
  assertEquals(await Promise.all(chosen), ["b", "b"]);
  assertEquals((await Promise.all(next)).toSorted(), ["a", "b"]);
});

Deno.test("least-pending does not count calls and streams that are over", async () => {
  await using net = await TestNetwork.start();
  for (const name of ["a", "b"]) {
    await net.join(name, (callback) => {
      callback("who", () => name);
      callback("fail", () => Promise.reject(new Error("on purpose")));
      callback("numbers", function* () {
        yield* [1, 2, 3];
      });
    });
  }
  const { who, fail, numbers } = net.hub.call;
  await Promise.all(Array.from({ length: 100 }, () => who().fg({ to: "a" })));
  await assertRejects(() => fail().fg({ to: "a" }));
  for await (const _ of await numbers().fg({ to: "a" }));
  for await (const _ of await numbers().fg({ to: "a" })) break;
  const chosen = new Set<string>();
  for (let i = 0; i < 50; i++) chosen.add(await who().fg({ strategy: "least-pending" }));
  assertEquals(chosen, new Set(["a", "b"]));
});

Deno.test("BG sends at once and keeps its outcome", async () => {
  const started = Promise.withResolvers<void>();
  const release = Promise.withResolvers<number[]>();
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("work", () => {
      started.resolve();
      return release.promise;
    });
  });
  const result = net.hub.call.work().exec(BG);
  await soon(started.promise);
  assertEquals(result.done, false);
  await assertRejects(() => result.get({ timeout: 10 }), CallTimeoutError);
  release.resolve([1]);
  const value = await result.get();
  assertEquals([value, result.done], [[1], true]);
  assertStrictEquals(await result.get({ timeout: "1s" }), value);
});

Deno.test("BG keeps its error for get(), and is never an unhandled rejection", async () => {
  await using net = await TestNetwork.start();
  const result = net.hub.call.nobody().bg();
  await until(() => result.done);
  const error = await assertRejects(() => result.get());
  assertStrictEquals(await assertRejects(() => result.get()), error);
});

Deno.test("BG and NO_RETURN with eta are sent later", async () => {
  let runs = 0;
  const ran = Promise.withResolvers<void>();
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("count", () => ++runs);
    callback("ran", () => ran.resolve());
    callback("check", () => runs);
  });
  const result = net.hub.call.count().exec(BG({ eta: 30 }));
  assertEquals(await net.hub.call.check(), 0);
  assertEquals(await result.get(), 1);
  await net.hub.call.ran().exec(NO_RETURN({ eta: 1 }));
  await soon(ran.promise);
  assertEquals(await net.hub.call.count().broadcast({ returnResult: true, eta: 1 }), { a: 2 });
});

Deno.test("NO_RETURN runs the callback and never rejects", async () => {
  const heard = Promise.withResolvers<number>();
  await using net = await TestNetwork.start();
  const a = await net.join("a", (callback) => {
    callback("hear", (n: number) => heard.resolve(n));
    callback("fail", () => {
      throw new Error("on purpose");
    });
  });
  assertEquals(await net.hub.call.hear(5).noReturn(), undefined);
  assertEquals(await soon(heard.promise), 5);
  await net.hub.call.nobody().exec(NO_RETURN);
  await net.hub.call.hear(() => {}).noReturn();
  await net.hub.call.hear(5).noReturn({ to: "nobody" });
  assertEquals(net.hub.stats.droppedCalls, 3);
  await net.hub.call.fail().noReturn();
  await until(() => a.stats.failedCalls === 1);
  assert(net.logger.has("a call failed that nobody waits for: fail, called by hub"));
});

Deno.test("a generator that is called without answer runs to its end, and what it throws is logged", async () => {
  await using net = await TestNetwork.start();
  const ended: unknown[] = [];
  const a = await net.join("a", (callback) => {
    callback("count", async function* (last: number) {
      for (let n = 1; n <= last; n++) yield n;
      await undefined;
      ended.push([last, currentCall()?.caller]);
      if (last === 3) throw new Error("on purpose");
    });
    callback("endless", function* () {
      try {
        for (;;) yield 1;
      } finally {
        ended.push("endless");
      }
    }, { timeout: "50ms" });
  });
  await net.hub.call.count(2).noReturn();
  await until(() => ended.length === 1);
  await net.hub.call.count(1).broadcast();
  await until(() => ended.length === 2);
  await net.hub.call.endless().noReturn();
  await until(() => ended.length === 3); // it does not keep its process from looking at the clock
  assertEquals(ended, [[2, "hub"], [1, "hub"], "endless"]);
  assertEquals(a.stats.failedCalls, 1);
  await net.hub.call.count(3).noReturn();
  await until(() => a.stats.failedCalls === 2 && a.stats.runningCalls === 0);
  assert(net.logger.has("a call failed that nobody waits for: count, called by hub"));
});

Deno.test("a generator that is called without answer ends when its caller leaves, or its time is up", async () => {
  await using net = await TestNetwork.start();
  const ended: string[] = [];
  const a = await net.join("a", (callback) => {
    callback("endless", async function* () {
      try {
        for (;;) {
          yield 1;
          await undefined;
        }
      } finally {
        ended.push("endless");
      }
    }, { concurrency: 1 });
    const silent = () => silentSource(() => ended.push("silent"), 0);
    callback("silent", silent, { concurrency: 1, timeout: "50ms" });
  });
  const b = await net.join("b");
  await b.call.endless().noReturn();
  await until(() => a.stats.runningCalls === 1);
  await b.stop();
  await until(() => a.stats.runningCalls === 0);
  for await (const _ of net.hub.call.endless()) break; // it has its turn
  await net.hub.call.silent().noReturn();
  await until(() => ended.includes("silent") && a.stats.runningCalls === 0);
  assertEquals(ended.sort(), ["endless", "endless", "silent"]);
});

Deno.test("generators without end that are called without answer do not stop their process", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("endless", function* () {
      for (;;) yield 1;
    });
    callback("add", (a: number, b: number) => a + b);
  });
  for (let times = 0; times < 500; times++) net.hub.call.endless().noReturn();
  for (let n = 0; n < 20; n++) assertEquals(await soon(net.hub.call.add(n, 1)), n + 1);
});

Deno.test("a generator that is called without answer gets its arguments, which may be streams", async () => {
  await using net = await TestNetwork.start();
  const doubled: number[] = [];
  const a = await net.join("a", (callback) => {
    callback("double", async function* (items: AsyncIterable<number>) {
      for await (const n of items) {
        doubled.push(2 * n);
        yield 2 * n;
      }
    }, { concurrency: 1 });
  });
  await net.hub.call.double([1, 2, 3].values()).noReturn();
  await until(() => a.stats.runningCalls === 0 && doubled.length === 3);
  for await (const n of net.hub.call.double([4].values())) assertEquals(n, 8);
  await until(() => net.hub.stats.pendingCalls === 0);
  assertEquals([doubled, net.hub.stats.droppedCalls], [[2, 4, 6, 8], 0]);
});

Deno.test("broadcast() rejects when it cannot be sent, also with an iterable among its arguments", async () => {
  await using net = await TestNetwork.start();
  const { nobody } = net.hub.call;
  await assertRejects(() => nobody(1).broadcast(), CallbackNotFoundError);
  await assertRejects(() => nobody([1].values()).broadcast(), CallbackNotFoundError);
  assertEquals(net.hub.stats.droppedCalls, 0);
});

Deno.test("NO_RETURN on a stopped Global is counted too", async () => {
  await using net = await TestNetwork.start();
  const a = await net.join("a");
  await a.stop();
  await a.call.f().noReturn();
  assertEquals(a.stats.droppedCalls, 1);
});

Deno.test("BROADCAST reaches every process that offers the name, with its results if asked", async () => {
  const heard: string[] = [];
  await using net = await TestNetwork.start((c) => c("who", () => heard.push("hub")));
  for (const name of ["a", "b"]) {
    await net.join(name, (callback) => {
      callback("who", (prefix: string) => {
        heard.push(name);
        return prefix + name;
      });
    });
  }
  await net.join("idle");
  const who = net.hub.call.who("I am ");
  const results = { a: "I am a", b: "I am b" };
  assertEquals(await who.broadcast({ returnResult: true }), results);
  assertEquals(await who.exec(BROADCAST({ returnResult: true, timeout: "5s" })), results);
  heard.length = 0;
  assertEquals(await who.broadcast(), undefined);
  assertEquals(await who.exec(BROADCAST), undefined);
  assertEquals(await who.broadcast({ returnResult: false }), undefined);
  await until(() => heard.length === 6);
  assertEquals(heard.toSorted(), ["a", "a", "a", "b", "b", "b"]);
});

Deno.test("results of a BROADCAST have the same order, whoever answers first", async () => {
  await using net = await TestNetwork.start();
  const turns = { a: Promise.withResolvers<void>(), b: Promise.withResolvers<void>() };
  const join = (name: "a" | "b", other: "a" | "b") =>
    net.join(name, (callback) => {
      callback("who", async (first: string) => {
        if (first !== name) await turns[other].promise;
        return name;
      });
      callback("answered", () => turns[name].resolve());
    });
  await join("a", "b");
  await join("b", "a");
  for (const first of ["a", "b"] as const) {
    const results = net.hub.call.who(first).broadcast({ returnResult: true });
    await net.hub.call.answered().fg({ to: first }); // behind the first answer
    assertEquals(Object.keys(await soon(results)), ["a", "b"]);
    turns[first] = Promise.withResolvers();
  }
});

Deno.test("STREAM runs the callback once for each item, in order, everywhere or at `to`", async () => {
  const heard: Record<string, number[]> = { a: [], b: [] };
  await using net = await TestNetwork.start();
  for (const name of ["a", "b"]) {
    await net.join(name, (callback) => {
      callback("take", async (n: number) => {
        await undefined;
        heard[name]!.push(n);
      });
    });
  }
  const items = Array.from({ length: 1000 }, (_, n) => n);
  await soon(net.hub.call.take(items).stream());
  assertEquals(heard, { a: items, b: items });
  await soon(net.hub.call.take(new Set([1, 2])).exec(STREAM({ to: "a" })));
  async function* three() {
    yield* [7, 8, 9];
  }
  await soon(net.hub.call.take(three()).exec(STREAM));
  assertEquals(heard.a!.slice(1000), [1, 2, 7, 8, 9]);
  assertEquals(heard.b!.slice(1000), [7, 8, 9]);
});

Deno.test("STREAM runs a generator to its end for each item", async () => {
  const heard: string[] = [];
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("twice", async function* (n: number) {
      heard.push(`${n} once`);
      yield await Promise.resolve(n);
      heard.push(`${n} twice`);
    });
    callback("soon", (n: number) =>
      Promise.resolve(function* () {
        yield heard.push(`${n} late`);
      }()));
  });
  await soon(net.hub.call.twice([1, 2]).stream());
  await soon(net.hub.call.soon([3]).stream());
  assertEquals(heard, ["1 once", "1 twice", "2 once", "2 twice", "3 late"]);
});

Deno.test("a withdrawn callback is found no more, and its name can be offered by another", async () => {
  await using net = await TestNetwork.start();
  const callbacks: CallbackRegistry = registry((callback) => callback("f", () => "old"));
  await net.join("a", () => {}, { callbacks });
  assertEquals(await net.hub.call.f(), "old");
  callbacks.callback.remove("f");
  await until(() => net.hub.registeredCallbacks.a!.length === 0);
  await assertRejects(() => net.hub.call.f().fg());
  callbacks.callback("f", () => "new");
  await soon(net.hub.waitFunction("f"));
  assertEquals(await net.hub.call.f(), "new");
});

Deno.test("a callback that another one replaces in the same turn is never away", async () => {
  const callbacks: CallbackRegistry = registry((callback) => callback("f", () => -1));
  await using net = await TestNetwork.start(() => {}, { callbacks });
  const a = await net.join("a");
  for (let n = 0; n < 30; n++) {
    callbacks.callback.remove("f");
    callbacks.callback("f", () => n);
    assertEquals(await soon(a.call.f()), n);
  }
});

Deno.test("a callback that has just been withdrawn is called by its name in the error", async () => {
  const callbacks: CallbackRegistry = registry((callback) => callback("f", () => {}));
  await using net = await TestNetwork.start(() => {}, { callbacks });
  const a = await net.join("a");
  callbacks.callback.remove("f");
  await assertRejects(
    () => soon(a.call.f().fg()),
    CallbackNotFoundError,
    "Cannot call f: its process has just withdrawn it",
  );
});

Deno.test("callbacks call on through several processes", async () => {
  await using net = await TestNetwork.start((c) => c("one", () => 1));
  await net.join("a", (c) => {
    c("two", async () => 1 + await currentCall()!.g.call.one());
  });
  await net.join("b", (c) => {
    c("three", async () => 1 + await currentCall()!.g.call.two());
  });
  assertEquals(await soon(net.hub.call.three().fg()), 3);
});

Deno.test("a call without answer has no time limit, also with a stream among its arguments", async () => {
  const taken = Promise.withResolvers<number[]>();
  const goOn = Promise.withResolvers<void>();
  const limits: unknown[] = [];
  await using net = await TestNetwork.start(() => {}, { defaultTimeout: 50 });
  await net.join("a", (callback) => {
    callback("take", async (items: AsyncIterable<number>) => {
      limits.push(currentCall()!.deadline);
      taken.resolve(await Array.fromAsync(items));
    });
  });
  async function* items(): AsyncGenerator<number> {
    yield 1;
    await goOn.promise;
    yield 2;
  }
  await net.hub.call.take(items()).noReturn();
  await assertRejects(() => net.hub.call.take(items()).fg(), CallTimeoutError); // its time is over after this
  goOn.resolve();
  assertEquals(await soon(taken.promise), [1, 2]);
  assertEquals(limits[0], undefined);
});

Deno.test("what tells of the streams of a call that is over is no late answer", async () => {
  await using net = await TestNetwork.start();
  const left = Promise.withResolvers<void>();
  await net.join("a", (callback) => {
    callback("leave", async (items: AsyncIterable<number>) => {
      for await (const _ of items) break;
      await left.promise;
    });
  });
  const controller = new AbortController();
  const endless = (function* () {
    for (;;) yield 1;
  })();
  const call = net.hub.call.leave(endless).fg({ signal: controller.signal });
  controller.abort();
  await assertRejects(() => call, CallCancelledError);
  left.resolve();
  await net.hub.call.leave([]); // what the other one was told is answered before this
  assertEquals(net.hub.stats.lateAnswers, 0);
});
