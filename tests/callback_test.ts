import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import { z } from "zod";
import {
  BroadcastError,
  type CallContext,
  CallTimeoutError,
  currentCall,
  InitializationError,
  local,
  RemoteCallError,
  ValidationError,
} from "../mod.ts";
import { silentSource } from "./helpers/silent_source.ts";
import { assertRejectsLater, settled, soon, until } from "./helpers/soon.ts";
import { TestNetwork } from "./helpers/test_network.ts";

Deno.test("currentCall() is undefined outside of a callback", () => {
  assertEquals(currentCall(), undefined);
});

Deno.test("currentCall() tells who called what, also behind an await", async () => {
  const calls: CallContext[] = [];
  await using net = await TestNetwork.start();
  const a = await net.join("a", (callback) => {
    callback("look", async () => {
      calls.push(currentCall()!);
      await new Promise((resolve) => setTimeout(resolve, 1));
      calls.push(currentCall()!);
      return currentCall()!.callId;
    });
  });
  const callId = await net.hub.call.look().fg({ timeout: "1h" });
  const [before, after] = calls as [CallContext, CallContext];
  for (const call of [before, after]) {
    assertEquals([call.caller, call.callbackName, call.callId], ["hub", "look", callId]);
    assertEquals(call.g === a, true);
    assertEquals(call.signal.aborted, false);
    const left = call.deadline! - Date.now();
    assert(left > 3_500_000 && left <= 3_600_500, String(left));
    assertEquals(Number.isInteger(call.deadline), true); // as a `Temporal.Instant` wants it
  }
});

Deno.test("currentCall() gives what it promises and no more, which may be spread", async () => {
  const keys: string[][] = [];
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("look", () => {
      const call = currentCall()!;
      keys.push(Object.keys(call), Object.keys({ ...call }));
      return [currentCall() === call, { ...call }.caller, { ...call }.signal.aborted];
    });
  });
  for (let times = 0; times < 2; times++) { // in a context of its own, and then without one
    assertEquals(await net.hub.call.look(), [true, "hub", false]);
  }
  const promised = ["g", "caller", "callbackName", "callId", "signal", "deadline"];
  assertEquals(keys, [promised, promised, promised, promised]);
});

Deno.test("currentCall() has no deadline when nobody set one", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (c) => c("deadline", () => currentCall()!.deadline === undefined));
  assertEquals(await net.hub.call.deadline(), true);
});

Deno.test("currentCall() keeps calls apart that run at the same time", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("id", async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      return currentCall()!.callId;
    });
  });
  const ids = await Promise.all(Array.from({ length: 20 }, () => net.hub.call.id().fg()));
  assertEquals(new Set(ids).size, 20);
});

Deno.test("currentCall() keeps calls apart whose callback is done at once now and then", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    const id = () => currentCall()?.callId;
    callback("sometimes", (turns: number) => {
      const first = id();
      if (turns === 0) return [first];
      return new Promise((resolve) => setTimeout(resolve)).then(() => [first, id()]);
    });
    callback("later", () => new Promise((resolve) => setTimeout(() => resolve(id()))));
  });
  const { call } = net.hub;
  for (const turns of [0, 0, 1, 0, 1, 1, 0]) {
    const all = await Promise.all([call.sometimes(turns), call.later(), call.sometimes(turns)]);
    const [one, two, three] = all as [number[], number, number[]];
    assertEquals(one.length, turns + 1);
    assertEquals(new Set(one).size, 1);
    assertEquals(new Set(three).size, 1);
    assertEquals(new Set([one[0], two, three[0]]).size, 3);
  }
});

Deno.test("currentCall() is undefined in what a callback leaves behind that was done at once", async () => {
  await using net = await TestNetwork.start();
  const left: unknown[] = [];
  await net.join("a", (callback) => {
    callback("leave", () => void setTimeout(() => left.push(currentCall())));
    callback("wait", () => new Promise((resolve) => setTimeout(resolve)));
  });
  for (let i = 0; i < 3; i++) await net.hub.call.leave();
  await net.hub.call.wait();
  assertEquals(left, [undefined, undefined, undefined]);
});

