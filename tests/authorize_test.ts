import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { encode } from "@msgpack/msgpack";
import {
  AuthenticationError,
  type AuthorizationRequest,
  BroadcastError,
  type Global,
  type GlobalOptions,
  NO_RETURN,
} from "../mod.ts";
import { later, settled, soon, until } from "./helpers/soon.ts";
import { registry, TestNetwork } from "./helpers/test_network.ts";
import { KIND, rawFrame, RawPeer } from "./e2e/raw_peer.ts";
import { stalls } from "./e2e/stalls.ts";
import { concat } from "./wire/frames.ts";

type Decide = (request: AuthorizationRequest) => unknown;

/** A network whose controller asks, and what it has asked. */
async function guarded(decide: Decide, options: GlobalOptions = {}) {
  const asked: AuthorizationRequest[] = [];
  const net = await TestNetwork.start(
    (callback) => {
      callback("whoami", () => "hub");
      callback("onlyHub", () => 1);
    },
    {
      authorize: (request) => {
        asked.push(request);
        return decide(request) as boolean;
      },
      transfer: "inline",
      ...options,
    },
  );
  const about = (action: string) => asked.filter((request) => request.action === action);
  return { net, asked, about, [Symbol.asyncDispose]: () => net[Symbol.asyncDispose]() };
}

const denied = (run: () => Promise<unknown>) => assertRejects(run, AuthenticationError);

async function deniedCall(run: () => Promise<unknown>): Promise<void> {
  const error = await denied(run);
  assertEquals([error.executed, error.code], ["never", "AUTHENTICATION"]);
  assert(error.message.includes("does not allow"), error.message);
}

Deno.test("authorize is asked about joins, and who may not gets AuthenticationError at once", async () => {
  await using guard = await guarded((request) =>
    request.action !== "join" || request.processName === "good"
  );
  const { net } = guard;
  await net.join("good", (callback) => callback("f", () => {}));
  const [bad, worse] = [net.add("bad"), net.add("worse")];
  for (const g of [bad, worse]) await denied(() => soon(g.ready, 10_000));
  assertEquals(guard.about("join").slice(0, 1), [
    { action: "join", processName: "good", address: "127.0.0.1", callbacks: ["f"] },
  ]);
  await until(() => net.hub.stats.failedAuthentications === 2, 10_000);
  assertEquals(net.hub.stats.deniedActions, 2);
  assert(net.logger.has('"processName":"bad"'));
  assertEquals(Object.keys(net.hub.registeredCallbacks), ["good"]);
});

for (
  const [what, decide] of [
    ["fails", () => Promise.reject(new Error("the database is down"))],
    ["decides nothing in time", () => new Promise(() => {})],
  ] as [what: string, decide: Decide][]
) {
  Deno.test(`a node tries again to join when authorize ${what}`, async () => {
    let works = false;
    await using guard = await guarded((request) =>
      request.action !== "join" || works || decide(request)
    );
    const { net } = guard;
    const g = net.add("late");
    await until(() => net.hub.stats.refusedConnections > 0, 20_000);
    assertEquals(Object.keys(net.hub.registeredCallbacks), []);
    await until(() => net.logger.has("cannot decide about it at present"), 10_000);
    assert(net.logger.has("authorize "));
    assert(net.hub.stats.deniedActions > 0);
    assertEquals(net.hub.stats.failedAuthentications, 0);
    works = true;
    await soon(g.ready, 20_000);
    await soon(net.hub.waitProcess("late"));
  });
}

Deno.test("authorize is not asked about the node in its own process", async () => {
  await using guard = await guarded(({ action }) => action === "join");
  const { net } = guard;
  await net.join("a", (callback) => callback("f", () => 7));
  assertEquals(await net.hub.call.f(), 7);
  assertEquals(guard.asked.map(({ action }) => action), ["join"]);
});

const noes: [what: string, decide: Decide][] = [
  ["says false", () => false],
  ["rejects", () => Promise.reject(new Error("the database is down"))],
  ["throws", () => {
    throw new Error("the database is down");
  }],
  ["says something that is no boolean", () => "yes"],
  ["says nothing", () => undefined],
];

