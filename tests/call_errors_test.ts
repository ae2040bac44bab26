import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  BroadcastError,
  CallbackNotFoundError,
  CallbackRegistry,
  CallCancelledError,
  CallTimeoutError,
  currentCall,
  DaffiError,
  type Duration,
  EncodeError,
  GlobalContextError,
  InitializationError,
  PeerLostError,
  ProcessNotFoundError,
  type RemoteCall,
  RemoteCallError,
  type StandardSchema,
  TransferError,
  ValidationError,
} from "../mod.ts";
import { CuttingProxy } from "./helpers/cutting_proxy.ts";
import { assertRejectsLater, soon, until } from "./helpers/soon.ts";
import { TestNetwork } from "./helpers/test_network.ts";

/** What an error tells of the call that failed. */
function facts({ name, code, processName, callbackName, executed, callId }: DaffiError) {
  const numbered = Number.isInteger(callId) && callId! > 0;
  return { name, code, processName, callbackName, executed, numbered };
}

Deno.test("a callback that throws fails its call with RemoteCallError", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("divide", () => {
      const cause = new RangeError("zero", { cause: new Error("deepest") });
      throw Object.assign(new TypeError("cannot divide", { cause }), { status: 422, tags: ["x"] });
    });
  });
  const error = await assertRejects(() => soon(net.hub.call.divide(1, 0).fg()), RemoteCallError);
  assertEquals(facts(error), {
    name: "RemoteCallError",
    code: "REMOTE_CALL",
    processName: "a",
    callbackName: "divide",
    executed: "yes",
    numbered: true,
  });
  assert(error.message.includes("divide on a threw TypeError: cannot divide"), error.message);
  assertEquals([error.remoteName, error.remoteMessage], ["TypeError", "cannot divide"]);
  assertEquals(error.remoteFields, { status: 422, tags: ["x"] });
  const cause = error.cause as Error & { status: number };
  assert(cause instanceof Error);
  assertEquals([cause.name, cause.message, cause.status], ["TypeError", "cannot divide", 422]);
  const deeper = cause.cause as Error;
  assertEquals([deeper.name, deeper.message], ["RangeError", "zero"]);
  assertEquals((deeper.cause as Error).message, "deepest");
  assert(error.remoteStack!.includes("errors_test.ts"), error.remoteStack);
});

async function makesTheCall(call: RemoteCall<unknown>): Promise<unknown> {
  return await call;
}

Deno.test("the stack of a failed call shows where it was made, and the remote stack", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("fail", function theRemoteFunction() {
      throw new Error("on purpose");
    });
  });
  function theCaller() {
    return net.hub.call.fail();
  }
  const calls = [
    () => makesTheCall(theCaller()),
    () => theCaller().fg(),
    () => theCaller().bg().get(),
    () => theCaller().broadcast({ returnResult: true }),
  ];
  for (const call of calls) {
    const error = await assertRejects(() => soon(call())) as Error;
    const shown = error instanceof BroadcastError ? error.errors.a! : error;
    const [local, remote] = shown.stack!.split("in the other process:");
    assert(local!.startsWith(`RemoteCallError: ${shown.message}`), shown.stack);
    assert(local!.includes("theCaller"), shown.stack);
    assert(remote!.includes("theRemoteFunction"), shown.stack);
    assert(!local!.includes("remote_call.ts"), shown.stack);
  }
});

Deno.test("whatever a callback throws comes back", async () => {
  const thrown: unknown[] = ["text", 5, null, undefined, { a: 1 }, [1]];
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("fail", (n: number) => {
      throw thrown[n];
    });
    callback("reject", (n: number) => Promise.reject(thrown[n]));
  });
  for (const name of ["fail", "reject"]) {
    for (const [n, value] of thrown.entries()) {
      const error = await assertRejects(() => soon(net.hub.call[name](n)), RemoteCallError);
      assertEquals([error.cause, error.remoteStack], [value, undefined]);
      assertEquals(error.remoteName, value === null ? "null" : typeof value);
    }
  }
});