Deno.test("currentCall() is undefined in what a callback has left behind when it is done", async () => {
  const left: Record<string, unknown[]> = {};
  const tick = Promise.withResolvers<void>();
  /** Leaves a loop behind, which looks at its call before and after the call is over. */
  const leave = (name: string) => {
    const seen: unknown[] = left[name] = [currentCall()?.callbackName];
    tick.promise.then(() => seen.push(currentCall()?.callbackName));
  };
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("waits", async () => {
      await undefined;
      leave("waits");
    });
    callback("checked", (_: number) => leave("checked"), { input: z.number() });
    callback("each", (_: number) => leave("each"));
    callback("counts", function* () {
      yield 1;
      leave("counts");
    });
    callback(
      "waitsNow",
      (wait: boolean) => wait ? Promise.resolve().then(() => leave("waitsNow")) : undefined,
    );
  });
  const { waits, checked, each, counts, waitsNow } = net.hub.call;
  await soon(waits().fg());
  await soon(checked(1).fg());
  await soon(each([1]).stream());
  for await (const _ of counts());
  await soon(waitsNow(false).fg());
  await soon(waitsNow(true).fg());
  tick.resolve();
  const names = ["waits", "checked", "each", "counts", "waitsNow"];
  await until(() => names.every((name) => left[name]!.length === 2));
  assertEquals(left, Object.fromEntries(names.map((name) => [name, [name, undefined]])));
});

Deno.test("currentCall() of a callback that waits after all reaches nobody else", async () => {
  await using net = await TestNetwork.start();
  const seen: unknown[] = [];
  const stop = new AbortController();
  const tick = Promise.withResolvers<void>();
  const poll = () => {
    if (stop.signal.aborted) return tick.resolve();
    seen.push(currentCall()?.callbackName);
    setTimeout(poll);
  };
  await net.join("a", (callback) => {
    callback("start", () => poll());
    callback("lookUp", (known: boolean) => {
      if (known) return ["lookUp"];
      return (async () => {
        await new Promise((resolve) => setTimeout(resolve));
        return [currentCall()?.callbackName];
      })();
    });
  }, { onNodeConnect: () => poll() });
  const { start, lookUp } = net.hub.call;
  await start(); // and at once from then on
  await start();
  await lookUp(true);
  assertEquals(await lookUp(false), ["lookUp"]);
  const before = seen.length;
  await until(() => seen.length > before + 10);
  stop.abort();
  await tick.promise;
  assertEquals(seen.slice(before).filter((name) => name !== undefined), []);
});

Deno.test("a call that a callback returns inherits its deadline", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (c) => c("deadline", () => currentCall()!.deadline));
  await net.join("b", (c) => c("relay", () => currentCall()!.g.call.deadline()));
  await net.hub.waitFunction("relay");
  for (let i = 0; i < 3; i++) {
    assertEquals(typeof await net.hub.call.relay().fg({ timeout: "30s" }), "number");
    assertEquals(await net.hub.call.relay(), undefined);
  }
});

Deno.test("currentCall() works in a generator, from its first step to its end", async () => {
  const callers: (string | undefined)[] = [];
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("numbers", async function* () {
      try {
        callers.push(currentCall()?.caller);
        yield 1;
        await undefined;
        callers.push(currentCall()?.caller);
        yield 2;
      } finally {
        callers.push(currentCall()?.caller);
      }
    });
  });
  for await (const n of net.hub.call.numbers()) if (n === 2) break;
  await until(() => callers.length === 3);
  assertEquals(callers, ["hub", "hub", "hub"]);
});

