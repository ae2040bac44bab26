import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  CallCancelledError,
  CallTimeoutError,
  currentCall,
  type Global,
  GlobalContextError,
} from "../mod.ts";
import { assertRejectsLater, soon, until } from "./helpers/soon.ts";
import { TestNetwork } from "./helpers/test_network.ts";

/** A network with a process `a` whose callback `wait` ends only when its signal aborts. */
class Waiting implements AsyncDisposable {
  readonly #net: TestNetwork;
  started = 0;
  readonly reasons: unknown[] = [];

  private constructor(net: TestNetwork) {
    this.#net = net;
  }

  static async start(...names: string[]): Promise<Waiting> {
    const waiting = new Waiting(await TestNetwork.start());
    for (const name of names) await waiting.join(name);
    return waiting;
  }

  join(name: string): Promise<Global> {
    return this.#net.join(name, (callback) => {
      callback("wait", () => {
        this.started++;
        const { signal } = currentCall()!;
        return new Promise((resolve) => {
          const abort = () => {
            this.reasons.push(signal.reason);
            resolve("too late");
          };
          if (signal.aborted) abort();
          else signal.addEventListener("abort", abort);
        });
      });
      callback("read", async (items: AsyncIterable<unknown>) => {
        this.started++;
        try {
          for await (const _ of items);
        } catch (error) {
          this.reasons.push(error);
        }
      });
    });
  }

  get call(): Global["call"] {
    return this.#net.hub.call;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#net[Symbol.asyncDispose]();
  }
}

Deno.test("a timeout of a stream to callbacks is a CallTimeoutError, and ends the source", async () => {
  const aborted = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("put", () => {
      const { signal } = currentCall()!;
      return new Promise<void>((resolve) =>
        signal.addEventListener("abort", () => (aborted.resolve(), resolve()))
      );
    });
  });
  function* items() {
    try {
      for (let n = 0;; n++) yield n;
    } finally {
      ended.resolve();
    }
  }
  const call = net.hub.call.put(items());
  const error = await assertRejects(() => soon(call.stream({ timeout: 500 })), CallTimeoutError);
  assertEquals([error.callbackName, error.executed], ["put", "maybe"]);
  await soon(Promise.all([aborted.promise, ended.promise]));
});

Deno.test("a timeout rejects the caller and aborts the signal of the callback", async () => {
  await using waiting = await Waiting.start("a");
  const error = await assertRejects(
    () => soon(waiting.call.wait().fg({ timeout: 500 })),
    CallTimeoutError,
    "500 ms",
  );
  const { code, processName, callbackName, executed } = error;
  assertEquals([code, processName, callbackName, executed], ["CALL_TIMEOUT", "a", "wait", "maybe"]);
  assert(Number.isInteger(error.callId));
  await until(() => waiting.reasons.length === 1);
  assert(waiting.reasons[0] instanceof Error);
});

Deno.test("defaultTimeout holds for calls that give none, and Infinity takes it away", async () => {
  await using net = await TestNetwork.start(() => {}, { defaultTimeout: 30 });
  await net.join("a", (callback) => {
    callback("deadline", () => currentCall()!.deadline !== undefined);
    callback("wait", () => new Promise(() => {}));
  });
  await assertRejects(() => soon(net.hub.call.wait()), CallTimeoutError, "30 ms");
  await assertRejects(() => soon(net.hub.call.wait().bg().get()), CallTimeoutError);
  assertEquals(await net.hub.call.deadline().fg({ timeout: "1h" }), true);
  assertEquals(await net.hub.call.deadline().fg({ timeout: Infinity }), false);
});

Deno.test("a signal that is aborted while its call is encoded keeps it from being sent", async () => {
  let closed = 0;
  const source = (): Iterator<number> & Iterable<number> => ({
    next: () => ({ done: false, value: 1 }),
    return: () => ({ done: true, value: closed++ }),
    [Symbol.iterator]() {
      return this;
    },
  });
  await using net = await TestNetwork.start();
  for (const name of ["a", "b"]) await net.join(name, (callback) => callback("who", () => name));
  const { call, stats } = net.hub;
  await net.hub.waitProcess("b");
  for (let i = 0; i < 5; i++) {
    const control = new AbortController();
    const aborting = {
      get now() {
        control.abort();
        return source();
      },
    };
    const called = call.who(aborting, source()).fg({ to: "a", signal: control.signal });
    const error = await assertRejects(() => soon(called), CallCancelledError);
    assertEquals(error.executed, "never");
  }
  await until(() => closed === 10);
  assertEquals(stats.pendingCalls, 0);
  const asked = new Set<unknown>();
  for (let i = 0; i < 100; i++) asked.add(await call.who().fg({ strategy: "least-pending" }));
  assertEquals(asked.size, 2, "calls that were never sent count as pending");
});