Deno.test("an error of which a part cannot travel comes back without that part", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("fail", () => {
      throw Object.assign(new Error("on purpose"), { retry: () => {}, status: 5 });
    });
    callback("throw function", () => {
      throw () => {};
    });
  });
  const error = await assertRejects(() => soon(net.hub.call.fail()), RemoteCallError, "on purpose");
  assertEquals(error.remoteFields.status, 5);
  assertEquals(typeof error.remoteFields.retry, "string");
  await assertRejects(() => soon(net.hub.call["throw function"]()), RemoteCallError);
});

Deno.test("arguments and results that cannot travel fail with EncodeError and their path", async () => {
  let runs = 0;
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("take", () => void runs++);
    callback("give", () => ({ user: { save: () => {} } }));
    callback("broken", () => ({
      get field() {
        throw new Error("getter");
      },
    }));
  });
  const { take, give, broken } = net.hub.call;
  const sent = [
    () => take({ user: { save: () => {} } }).fg(),
    () => take({ user: { save: () => {} } }).bg().get(),
    () => take({ user: { save: () => {} } }).broadcast(),
    () => take({ user: { save: () => {} } }).broadcast({ returnResult: true }),
  ];
  for (const call of sent) {
    const error = await assertRejects(
      () => soon<unknown>(call()),
      EncodeError,
      "args[0].user.save",
    );
    const { name, code, callbackName, executed } = error;
    assertEquals([name, code, callbackName, executed], ["EncodeError", "ENCODE", "take", "never"]);
  }
  for (const value of [Symbol("s"), new (class Custom {})(), new WeakMap()]) {
    await assertRejects(() => soon(take(value)), EncodeError, "args[0]");
  }
  assertEquals(runs, 0);
  const error = await assertRejects(() => soon(give().fg()), EncodeError, "result.user.save");
  assertEquals(facts(error), {
    name: "EncodeError",
    code: "ENCODE",
    processName: "a",
    callbackName: "give",
    executed: "yes",
    numbered: true,
  });
  await assertRejects(() => soon(broken()), EncodeError);
});

Deno.test("a call of a name that nobody offers fails at once and tells what there is", async () => {
  await using net = await TestNetwork.start((callback) => callback("own", () => 1));
  await net.join("a", (callback) => callback("subtract", () => 1));
  const calls = [
    () => net.hub.call.substract().fg(),
    () => net.hub.call.substract().bg().get(),
    () => net.hub.call.substract().broadcast(),
    () => net.hub.call.substract().broadcast({ returnResult: true }),
    () => net.hub.call.substract([]).stream(),
  ];
  for (const call of calls) {
    const error = await assertRejects(() => soon<unknown>(call()), CallbackNotFoundError);
    assert(error.message.includes("did you mean subtract?"), error.message);
    const { code, callbackName, executed } = error;
    assertEquals([code, callbackName, executed], ["CALLBACK_NOT_FOUND", "substract", "never"]);
  }
  const own = await assertRejects(() => soon(net.hub.call.own()), CallbackNotFoundError);
  assert(own.message.includes("only this process itself offers it"), own.message);
});

Deno.test("a call that is refused for what it was given tells which, and that it has not run", async () => {
  await using net = await TestNetwork.start((callback) => callback("f", (n: number) => n));
  const a = await net.join("a");
  const { call } = a;
  const wrong = -1 as Duration;
  const refusals: (() => unknown)[] = [
    () => call.f(1).fg({ timeout: wrong }),
    () => call.f(1).bg({ eta: wrong }),
    () => call.f(1).noReturn({ to: "" }),
    () => call.f(1).broadcast({ timeout: wrong }),
    () => call.f(1).stream(),
    () => call.f([1]).stream({ timeout: wrong }),
    () => call.f(1).period({ interval: wrong }),
    () => call.f(1).period({}),
  ];
  for (const refused of refusals) {
    const error = await assertRejects(async () => await refused(), InitializationError);
    assertEquals([error.callbackName, error.executed], ["f", "never"], String(refused));
  }
  const sent = await assertRejects(() => a.transferAndCall("hub", Math.max, 1, 2), TransferError);
  assertEquals([sent.processName, sent.executed], ["hub", "never"]);
});

