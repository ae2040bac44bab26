import { assert, assertEquals, assertInstanceOf, assertMatch, assertRejects } from "@std/assert";
import {
  CallCancelledError,
  CallTimeoutError,
  currentCall,
  EncodeError,
  Global,
  GlobalContextError,
  InitializationError,
  ProcessNotFoundError,
  RemoteCallError,
  TransferError,
} from "../mod.ts";
import { sourceOf } from "../src/transfer/function_source.ts";
import { assertRejectsLater, soon } from "./helpers/soon.ts";
import { registry, TestNetwork } from "./helpers/test_network.ts";

const LONG = 20_000;

Deno.test("`transferAndCall()` runs a function on another process and gives its result", async () => {
  await using network = await TestNetwork.start();
  const g = await network.join("caller");
  const sum = (a: number, b: number) => a + b;
  assertEquals(await soon(g.transferAndCall("hub", sum, 1, 2), LONG), 3);
  assertEquals(await soon(g.transferAndCall("hub", () => Deno.pid), LONG), Deno.pid);
  assertEquals(await soon(network.hub.transferAndCall("caller", sum, 3, 4), LONG), 7);
});

Deno.test("`transferAndCall()` runs every kind of function", async () => {
  await using network = await TestNetwork.start();
  const g = await network.join("caller");
  const tools = {
    twice(n: number) {
      return n * 2;
    },
    async later(n: number) {
      return await Promise.resolve(n * 2);
    },
  };
  function twice(n: number) {
    return n * 2;
  }
  const all = [
    g.transferAndCall("hub", twice, 21),
    g.transferAndCall("hub", tools.twice, 21),
    g.transferAndCall("hub", tools.later, 21),
    g.transferAndCall("hub", (n: number) => n * 2, 21),
    g.transferAndCall("hub", async (n: number) => await Promise.resolve(n * 2), 21),
    g.transferAndCall(
      "hub",
      async (n: number) => (await import("node:path")).basename(`a/${n}`),
      42,
    ),
  ];
  assertEquals(await soon(Promise.all(all), LONG), [42, 42, 42, 42, 42, "42"]);
});

Deno.test("`transferAndCall()` brings values of all kinds there and back", async () => {
  await using network = await TestNetwork.start();
  const g = await network.join("caller");
  const value = {
    map: new Map([[1, new Set(["a"])]]),
    big: 10n,
    nothing: undefined,
    date: new Date(5),
    bytes: Uint8Array.of(1, 2, 3),
    deep: { list: [null, -0, 1.5, "text", new URL("http://a/b"), /x/g] },
  };
  assertEquals(await soon(g.transferAndCall("hub", (x: typeof value) => x, value), LONG), value);
  assertEquals(await soon(g.transferAndCall("hub", () => {}), LONG), undefined);
});

Deno.test("`transferAndCall()` rejects with what the function threw", async () => {
  await using network = await TestNetwork.start();
  const g = await network.join("caller");
  const withdraw = (amount: number) => {
    throw Object.assign(new RangeError(`no ${amount}`, { cause: new Error("empty") }), { left: 0 });
  };
  const error = await assertRejects(
    () => soon(g.transferAndCall("hub", withdraw, 5), LONG),
    RemoteCallError,
  );
  assertEquals([error.remoteName, error.remoteMessage], ["RangeError", "no 5"]);
  assertEquals([error.processName, error.executed], ["hub", "yes"]);
  assertEquals(error.remoteFields, { left: 0 });
  assertInstanceOf(error.cause, RangeError);
  assertEquals((error.cause.cause as Error).message, "empty");
  assertMatch(error.remoteStack!, /transferred\/withdraw\b/);
  assertEquals(error.remoteStack!.includes("file:"), false);
});

Deno.test("`transferAndCall()` names the outer variable that the function uses", async () => {
  await using network = await TestNetwork.start();
  const g = await network.join("caller");
  const rate = 1.2;
  const price = (net: number) => net * rate;
  const error = await assertRejects(
    () => soon(g.transferAndCall("hub", price, 5), LONG),
    TransferError,
  );
  assertMatch(error.message, /price uses rate, .*as an argument/);
  assertEquals([error.processName, error.executed], ["hub", "yes"]);
});

for (
  const [what, fn] of [
    ["native", Math.max],
    ["bound", sourceOf.bind(undefined)],
    ["class", class Point {}],
    ["no", "() => 1"],
  ] as const
) {
  Deno.test(`\`transferAndCall()\` rejects a ${what} function at once`, async () => {
    await using network = await TestNetwork.start();
    const error = await assertRejects(
      () => soon(network.hub.transferAndCall("nobody", fn as () => void)),
      TransferError,
    );
    assertEquals(error.executed, "never");
    assertMatch(error.message, /Cannot send/);
  });
}