for (const [what, decide] of noes) {
  Deno.test(`authorize denies a call when it ${what}`, async () => {
    await using guard = await guarded((one) => one.action === "call" ? decide(one) : true);
    const a = await guard.net.join("a");
    await deniedCall(() => a.call.whoami().fg());
    assertEquals(guard.about("call"), [
      { action: "call", caller: "a", processName: "hub", callbackName: "whoami" },
    ]);
    assertEquals(guard.net.hub.stats.deniedActions, 1);
    assert(guard.net.logger.has("not allowed"));
    await using _b = await guard.net.join("b"); // all others go on
  });
}

Deno.test("authorize decides once for each caller, process and callback, until one of them leaves", async () => {
  await using guard = await guarded(async (request) => {
    await settled();
    return request.action !== "call" || request.callbackName !== "onlyHub";
  });
  const { net } = guard;
  const a = await net.join("a");
  const other = await net.join("other", (callback) => callback("whoami", () => "other"));
  for (let i = 0; i < 5; i++) {
    assertEquals(await a.call.whoami().fg({ to: "hub" }), "hub");
    assertEquals(await a.call.whoami().fg({ to: "other" }), "other");
    await deniedCall(() => a.call.onlyHub().fg());
  }
  assertEquals(await other.call.whoami().fg(), "hub");
  assertEquals(guard.about("call").length, 4);
  assertEquals(net.hub.stats.deniedActions, 5);
  await other.stop();
  const again = await net.join("other", (callback) => callback("whoami", () => "again"));
  assertEquals(await a.call.whoami().fg({ to: "other" }), "again");
  assertEquals(await again.call.whoami().fg({ to: "hub" }), "hub");
  assertEquals(guard.about("call").length, 6);
});

Deno.test("authorize that failed is asked again the next time", async () => {
  let works = false;
  await using guard = await guarded(({ action }) => {
    if (action === "call" && !works) throw new Error("the database is down");
    return true;
  });
  const a = await guard.net.join("a");
  await deniedCall(() => a.call.whoami().fg());
  works = true;
  assertEquals(await a.call.whoami(), "hub");
  assertEquals(guard.about("call").length, 2);
});

Deno.test("calls stay in order, and nothing overtakes, while authorize decides", async () => {
  const decided = Promise.withResolvers<boolean>();
  const got: unknown[] = [];
  await using guard = await guarded((request) =>
    request.action === "call" && request.callbackName === "slowly" ? decided.promise : true
  );
  const { net } = guard;
  const b = await net.join("b", (callback) => {
    for (const name of ["slowly", "note"]) {
      callback(name, (value: unknown) => got.push(value) && value);
    }
  });
  const a = await net.join("a");
  const calls: Promise<unknown>[] = [];
  for (let i = 0; i < 200; i++) {
    const call = i % 2 === 0 ? a.call.slowly(i) : a.call.note(i);
    calls.push(call.fg({ timeout: "20s" }));
  }
  const large = new Uint8Array(200_000).fill(9);
  calls.push(a.call.note(large).fg({ timeout: "20s" }));
  await until(() => guard.about("call").length > 0, 10_000);
  assertEquals(await b.call.whoami(), "hub"); // others go on meanwhile
  assertEquals(got, []);
  decided.resolve(true);
  await soon(Promise.all(calls), 20_000);
  assertEquals(got, [...Array.from({ length: 200 }, (_, i) => i), large]);
  assertEquals(guard.about("call").length, 3);
});

