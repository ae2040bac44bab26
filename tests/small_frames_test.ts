import { assert, assertEquals, assertRejects } from "@std/assert";
import { CallbackRegistry, RemoteCallError } from "../mod.ts";
import { MIN_MAX_FRAME_BYTES } from "../src/wire/limits.ts";
import { soon, until } from "./helpers/soon.ts";
import { TestNetwork } from "./helpers/test_network.ts";

/** Where the controller takes only the smallest frames, nothing that a node tells by itself is larger. */

const LARGE = "x".repeat(MIN_MAX_FRAME_BYTES + 1);

const failures: [what: string, thrown: unknown, message: string][] = [
  ["a large text", LARGE, "threw [not sent: xxx"],
  ["an error with a large message", new RangeError(LARGE), "threw RangeError: xxx"],
  [
    "an error with a large field",
    Object.assign(new Error("m"), { field: LARGE }),
    "threw Error: m",
  ],
  [
    "an error with many fields",
    Object.assign(new Error("m"), { ...Array(9).fill("é".repeat(9e3)) }),
    "threw Error: m",
  ],
  [
    "an error with a large name of a field",
    Object.assign(new Error("m"), { [LARGE]: 1 }),
    "threw Error: m",
  ],
];

for (const [what, thrown, message] of failures) {
  Deno.test(`${what} is thrown into a call and into streams where only small frames are taken`, async () => {
    await using net = await TestNetwork.start(() => {}, { maxFrameBytes: MIN_MAX_FRAME_BYTES });
    const waiting = Promise.withResolvers<string>();
    const a = await net.join("a", (callback) => {
      callback("wait", () => waiting.promise);
      callback("fail", () => Promise.reject(thrown));
      callback("items", async function* () {
        yield 1;
        throw thrown;
      });
      callback("take", async (items: AsyncIterable<number>) => {
        for await (const _ of items);
      });
    });
    const other = net.hub.call.wait().bg();
    const failing: (() => Promise<unknown>)[] = [
      () => net.hub.call.fail().fg(),
      async () => {
        for await (const _ of net.hub.call.items());
      },
      () =>
        net.hub.call.take((async function* () {
          yield 1;
          throw thrown;
        })()).fg(),
    ];
    for (const fail of failing) {
      const error = await assertRejects(() => soon(fail()), RemoteCallError);
      assert(error.message.includes(message), error.message.slice(0, 200));
    }
    waiting.resolve("still there");
    assertEquals(await soon(other.get()), "still there");
    assertEquals([a.stats.lostConnections, net.hub.stats.protocolErrors], [0, 0]);
  });
}

Deno.test("many names are offered and withdrawn where only small frames are taken", async () => {
  await using net = await TestNetwork.start(() => {}, { maxFrameBytes: MIN_MAX_FRAME_BYTES });
  const done = Promise.withResolvers<string>();
  const callbacks = new CallbackRegistry();
  const { callback } = callbacks;
  callback("slow", () => done.promise);
  const a = await net.join("a", () => {}, { callbacks });
  const names = Array.from({ length: 400 }, (_, i) => `${i}`.padEnd(250, "n"));
  class Many {}
  for (const name of names) Object.defineProperty(Many.prototype, name, { value() {} });
  callback(Many);
  await soon(net.hub.waitFunction(names.at(-1)!));
  const slow = net.hub.call.slow().bg();
  await until(() => a.stats.runningCalls === 1);
  const stopped = a.stop();
  await until(() =>
    !("a" in net.hub.registeredCallbacks) || net.hub.registeredCallbacks.a!.length === 0
  );
  done.resolve("answered");
  assertEquals(await soon(slow.get()), "answered");
  await soon(stopped);
  assertEquals(net.hub.stats.lostConnections, 0);
});