Deno.test("`transferAndCall()` rejects arguments that cannot travel, by their own index", async () => {
  await using network = await TestNetwork.start();
  const g = await network.join("caller");
  const take = (_a: unknown, _b: unknown) => {};
  for (const bad of [() => 1, Symbol("x"), { deep: [() => 1] }, (function* () {})()]) {
    const error = await assertRejects(
      () => soon(g.transferAndCall("hub", take, 0, bad)),
      EncodeError,
    );
    assertMatch(error.message, /args\[1\]/);
    assertEquals(error.executed, "never");
  }
});

Deno.test("`transferAndCall()` says that streams do not travel with functions", async () => {
  await using network = await TestNetwork.start();
  const g = await network.join("caller");
  const call = () => soon(g.transferAndCall("hub", (_: unknown) => {}, (function* () {})()));
  await assertRejects(call, EncodeError, "not for period() or transferAndCall()");
});

Deno.test("`transferAndCall()` rejects a result that cannot travel", async () => {
  await using network = await TestNetwork.start();
  const g = await network.join("caller");
  const error = await assertRejects(
    () => soon(g.transferAndCall("hub", () => ({ save: () => 1 })), LONG),
    EncodeError,
  );
  assertMatch(error.message, /result\.save/);
  assertEquals(error.executed, "yes");
});

Deno.test("`transferAndCall()` rejects a result that is too large, and the node goes on", async () => {
  await using network = await TestNetwork.start(undefined, { maxFrameBytes: 1024 * 1024 });
  const g = await network.join("caller", undefined, { maxFrameBytes: 128 * 1024 });
  const make = (size: number) => new Uint8Array(size);
  for (const size of [2 * 1024 * 1024, 512 * 1024]) {
    const error = await assertRejects(
      () => soon(g.transferAndCall("hub", make, size), LONG),
      EncodeError,
    );
    assertEquals(error.executed, "yes");
  }
  assertEquals((await soon(g.transferAndCall("hub", make, 1000), LONG)).length, 1000);
});

Deno.test("`transferAndCall()` rejects at once when there is no such process", async () => {
  await using network = await TestNetwork.start();
  const g = await network.join("caller");
  const error = await assertRejects(
    () => soon(g.transferAndCall("hob", () => 1)),
    ProcessNotFoundError,
    "did you mean hub?",
  );
  assertEquals(error.executed, "never");
});

for (const name of [5, undefined, null, {}, ""]) {
  Deno.test(`\`transferAndCall()\` refuses the process name ${Deno.inspect(name)}`, async () => {
    await using network = await TestNetwork.start();
    const call = () => soon(network.hub.transferAndCall(name as string, () => 1));
    await assertRejects(call, InitializationError);
  });
}

Deno.test("`transferAndCall()` rejects after `stop()` and without a node", async () => {
  await using network = await TestNetwork.start();
  const g = await network.join("caller");
  await g.stop();
  await assertRejects(() => g.transferAndCall("hub", () => 1), GlobalContextError, "stopped");
  const options = { initController: true, initNode: false, host: "localhost" };
  await using controller = new Global({ ...options, callbacks: registry(() => {}) });
  await assertRejects(
    () => controller.transferAndCall("a", () => 1),
    GlobalContextError,
    "no Node",
  );
});

Deno.test("`transferAndCall()` keeps to the time that the Global gives to calls", async () => {
  await using network = await TestNetwork.start();
  const g = await network.join("caller", undefined, { defaultTimeout: "1s" });
  const never = () => new Promise<void>(() => {});
  const error = await assertRejects(
    () => soon(g.transferAndCall("hub", never), LONG),
    CallTimeoutError,
  );
  assertEquals([error.processName, error.executed], ["hub", "maybe"]);
});

Deno.test("`transferAndCall()` within a callback inherits its time and its end", async () => {
  await using network = await TestNetwork.start();
  const failure = Promise.withResolvers<unknown>();
  await network.join("middle", (callback) =>
    callback("pass", async () => {
      const { g } = currentCall()!;
      try {
        await g.transferAndCall("hub", () => new Promise<void>(() => {}));
      } catch (error) {
        failure.resolve(error);
      }
    }));
  const g = await network.join("caller");
  await assertRejects(() => soon(g.call.pass().fg({ timeout: "1s" }), LONG), CallTimeoutError);
  // Its own time is up, or the caller's was a moment before, which then cancelled its call.
  const { name } = await soon(failure.promise, LONG) as Error;
  assert(["CallTimeoutError", "CallCancelledError"].includes(name), name);
});