Deno.test("a denied broadcast fails at those who may not be called, and reaches the others", async () => {
  await using guard = await guarded((request) =>
    request.action !== "call" || request.processName !== "b"
  );
  const { net } = guard;
  const ran: string[] = [];
  for (const name of ["b", "c"]) {
    await net.join(name, (callback) => callback("whoami", () => ran.push(name) && name));
  }
  const a = await net.join("a");
  const error = await assertRejects(
    () => a.call.whoami().broadcast({ returnResult: true }),
    BroadcastError,
  );
  assertEquals(error.results, { hub: "hub", c: "c" });
  assertInstanceOf(error.errors.b, AuthenticationError);
  assertEquals([error.errors.b.executed, ran], ["never", ["c"]]);
  await a.call.whoami().broadcast();
  await until(() => a.stats.droppedCalls === 1, 10_000);
  assertEquals(guard.about("call").length, 3);
});

Deno.test("a denied call without answer is counted and logged by its caller", async () => {
  await using guard = await guarded(({ action }) => action === "join");
  const a = await guard.net.join("a");
  await a.call.whoami().exec(NO_RETURN);
  await until(() => a.stats.droppedCalls === 1, 10_000);
  assert(guard.net.logger.has("the controller does not allow it on hub"));
});

Deno.test("a denied call with or for a stream fails, and takes no items", async () => {
  let taken = 0;
  async function* items() {
    while (true) yield await Promise.resolve(taken++);
  }
  await using guard = await guarded(({ action }) => action === "join");
  const a = await guard.net.join("a");
  await deniedCall(() => a.call.whoami(items()).fg());
  await deniedCall(async () => {
    for await (const _ of a.call.whoami()) throw new Error("there is no item");
  });
  assertEquals(taken, 0);
});

Deno.test("authorize changes nothing of what is offered by changing what it was asked", async () => {
  await using guard = await guarded((request) => {
    if ("callbacks" in request) (request.callbacks as string[]).splice(0, 9, "another", "other");
    return true;
  });
  const { net } = guard;
  const dial = () => Deno.connect({ hostname: "localhost", port: net.hub.port! });
  using a = await RawPeer.join({ dial }, "a", ["one"]);
  assertEquals(a.processes.get("a")![2].map(([, name]) => name), ["one"]);
  await a.send(KIND.OFFER, { payload: encode(["two"]) });
  await net.hub.waitFunction("two", { timeout: "20s" });
  assertEquals(net.hub.registeredCallbacks, { a: ["one", "two"] });
});

Deno.test("authorize is asked about callbacks that are offered later", async () => {
  await using guard = await guarded((request) =>
    request.action !== "offer" || !request.callbacks.includes("evil")
  );
  const { net } = guard;
  const callbacks = registry(() => {});
  const a = await net.join("a", () => {}, { callbacks });
  callbacks.callback("good", () => "good");
  callbacks.callback("evil", () => "evil");
  callbacks.callback("better", () => "better");
  await net.hub.waitFunction("better", { timeout: "20s" });
  assertEquals(net.hub.registeredCallbacks, { a: ["good", "better"] });
  assertEquals(guard.about("offer")[0], {
    action: "offer",
    processName: "a",
    callbacks: ["good"],
  });
  await until(() => net.logger.has("the controller does not allow to offer: evil"), 10_000);
  assertEquals(net.hub.stats.deniedActions, 1);
  assertEquals(await a.call.whoami(), "hub");
});

Deno.test("authorize is asked about tasks: what is wanted, and of which callback or task", async () => {
  await using guard = await guarded((request) =>
    request.action !== "schedule" ||
    request.operation !== "cancel" && request.callbackName !== "onlyHub"
  );
  const { net } = guard;
  const a = await net.join("a");
  const task = await a.call.whoami().period({ interval: "1h" });
  await deniedCall(() => a.call.onlyHub().period({ interval: "1h" }));
  assertEquals(await a.getScheduledTasks("hub"), [task.uuid]);
  await deniedCall(() => task.cancel());
  const common = { action: "schedule", caller: "a", processName: "hub" };
  assertEquals(guard.about("schedule"), [
    { ...common, operation: "create", callbackName: "whoami" },
    { ...common, operation: "create", callbackName: "onlyHub" },
    { ...common, operation: "list" },
    { ...common, operation: "cancel", uuid: task.uuid },
  ] as AuthorizationRequest[]);
  assertEquals(await net.hub.getScheduledTasks("hub"), [task.uuid]);
});