Deno.test("concurrency lets so many calls run and the others wait for their turn, in order", async () => {
  const waiting: PromiseWithResolvers<void>[] = [];
  const order: number[] = [];
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("work", async (n: number) => {
      order.push(n);
      const turn = Promise.withResolvers<void>();
      waiting.push(turn);
      await turn.promise;
      return n;
    }, { concurrency: 2 });
    callback("free", () => order.length);
  });
  const calls = [0, 1, 2, 3, 4].map((n) => net.hub.call.work(n).fg());
  assertEquals(await net.hub.call.free(), 2);
  for (let n = 0; n < 5; n++) {
    waiting[n]!.resolve();
    assertEquals(await soon(calls[n]!), n);
    assertEquals(await net.hub.call.free(), Math.min(5, n + 3));
  }
  assertEquals(order, [0, 1, 2, 3, 4]);
});

Deno.test("concurrency counts a stream until it is over, and a failed call once", async () => {
  let running = 0;
  let most = 0;
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("numbers", async function* () {
      most = Math.max(most, ++running);
      try {
        for (let n = 0; n < 3; n++) yield n;
      } finally {
        running--;
      }
    }, { concurrency: 1 });
    callback("fail", () => Promise.reject(new Error("on purpose")), { concurrency: 1 });
  });
  const read = async () => {
    const items: number[] = [];
    for await (const n of net.hub.call.numbers()) items.push(n);
    return items;
  };
  assertEquals(await soon(Promise.all([read(), read(), read()])), Array(3).fill([0, 1, 2]));
  assertEquals(most, 1);
  for (let i = 0; i < 3; i++) await assertRejects(() => soon(net.hub.call.fail()), RemoteCallError);
});

Deno.test("concurrency gives a call's turn away when it is cancelled while it waits", async () => {
  const release = Promise.withResolvers<void>();
  const ran: number[] = [];
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("work", async (n: number) => {
      ran.push(n);
      await release.promise;
    }, { concurrency: 1 });
    callback("ping", () => {});
  });
  const controller = new AbortController();
  const first = net.hub.call.work(1).fg();
  const second = net.hub.call.work(2).fg({ signal: controller.signal });
  const third = net.hub.call.work(3).fg();
  await until(() => ran.length === 1);
  controller.abort();
  await assertRejects(() => second);
  await net.hub.call.ping(); // it arrives after all that was sent before
  release.resolve();
  await soon(Promise.all([first, third]));
  assertEquals(ran, [1, 3]);
});

Deno.test("concurrency holds when the same callback is registered again while it runs", async () => {
  const release = Promise.withResolvers<void>();
  const ran: number[] = [];
  const work = async (n: number) => {
    ran.push(n);
    await release.promise;
  };
  let register = () => {};
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    register = () => void callback("work", work, { concurrency: 1 });
    register();
    callback("ping", () => {});
  });
  const first = net.hub.call.work(1).fg();
  await until(() => ran.length === 1);
  register();
  const second = net.hub.call.work(2).fg();
  await net.hub.call.ping(); // it arrives after all that was sent before
  const before = [...ran];
  release.resolve();
  await soon(Promise.all([first, second]));
  assertEquals([before, ran], [[1], [1, 2]]);
});

Deno.test("concurrency works through many quick calls behind a slow one", async () => {
  const release = Promise.withResolvers<number>();
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("maybe", (n: number) => n === 0 ? release.promise : n, { concurrency: 1 });
    callback("ping", () => {});
  });
  const calls = Array.from({ length: 20_000 }, (_, n) => net.hub.call.maybe(n).fg());
  const results = Promise.allSettled(calls);
  await net.hub.call.ping(); // it arrives after all that was sent before
  release.resolve(0);
  const failed = (await soon(results, 20_000)).filter(({ status }) => status === "rejected");
  assertEquals(failed.length, 0);
});