Deno.test("`transferAndCall()` within a callback is cancelled with it, but for what cleans up after that", async () => {
  await using network = await TestNetwork.start();
  const failure = Promise.withResolvers<unknown>();
  const cleaned = Promise.withResolvers<unknown>();
  const sent = Promise.withResolvers<void>();
  await network.join("middle", (callback) =>
    callback("pass", async () => {
      const { g } = currentCall()!;
      try {
        const running = g.transferAndCall("hub", () => new Promise<void>(() => {}));
        sent.resolve();
        await running;
      } catch (error) {
        failure.resolve(error);
        cleaned.resolve(await g.transferAndCall("hub", () => "clean"));
      }
    }));
  const g = await network.join("caller");
  const cancel = new AbortController();
  const call = assertRejectsLater(
    () => soon(g.call.pass().fg({ signal: cancel.signal }), LONG),
    CallCancelledError,
  );
  await soon(sent.promise);
  cancel.abort();
  await call;
  assertInstanceOf(await soon(failure.promise, LONG), CallCancelledError);
  assertEquals(await soon(cleaned.promise, LONG), "clean");
});

Deno.test("errors of `transferAndCall()` show where it was called, and the remote stack", async () => {
  await using network = await TestNetwork.start();
  const patient = await network.join("patient");
  const hasty = await network.join("hasty", undefined, { defaultTimeout: "1s" });
  const fails = () => {
    throw new Error("no");
  };
  const never = () => new Promise<void>(() => {});
  const outer = 1;
  const all: (() => unknown)[] = [fails, () => outer, never];
  for (const fn of all) {
    const error = await assertRejects(() => {
      return soon(
        (function theCaller() {
          return (fn === never ? hasty : patient).transferAndCall("hub", fn);
        })(),
        LONG,
      );
    }) as Error;
    const [local, remote] = error.stack!.split("in the other process:");
    assertMatch(local!, /^\w+Error: .*\n +at theCaller /);
    assertEquals(remote?.includes("transferred/fails"), fn === fails ? true : undefined);
  }
});

Deno.test("functions of different senders never meet, nor does one see the receiver", async () => {
  await using network = await TestNetwork.start();
  const [one, two] = [await network.join("one"), await network.join("two")];
  const set = (secret: string) => void Object.assign(globalThis, { secret });
  const get = () => (globalThis as { secret?: string }).secret;
  await soon(one.transferAndCall("hub", set, "mine"), LONG);
  assertEquals(await soon(two.transferAndCall("hub", get), LONG), undefined);
  assertEquals(await soon(one.transferAndCall("hub", get), LONG), "mine");
  assertEquals("secret" in globalThis, false);
});

Deno.test("`transferAndCall()` runs hundreds at a time", async () => {
  await using network = await TestNetwork.start();
  const senders = [await network.join("one"), await network.join("two")];
  const results = await soon(
    Promise.all(
      Array.from(
        { length: 400 },
        (_, n) =>
          senders[n % 2]!.transferAndCall("hub", async (n: number) => {
            await new Promise((resolve) => setTimeout(resolve, n % 5));
            return n;
          }, n),
      ),
    ),
    LONG,
  );
  assertEquals(results, Array.from({ length: 400 }, (_, n) => n));
});

Deno.test("`stop()` ends what runs in a sandbox, and its sender is told", async () => {
  await using network = await TestNetwork.start();
  const there = await network.join("there");
  const g = await network.join("caller");
  assertEquals(await soon(g.transferAndCall("there", () => 1), LONG), 1); // it has started
  const loop = g.transferAndCall("there", () => {
    for (;;);
  });
  const ended = assertRejects(() => soon(loop, LONG));
  ended.catch(() => {});
  await soon(there.stop({ drainTimeout: 100 }), LONG);
  await ended;
});

Deno.test("whoever joins under the name of a sender that has left finds nothing of it", async () => {
  await using network = await TestNetwork.start();
  const mark = () => Object.assign(globalThis, { mark: 1 }) && 1;
  const find = () => "mark" in globalThis;
  const first = await network.join("caller");
  await soon(first.transferAndCall("hub", mark), LONG);
  assertEquals(await soon(first.transferAndCall("hub", find), LONG), true);
  await first.stop();
  const second = await network.join("caller");
  assertEquals(await soon(second.transferAndCall("hub", find), LONG), false);
});