Deno.test("a signal that was aborted before keeps the call from being sent", async () => {
  await using waiting = await Waiting.start("a");
  const signal = AbortSignal.abort("before");
  const calls = [
    () => waiting.call.wait().fg({ signal }),
    () => waiting.call.wait().bg({ signal }).get(),
    () => waiting.call.wait().broadcast({ signal, returnResult: true }),
    () => waiting.call.wait().broadcast({ signal }),
    () => waiting.call.wait([1]).stream({ signal }),
  ];
  for (const call of calls) {
    const error = await assertRejects(() => soon<unknown>(call()), CallCancelledError);
    assertEquals([error.cause, error.executed, error.callbackName], ["before", "never", "wait"]);
  }
  await assertRejects(() => waiting.call.wait().fg({ timeout: 500 }));
  assertEquals(waiting.started, 1);
});

Deno.test("a signal that aborts later rejects the caller and aborts the callback's", async () => {
  await using waiting = await Waiting.start("a");
  const controller = new AbortController();
  const call = waiting.call.wait().fg({ signal: controller.signal });
  const rejected = assertRejectsLater(() => soon(call), CallCancelledError);
  await until(() => waiting.started === 1);
  controller.abort("after");
  const error = await rejected;
  assertEquals([error.cause, error.executed, error.code], ["after", "maybe", "CALL_CANCELLED"]);
  await until(() => waiting.reasons.length === 1);
  assert(waiting.reasons[0] instanceof CallCancelledError);
});

Deno.test("cancel() of a background call rejects get() and aborts the callback's signal", async () => {
  await using waiting = await Waiting.start("a");
  const result = waiting.call.wait().bg();
  await until(() => waiting.started === 1);
  result.cancel();
  await assertRejects(() => soon(result.get()), CallCancelledError);
  await until(() => waiting.reasons.length === 1);
  result.cancel();
  const later = waiting.call.wait().bg({ eta: "1h" });
  later.cancel();
  const error = await assertRejects(() => soon(later.get()), CallCancelledError);
  assertEquals([error.executed, waiting.started], ["never", 1]);
});

Deno.test("a broadcast that is cancelled aborts the callbacks of all", async () => {
  await using waiting = await Waiting.start("a", "b");
  const controller = new AbortController();
  const call = waiting.call.wait().broadcast({ returnResult: true, signal: controller.signal });
  const rejected = assertRejectsLater(() => soon<unknown>(call), CallCancelledError);
  await until(() => waiting.started === 2);
  controller.abort();
  await rejected;
  await until(() => waiting.reasons.length === 2);
});

Deno.test("a broadcast that is cancelled as soon as it is sent aborts the callbacks too", async () => {
  await using waiting = await Waiting.start("a");
  const controller = new AbortController();
  const call = waiting.call.wait().broadcast({ returnResult: true, signal: controller.signal });
  controller.abort();
  await assertRejects(() => soon<unknown>(call), CallCancelledError);
  await until(() => waiting.started === 1 && waiting.reasons.length === 1, 2000);
});

Deno.test("a broadcast that is cancelled at once ends the iterables among its arguments", async () => {
  await using waiting = await Waiting.start("a");
  const controller = new AbortController();
  const items = [1, 2][Symbol.iterator]();
  const call = waiting.call.read(items).broadcast({
    returnResult: true,
    signal: controller.signal,
  });
  controller.abort();
  await assertRejects(() => soon<unknown>(call), CallCancelledError);
  await until(() => waiting.started === 1 && waiting.reasons.length === 1, 2000);
});

Deno.test("a broadcast that is too slow tells who answered and who did not", async () => {
  await using net = await TestNetwork.start();
  await net.join("quick", (callback) => callback("f", () => 1));
  await net.join("slow", (callback) => callback("f", () => new Promise(() => {})));
  const error = await assertRejects(() =>
    soon<unknown>(net.hub.call.f().broadcast({ returnResult: true, timeout: 100 }))
  ) as { results?: unknown; errors?: Record<string, unknown> };
  assertEquals(error.results, { quick: 1 });
  assert(error.errors?.slow instanceof CallTimeoutError);
});