Deno.test("a callback that was registered just now is known to be the own one", async () => {
  await using net = await TestNetwork.start();
  const callbacks = new CallbackRegistry();
  const g = await net.join("late", () => {}, { callbacks });
  callbacks.callback("mine", () => 1);
  await assertRejects(
    () => soon(g.call.mine()),
    CallbackNotFoundError,
    "only this process itself offers it",
  );
});

Deno.test("a call to a process that is not there, or does not offer the name, fails", async () => {
  await using net = await TestNetwork.start();
  await net.join("worker", (callback) => callback("f", () => 1));
  const { f, g } = net.hub.call;
  const absent = await assertRejects(() => soon(f().fg({ to: "werker" })), ProcessNotFoundError);
  assert(absent.message.includes("did you mean worker?"), absent.message);
  assertEquals([absent.processName, absent.callbackName, absent.executed], [
    "werker",
    "f",
    "never",
  ]);
  const lacking = await assertRejects(() => soon(g().fg({ to: "worker" })), CallbackNotFoundError);
  assertEquals([lacking.processName, lacking.callbackName], ["worker", "g"]);
});

Deno.test("a call fails with PeerLostError when its process is lost", async () => {
  await using net = await TestNetwork.start();
  await using proxy = new CuttingProxy(net.hub.port!);
  const started = Promise.withResolvers<void>();
  await net.join("a", (callback) => {
    callback("wait", () => {
      started.resolve();
      const { signal } = currentCall()!;
      return new Promise((resolve) => signal.addEventListener("abort", resolve));
    });
  }, { port: proxy.port, reconnect: false });
  const call = net.hub.call.wait().fg();
  const failed = assertRejectsLater(() => soon(call), PeerLostError, "a");
  await started.promise;
  proxy.cutBoth();
  assertEquals(facts(await failed), {
    name: "PeerLostError",
    code: "PEER_LOST",
    processName: "a",
    callbackName: "wait",
    executed: "maybe",
    numbered: true,
  });
});

Deno.test("a call fails with CallCancelledError when its process stops without waiting", async () => {
  await using net = await TestNetwork.start();
  const started = Promise.withResolvers<void>();
  const a = await net.join("a", (callback) => {
    callback("wait", () => {
      started.resolve();
      return new Promise(() => {});
    });
  });
  const call = net.hub.call.wait().fg();
  const failed = assertRejectsLater(() => soon(call), CallCancelledError, "stopping");
  await started.promise;
  await a.stop({ drainTimeout: 5 });
  const { processName, callbackName, executed } = await failed;
  assertEquals([processName, callbackName, executed], ["a", "wait", "maybe"]);
});

Deno.test("a broadcast of which some fail tells both sides", async () => {
  await using net = await TestNetwork.start();
  await net.join("good", (callback) => callback("f", () => "fine"));
  await net.join("bad", (callback) => {
    callback("f", () => {
      throw new TypeError("not fine");
    });
  });
  const call = net.hub.call.f().broadcast({ returnResult: true });
  const error = await assertRejects(() => soon<unknown>(call), BroadcastError, "1 of 2");
  assertEquals([error.code, error.results, error.callbackName], [
    "BROADCAST",
    { good: "fine" },
    "f",
  ]);
  assertEquals(Object.keys(error.errors), ["bad"]);
  const { bad } = error.errors;
  assert(bad instanceof RemoteCallError);
  assertEquals([bad.remoteName, bad.processName], ["TypeError", "bad"]);
  await net.hub.call.f().broadcast();
});

