import { assert, assertEquals, assertRejects } from "@std/assert";
import { CallTimeoutError, type Global, GlobalContextError, RemoteCallError } from "../mod.ts";
import { SignalListeners } from "./helpers/signal_listeners.ts";
import { soon } from "./helpers/soon.ts";
import { type Offer, registry, TestNetwork } from "./helpers/test_network.ts";

const offer: Offer = (callback) => {
  callback("double", (n: number) => 2 * n);
  callback("count", function* () {
    yield* [1, 2, 3];
  });
  callback("fail", () => {
    throw new RangeError("no");
  });
  callback("never", () => new Promise(() => {}));
};

type Call = (g: Global, signal: AbortSignal) => PromiseLike<unknown>;

/** Calls that succeed. All listen to their signal, but for the last. */
const CALLS: Readonly<Record<string, Call>> = {
  "fg()": (g, signal) => g.call.double(1).fg({ signal }),
  "bg()": (g, signal) => g.call.double(1).bg({ signal }).get(),
  "bg().get()": (g, signal) => g.call.double(1).bg().get({ signal }),
  "bg() with eta": (g, signal) => g.call.double(1).bg({ signal, eta: 1 }).get(),
  "broadcast() with result": (g, signal) =>
    g.call.double(1).broadcast({ signal, returnResult: true }),
  "broadcast() with result and eta": (g, signal) =>
    g.call.double(1).broadcast({ signal, returnResult: true, eta: 1 }),
  "broadcast() with eta": (g, signal) => g.call.double(1).broadcast({ signal, eta: 1 }),
  "stream()": (g, signal) => g.call.double([1, 2]).stream({ signal }),
  "fg() of a stream": async (g, signal) => {
    for await (const _ of await g.call.count().fg({ signal }) as AsyncIterable<number>);
  },
  "fg() of a stream that is left": async (g, signal) => {
    for await (const _ of await g.call.count().fg({ signal }) as AsyncIterable<number>) break;
  },
  "waitFunction()": (g, signal) => g.waitFunction("double", { signal }),
  "waitProcess()": (g, signal) => g.waitProcess("hub", { signal }),
  "broadcast()": (g, signal) => g.call.double(1).broadcast({ signal }),
};

for (const [name, call] of Object.entries(CALLS)) {
  Deno.test(`${name} leaves no listener on its signal when it is over`, async () => {
    await using network = await TestNetwork.start(offer);
    const g = await network.join("caller");
    using listeners = new SignalListeners();
    await soon(call(g, new AbortController().signal));
    assertEquals([listeners.added > 0, listeners.left], [name !== "broadcast()", 0]);
  });

  Deno.test(`${name} leaves no listener on its signal when it has waited for the connection`, async () => {
    await using network = await TestNetwork.start(offer);
    using listeners = new SignalListeners();
    await soon(call(network.add("caller"), new AbortController().signal));
    assert(listeners.added > 0);
    assertEquals(listeners.left, 0);
  });

  if (name === "bg().get()") continue; // it waits for the result, not for the connection
  Deno.test(`${name} leaves no listener on its signal when it fails at stop()`, async () => {
    await using network = await TestNetwork.start(offer);
    const { port } = network.hub;
    await network.hub.stop();
    const g = network.add("caller", () => {}, { port: port! });
    using listeners = new SignalListeners();
    const failed = assertRejects(
      async () => await call(g, new AbortController().signal),
      GlobalContextError,
    );
    await g.stop();
    await soon(failed);
    assert(listeners.added > 0);
    assertEquals(listeners.left, 0);
  });
}

Deno.test("calls that fail or take too long leave no listener on their signal", async () => {
  await using network = await TestNetwork.start(offer);
  const g = await network.join("caller");
  using listeners = new SignalListeners();
  const { signal } = new AbortController();
  await assertRejects(() => soon(g.call.fail().fg({ signal })), RemoteCallError);
  const background = g.call.never().bg();
  for (
    const call of [
      () => g.call.never().fg({ signal, timeout: 5 }),
      () => background.get({ signal, timeout: 5 }),
      () => g.waitFunction("nothing", { signal, timeout: 5 }),
    ]
  ) {
    await assertRejects(() => soon<unknown>(call()), CallTimeoutError);
  }
  background.cancel(); // it was still running, and listens to a signal of its own
  assertEquals([listeners.added, listeners.left], [5, 0]);
});

Deno.test("a delayed call that is stopped leaves no listener on its signal", async () => {
  await using network = await TestNetwork.start(offer);
  using listeners = new SignalListeners();
  const { signal } = new AbortController();
  const g = network.add("caller", () => {}, { callbacks: registry(() => {}) });
  const calls = [
    () => g.call.double(1).bg({ signal, eta: "1h" }).get(),
    () => g.call.double(1).broadcast({ signal, eta: "1h" }),
  ].map((call) => assertRejects<GlobalContextError>(async () => await call(), GlobalContextError));
  await g.stop();
  await soon(Promise.all(calls));
  assert(listeners.added > 0);
  assertEquals(listeners.left, 0);
});