Deno.test("nested calls inherit the time that is left", async () => {
  await using net = await TestNetwork.start();
  await net.join("inner", (callback) => {
    callback("inner", () => currentCall()!.deadline);
    callback("wait", () => new Promise(() => {}));
  });
  await net.join("outer", (callback) => {
    callback("outer", async () => {
      const { g, deadline } = currentCall()!;
      return [deadline, await g.call.inner(), await g.call.inner().fg({ timeout: 5_000 })];
    });
    callback("give up", async () => {
      const { g } = currentCall()!;
      return await g.call.wait().fg({ timeout: "1h" }).catch((error: Error) => error.name);
    });
  });
  const [outer, inner, own] = await net.hub.call.outer().fg({ timeout: 60_000 });
  assert(Math.abs(outer - inner) < 1000, `${outer} ${inner}`);
  assert(own < outer - 50_000, `${own} ${outer}`);
  const [unlimited, still] = await net.hub.call.outer();
  assertEquals([unlimited, still], [undefined, undefined]);
  await assertRejects(() => soon(net.hub.call["give up"]().fg({ timeout: 50 })), CallTimeoutError);
});

Deno.test("cancellation goes down a chain of calls by the signal", async () => {
  await using net = await TestNetwork.start();
  const aborted = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  await net.join("inner", (callback) => {
    callback("inner", () => {
      currentCall()!.signal.addEventListener("abort", () => aborted.resolve());
      started.resolve();
      return new Promise(() => {});
    });
  });
  await net.join("outer", (callback) => {
    callback("outer", () => {
      const { g, signal } = currentCall()!;
      return g.call.inner().fg({ signal });
    });
  });
  const controller = new AbortController();
  const call = assertRejectsLater(
    () => soon(net.hub.call.outer().fg({ signal: controller.signal })),
    CallCancelledError,
  );
  await started.promise;
  controller.abort();
  await call;
  await soon(aborted.promise);
});

Deno.test("a call whose caller leaves is aborted", async () => {
  await using net = await TestNetwork.start();
  const started = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  await net.join("a", (callback) => {
    callback("wait", () => {
      currentCall()!.signal.addEventListener("abort", () => aborted.resolve());
      started.resolve();
      return new Promise(() => {});
    });
  });
  const b = await net.join("b");
  const call = assertRejectsLater(() => soon(b.call.wait().fg()));
  await started.promise;
  await b.stop();
  await soon(aborted.promise);
  await call;
});

Deno.test("stop() ends calls that wait for their eta", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => callback("f", () => 1));
  const b = await net.join("b");
  const signal = AbortSignal.timeout(4000);
  const result = b.call.f().bg({ eta: "1h", signal });
  const broadcast = assertRejectsLater(
    () => soon<unknown>(b.call.f().broadcast({ eta: "1h", returnResult: true, signal })),
    GlobalContextError,
  );
  await b.stop();
  await assertRejects(() => soon(result.get(), 1000), GlobalContextError);
  await broadcast;
});

Deno.test("stop() ends a call without answer that waits for its eta", async () => {
  await using net = await TestNetwork.start();
  const b = await net.join("b");
  const call = b.call.f().noReturn({ eta: "5s" });
  await b.stop();
  await soon(call, 1000);
  assertEquals(b.stats.droppedCalls, 1);
});

Deno.test("a call with eta on a stopped Global fails at once", async () => {
  await using net = await TestNetwork.start();
  const b = await net.join("b");
  await b.stop();
  const signal = AbortSignal.timeout(4000); // should it fail, no timer is left behind
  const options = { eta: "1h", signal };
  const calls = [
    () => b.call.f().bg(options).get(),
    () => b.call.f().broadcast(options),
    () => b.call.f().broadcast({ ...options, returnResult: true }),
  ];
  for (const call of calls) {
    await assertRejects(() => soon<unknown>(call(), 1000), GlobalContextError);
  }
});

Deno.test("a call with eta whose signal has aborted already waits for nothing", async () => {
  await using net = await TestNetwork.start();
  const call = net.hub.call.f().bg({ eta: "1h", signal: AbortSignal.abort() });
  const { executed } = await assertRejects(() => soon(call.get()), CallCancelledError);
  assertEquals(executed, "never");
});
