import { assert, assertEquals, assertRejects } from "@std/assert";
import { DaffiError, EncodeError } from "../mod.ts";
import { soon, until } from "./helpers/soon.ts";
import { TestNetwork } from "./helpers/test_network.ts";

/** Throws when anybody looks at what it is. */
function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

const THROWN: [what: string, make: () => unknown][] = [
  ["a revoked proxy", revoked],
  ["undefined", () => undefined],
  ["null", () => null],
  ["an error whose name cannot be read", () =>
    Object.defineProperty(new Error(), "name", {
      get: () => {
        throw new Error("not for you");
      },
    })],
];

for (const [what, make] of THROWN) {
  Deno.test(`whoever calls what throws ${what} gets an error, and nothing stays behind`, async () => {
    await using net = await TestNetwork.start();
    const a = await net.join("a", (callback) => {
      callback("atOnce", () => {
        throw make();
      });
      callback("later", async () => {
        await undefined;
        throw make();
      });
      callback("inTurn", async () => {
        await undefined;
        throw make();
      }, { concurrency: 1 });
      callback("between", function* () {
        yield 1;
        throw make();
      });
      callback("each", (_: number) => {
        throw make();
      });
      callback("add", (x: number, y: number) => x + y);
    });
    const { call } = net.hub;
    for (const name of ["atOnce", "later", "inTurn", "inTurn"]) {
      await assertRejects(() => soon(call[name]().fg()), DaffiError);
    }
    const items: unknown[] = [];
    await assertRejects(async () => {
      for await (const item of call.between()) items.push(item);
    }, DaffiError);
    assertEquals(items, [1]);
    await assertRejects(() => soon(call.each([1]).stream()), DaffiError);
    await call.later().noReturn();
    await call.atOnce().period({ interval: 1, maxRuns: 2 });
    await until(() => a.stats.failedCalls >= 1 && a.stats.runningCalls === 0);
    while ((await net.hub.getScheduledTasks("a")).length > 0);
    assertEquals(await call.add(1, 2), 3);
    assertEquals([net.hub.stats.pendingCalls, a.stats.runningCalls], [0, 0]);
  });

  Deno.test(`an iterable among the arguments that throws ${what} ends its call`, async () => {
    await using net = await TestNetwork.start();
    await net.join("a", (callback) => {
      callback("read", async (items: AsyncIterable<number>) => {
        for await (const _ of items);
      });
      callback("each", (_: number) => {});
    });
    function* source() {
      yield 1;
      throw make();
    }
    const { call } = net.hub;
    const outcomes = [call.read(source()).fg(), call.each(source()).stream()];
    for (const { status } of await soon(Promise.allSettled(outcomes))) {
      assertEquals(status, "rejected");
    }
    assertEquals(net.hub.stats.pendingCalls, 0);
    assert(net.logger.lines.every((line) => !line.startsWith("error")), net.logger.lines.join());
  });
}

Deno.test("an argument that throws when anybody looks at what it is fails its call alone, in every way to call", async () => {
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => callback("f", () => 1));
  const { call, stats: { droppedCalls } } = net.hub;
  assertEquals(droppedCalls, 0);
  await call.f(revoked()).noReturn();
  assertEquals(net.hub.stats.droppedCalls, 1);
  const ways: (() => Promise<unknown>)[] = [
    () => call.f(revoked()).fg(),
    () => call.f(revoked()).bg().get(),
    () => call.f(revoked()).broadcast(),
    () => call.f(revoked()).broadcast({ returnResult: true }),
  ];
  for (const way of ways) {
    const error = await assertRejects(() => soon(way()), EncodeError);
    assertEquals([error.executed, error.callbackName], ["never", "f"]);
  }
});