Deno.test("authorize is asked about functions that are sent", async () => {
  await using guard = await guarded((request) =>
    request.action !== "transfer" || request.caller === "good"
  );
  const { net } = guard;
  const [good, bad] = [await net.join("good"), await net.join("bad")];
  for (let i = 0; i < 2; i++) {
    assertEquals(await good.transferAndCall("hub", () => 5), 5);
    await deniedCall(() => bad.transferAndCall("hub", () => 5));
  }
  assertEquals(guard.about("transfer"), [
    { action: "transfer", caller: "good", processName: "hub" },
    { action: "transfer", caller: "bad", processName: "hub" },
  ]);
});

Deno.test("authorize is asked before all nodes are stopped, and nothing stops when it says no", async () => {
  let may = false;
  await using guard = await guarded(({ action }) => action !== "stopNodes" || may);
  const { net } = guard;
  const a: Global = await net.join("a");
  await denied(() => net.hub.stop({ killAllConnectedNodes: true }));
  assertEquals(await a.call.whoami(), "hub");
  assertEquals(net.hub.stats.deniedActions, 1);
  assertEquals(guard.about("stopNodes"), [{ action: "stopNodes", processName: "hub" }]);
  may = true;
  await net.hub.stop({ killAllConnectedNodes: true });
  await a.stop();
});

Deno.test("a process that leaves while something of it is decided leaves nothing behind", async () => {
  const decided = Promise.withResolvers<boolean>();
  await using guard = await guarded(({ action }) => action === "call" ? decided.promise : true);
  const { net } = guard;
  const a = await net.join("a");
  const call = assertRejects(() => a.call.whoami().fg());
  await until(() => guard.about("call").length === 1, 10_000);
  await a.stop({ drainTimeout: 1 });
  await call;
  decided.resolve(true);
  const b = await net.join("b");
  assertEquals(await b.call.whoami(), "hub");
});

Deno.test("what a broadcast is denied is counted for each target", async () => {
  await using guard = await guarded((request) => request.action !== "call");
  const { net } = guard;
  const a = await net.join("a");
  await net.join("b", (callback) => callback("whoami", () => "b"));
  for (let i = 1; i <= 2; i++) {
    await assertRejects(() => a.call.whoami().broadcast({ returnResult: true }), BroadcastError);
    assertEquals(net.hub.stats.deniedActions, 2 * i);
  }
});

Deno.test("authorize is asked about a call that comes while its process stops, too", async () => {
  for (const allowed of [true, false]) {
    let ran = 0;
    await using guard = await guarded(({ action }) => action !== "call" || allowed);
    const { net } = guard;
    const leaving = await net.join("leaving", (callback) => callback("f", () => ++ran));
    const caller = await net.join("caller");
    await caller.waitFunction("f");
    const stopped = leaving.stop();
    const call = caller.call.f().fg(); // who calls has not heard of it
    if (allowed) assertEquals(await soon(call), 1);
    else await deniedCall(() => soon(call));
    await stopped;
    assertEquals([ran, guard.about("call").length], [allowed ? 1 : 0, 1]);
  }
});

Deno.test("who is denied, and does not read that, is not read from", async () => {
  await using guard = await guarded(({ action }) => action === "join");
  const { host: hostname, port } = guard.net.hub;
  const dial = () => Deno.connect({ hostname: hostname!, port: port! });
  using flooder = await RawPeer.join({ dial }, "flooder");
  const [peer, name] = [flooder.idOf("hub"), flooder.nameOf("hub", "whoami")];
  const calls = concat(
    Array.from({ length: 100_000 }, () => rawFrame(KIND.CALL, { call: 1, peer, name })),
  );
  for (let sent = 0;; sent += calls.length) {
    const writing = later(flooder.write(calls));
    if (await stalls(writing)) break;
    assert(sent < 200 * 1024 * 1024, "the controller takes more and more");
  }
});