Deno.test("a call on a stopped Global, and one that its stop ends, say which call it was", async () => {
  await using net = await TestNetwork.start((c) => c("wait", () => new Promise(() => {})));
  const a = await net.join("a");
  const waiting = a.call.wait().fg();
  const ended = assertRejectsLater(() => soon(waiting), GlobalContextError);
  await until(() => net.hub.stats.forwardedFrames > 0);
  await a.stop();
  const during = await ended;
  assertEquals([during.code, during.callbackName, during.executed], [
    "GLOBAL_CONTEXT",
    "wait",
    "maybe",
  ]);
  const after = await assertRejects(() => soon(a.call.wait().fg()), GlobalContextError);
  assertEquals([after.callbackName, after.executed], ["wait", "never"]);
});

Deno.test("what is asked of a Global that is stopped, or has given up, has never been done", async () => {
  await using net = await TestNetwork.start();
  const stopped = await net.join("stopped");
  await stopped.stop();
  const lost = await net.join("lost", () => {}, { reconnect: false });
  const waiting = lost.waitFunction("wait").catch(() => {});
  await net.hub.stop();
  await soon(waiting); // it has given up
  for (const g of [stopped, lost]) {
    const asked = [
      () => g.call.wait().period({ interval: "1s" }),
      () => g.getScheduledTasks("hub"),
      () => g.describeScheduledTasks("hub"),
      () => g.cancelScheduledTaskByUuid("hub", crypto.randomUUID()),
      () => g.transferAndCall("hub", () => 1),
    ];
    for (const ask of asked) {
      const { executed, processName, callbackName } = await assertRejects(
        () => soon<unknown>(ask()),
        DaffiError,
      );
      assertEquals([executed, processName ?? callbackName], [
        "never",
        ask === asked[0] ? "wait" : "hub",
      ]);
    }
  }
});

Deno.test("an error travels through several processes", async () => {
  await using net = await TestNetwork.start();
  await net.join("inner", (callback) => {
    callback("inner", () => {
      throw new RangeError("from the inside");
    });
  });
  await net.join("outer", (callback) => {
    callback("outer", async () => await currentCall()!.g.call.inner());
  });
  const error = await assertRejects(() => soon(net.hub.call.outer()), RemoteCallError);
  assertEquals(error.remoteName, "RemoteCallError");
  assert(error.message.includes("from the inside"), error.message);
  assertEquals(error.remoteFields.code, "REMOTE_CALL");
});

Deno.test("an item that cannot travel fails a call whose callback has run", async () => {
  let runs = 0;
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("give", function* () {
      yield 1;
      yield () => 2;
    });
    callback("take", () => void runs++);
  });
  const items: unknown[] = [];
  const read = async () => {
    for await (const item of net.hub.call.give()) items.push(item);
  };
  const given = await assertRejects(() => soon(read()), EncodeError);
  assertEquals([items, given.executed, given.processName], [[1], "yes", "a"]);
  const source = async function* () {
    yield 1;
    await until(() => runs === 1);
    yield () => 2;
  };
  const taken = await assertRejects(() => soon(net.hub.call.take(source()).stream()), EncodeError);
  assertEquals([runs, taken.executed], [1, "maybe"]);
});