Deno.test("the timeout of a callback fails the call and aborts its signal", async () => {
  const aborted = Promise.withResolvers<unknown>();
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("slow", () => {
      const { signal } = currentCall()!;
      signal.addEventListener("abort", () => aborted.resolve(signal.reason));
      return new Promise(() => {});
    }, { timeout: 20 });
  });
  const error = await assertRejects(() => soon(net.hub.call.slow()), CallTimeoutError, "20 ms");
  assertEquals([error.processName, error.callbackName, error.executed], ["a", "slow", "maybe"]);
  assert(await soon(aborted.promise) instanceof CallTimeoutError);
});

Deno.test("the timeout of a callback counts the wait for a turn", async () => {
  await using net = await TestNetwork.start();
  let runs = 0;
  await net.join("a", (callback) => {
    callback("slow", () => {
      runs++;
      return new Promise(() => {});
    }, { timeout: 30, concurrency: 1 });
  });
  const calls = ["finish", "get a turn"].map((what) =>
    assertRejectsLater(() => soon(net.hub.call.slow()), CallTimeoutError, `did not ${what} within`)
  );
  await Promise.all(calls);
  assertEquals(runs, 1);
});

Deno.test("the timeout of a callback ends a stream that has begun", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("stuck", async function* () {
      yield 1;
      await new Promise((resolve) => currentCall()!.signal.addEventListener("abort", resolve));
    }, { timeout: 30 });
  });
  const items: number[] = [];
  const read = async () => {
    for await (const n of net.hub.call.stuck()) items.push(n);
  };
  await assertRejects(() => soon(read(), 2000), CallTimeoutError);
  assertEquals(items, [1]);
});

Deno.test("a schema checks and converts arguments before the callback runs", async () => {
  const seen: unknown[] = [];
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("move", (x: number, unit: string) => void seen.push([x, unit]), {
      input: z.tuple([z.coerce.number(), z.string().default("m")]),
    });
    callback("create", (user: { name: string }) => void seen.push(user), {
      input: z.object({ name: z.string().trim().min(1), age: z.number().default(0) }),
    });
  });
  const { call } = net.hub;
  await call.move("5", undefined);
  await call.create({ name: " Ann " });
  assertEquals(seen, [[5, "m"], { name: "Ann", age: 0 }]);
  const error = await assertRejects(() => call.create({ name: "" }).fg(), ValidationError);
  assertEquals(error.issues.map(({ path }) => path), [["name"]]);
  const { code, processName, callbackName, executed } = error;
  assertEquals([code, processName, callbackName, executed], [
    "VALIDATION",
    "a",
    "create",
    "never",
  ]);
  assertEquals(seen.length, 2);
});

Deno.test("a schema of lists lets no other value through to an arrow without parentheses", async () => {
  await using net = await TestNetwork.start();
  // As JavaScript has it: the runner of the tests prints TypeScript anew, with parentheses.
  const double = new Function("return xs => (x => x)([].concat(xs).map(x => 2 * x));")();
  await net.join("a", (callback) => callback("double", double, { input: z.array(z.number()) }));
  assertEquals(await net.hub.call.double([1, 2]), [2, 4]);
  await assertRejects(() => net.hub.call.double(5).fg(), ValidationError);
});

Deno.test("a schema checks each item of a STREAM, and the result of a call", async () => {
  const seen: number[] = [];
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("take", (n: number) => void seen.push(n), { input: z.coerce.number() });
    callback("wrong", () => "text", { output: z.number() });
    callback("right", () => "5", { output: z.coerce.number() });
  });
  await soon(net.hub.call.take(["1", 2]).stream());
  assertEquals(seen, [1, 2]);
  assertEquals(await net.hub.call.right(), 5);
  const error = await assertRejects(() => net.hub.call.wrong().fg(), ValidationError);
  assertEquals([error.executed, error.issues.length], ["yes", 1]);
});