Deno.test("a call that is given up, or loses its connection, says where it was under way", async () => {
  await using net = await TestNetwork.start();
  await using proxy = new CuttingProxy(net.hub.port!);
  let started = 0;
  await net.join("a", (callback) => {
    callback("wait", () => {
      started++;
      return new Promise((resolve) => currentCall()!.signal.addEventListener("abort", resolve));
    });
  });
  const caller = await net.join("caller", () => {}, { port: proxy.port, reconnect: false });
  const controller = new AbortController();
  const { signal } = controller;
  const lost = assertRejectsLater(() => soon(caller.call.wait().fg()), PeerLostError);
  const aborted = assertRejectsLater(
    () => soon(caller.call.wait().fg({ signal })),
    CallCancelledError,
  );
  await until(() => started === 2);
  controller.abort();
  const called = {
    processName: "a",
    callbackName: "wait",
    executed: "maybe",
    numbered: true,
  } as const;
  assertEquals(facts(await aborted), {
    name: "CallCancelledError",
    code: "CALL_CANCELLED",
    ...called,
  });
  proxy.cutBoth();
  assertEquals(facts(await lost), { name: "PeerLostError", code: "PEER_LOST", ...called });
  const never = await assertRejects(
    () => soon(net.hub.call.wait().fg({ signal })),
    CallCancelledError,
  );
  assertEquals([never.executed, never.callId], ["never", undefined]);
  const tasks = await assertRejects(
    () => soon(net.hub.getScheduledTasks("b")),
    ProcessNotFoundError,
  );
  assertEquals([tasks.processName, tasks.callbackName], ["b", undefined]);
});

Deno.test("a call whose callback has not run says so, whatever kept it from that", async () => {
  await using net = await TestNetwork.start();
  let runs = 0;
  const run = () => {
    runs++;
    return new Promise((resolve) => currentCall()!.signal.addEventListener("abort", resolve));
  };
  const broken = {
    "~standard": {
      ...{ version: 1, vendor: "test" },
      validate: () => {
        throw new RangeError("broken schema");
      },
    },
  } as unknown as StandardSchema;
  await net.join("a", (callback) => {
    callback("limited", run, { concurrency: 1, timeout: "50ms" });
    callback("checked", run, { input: broken });
  });
  const { limited, checked } = net.hub.call;
  const calls = [limited(), limited()].map((call) =>
    assertRejects(() => call.fg(), CallTimeoutError)
  );
  const [ran, waited] = await soon(Promise.all(calls));
  assertEquals([ran!.executed, waited!.executed], ["maybe", "never"]);
  const { executed, message } = await assertRejects(() => checked(1).fg(), ValidationError);
  assertEquals([executed, runs], ["never", 1]);
  assert(message.includes("its schema has thrown RangeError: broken schema"), message);
});

Deno.test("a call to this process itself says that, whoever else offers the name", async () => {
  await using net = await TestNetwork.start((callback) => callback("f", () => 1));
  await net.join("a", (callback) => callback("f", () => 2));
  const error = await assertRejects(
    () => net.hub.call.f().fg({ to: "hub" }),
    CallbackNotFoundError,
  );
  assert(error.message.includes("that is this process itself"), error.message);
  assertEquals([error.executed, error.processName, error.callbackName], ["never", "hub", "f"]);
});

Deno.test("a broadcast without results has a timeout, here and where it runs", async () => {
  await using net = await TestNetwork.start();
  const seen: unknown[] = [];
  const aborted = Promise.withResolvers<unknown>();
  await net.join("a", (callback) => {
    callback("see", () => {
      const { signal, deadline } = currentCall()!;
      seen.push(deadline !== undefined);
      signal.addEventListener("abort", () => aborted.resolve(signal.reason));
      return aborted.promise;
    });
  });
  await net.hub.call.see().broadcast({ timeout: "50ms" });
  assert(await soon(aborted.promise) instanceof CallTimeoutError);
  assertEquals(seen, [true]);
  const away = net.add("away", () => {}, { port: 1, defaultTimeout: "40ms" });
  const controller = new AbortController();
  const { signal } = controller;
  const given = away.call.see().broadcast({ signal, timeout: Infinity });
  for (const options of [{}, { timeout: 20 }]) {
    const call = () => soon(away.call.see().broadcast(options));
    const error = await assertRejects(call, CallTimeoutError, "was not sent in time");
    assertEquals([error.executed, error.callbackName], ["never", "see"]);
  }
  controller.abort();
  await assertRejects(() => soon(given), CallCancelledError);
});