Deno.test("a schema of the result checks each item of a stream", async () => {
  let left = 0;
  function* texts(...items: unknown[]) {
    try {
      yield* items;
    } finally {
      left++;
    }
  }
  await using net = await TestNetwork.start();
  const a = await net.join("a", (callback) => {
    callback("right", () => texts("1", "2"), { output: z.coerce.number() });
    callback("wrong", () => texts(1, "x", 3), { output: z.number() });
    callback("throws", function* () {
      yield 1;
      throw new ValidationError("its own", []);
    }, { output: z.number() });
  });
  assertEquals(await Array.fromAsync(net.hub.call.right()), [1, 2]);
  const got: number[] = [];
  const error = await assertRejects(
    async () => {
      for await (const item of net.hub.call.wrong()) got.push(item);
    },
    ValidationError,
    "an item of wrong does not fit its schema",
  );
  assertEquals([got, error.executed, error.issues.length, left], [[1], "yes", 1, 2]);
  await assertRejects(() => Array.fromAsync(net.hub.call.throws()), RemoteCallError, "its own");
  await net.hub.call.wrong().noReturn();
  await until(() => a.stats.failedCalls === 1 && a.stats.runningCalls === 0);
  assert(
    net.logger.lines.some((line) => line.includes("an item of wrong")),
    String(net.logger.lines),
  );
});

Deno.test("a source whose items are checked is ended as any other", async () => {
  const ended: string[] = [];
  await using net = await TestNetwork.start();
  const a = await net.join("a", (callback) => {
    const items = (name: string) => silentSource(() => ended.push(name));
    callback("items", items, { output: z.number() });
  });
  const unread = await net.hub.call.items("unread");
  await unread.return();
  for await (const item of net.hub.call.items("left")) if (item === 1) break;
  await until(() => a.stats.runningCalls === 0);
  assertEquals(ended, ["unread", "left"]);
});

Deno.test("a STREAM whose later item is refused has run, one whose first item is has not", async () => {
  const seen: number[] = [];
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("take", (n: number) => void seen.push(n), { input: z.number().max(3) });
  });
  const executed = async (...items: number[]) => {
    const stream = () => net.hub.call.take(items).stream();
    const error = await assertRejects(stream, BroadcastError);
    assertInstanceOf(error.errors.a, ValidationError);
    return [error.executed, error.errors.a.executed];
  };
  assertEquals(await executed(1, 2, 9), ["yes", "yes"]);
  assertEquals(await executed(9), ["never", "never"]);
  assertEquals(seen, [1, 2]);
});

Deno.test("methods of a class answer for its instance, and not before there is one", async () => {
  await using net = await TestNetwork.start();
  let Counter: (new () => object) | undefined;
  await net.join("a", (callback) => {
    Counter = callback(
      class Counter {
        #count = 0;
        increase(by: number): number {
          return this.#count += by;
        }
        static describe(): string {
          return "counts";
        }
      },
    );
  });
  const { call } = net.hub;
  assertEquals(await call.describe(), "counts");
  const error = await assertRejects(() => call.increase(2).fg(), InitializationError);
  assertEquals([error.executed, error.callbackName], ["never", "increase"]);
  new Counter!();
  assertEquals([await call.increase(2), await call.increase(3)], [2, 5]);
});

Deno.test("a callback runs on for a caller that did not want an answer and has left", async () => {
  const release = Promise.withResolvers<void>();
  const over = Promise.withResolvers<boolean>();
  await using net = await TestNetwork.start((callback) => {
    callback("save", async () => {
      const { signal } = currentCall()!;
      await release.promise;
      over.resolve(signal.aborted);
    });
  });
  const a = await net.join("a");
  await a.call.save().noReturn();
  await a.stop();
  await until(() => net.hub.registeredCallbacks.a === undefined);
  await settled();
  release.resolve();
  assertEquals(await soon(over.promise), false);
});

Deno.test("local() refuses what is no method", () => {
  const asDecorator = local as (target: unknown, context: unknown) => void;
  for (const target of [undefined, {}, "method", () => {}, class {}]) {
    for (const context of [undefined, {}, { kind: "getter" }, { kind: "class" }]) {
      assertThrows(
        () => asDecorator(target, context),
        InitializationError,
        "decorate a method instead",
      );
    }
  }
});
