import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  CallbackRegistry,
  ConnectionError,
  currentCall,
  Global,
  GlobalContextError,
} from "../mod.ts";
import { RecordingLogger } from "./helpers/recording_logger.ts";
import { soon, until } from "./helpers/soon.ts";
import { TestNetwork } from "./helpers/test_network.ts";

Deno.test("a stopped Global can do nothing in a callback of another one", async () => {
  await using net = await TestNetwork.start();
  const stopped = await net.join("stopped");
  await stopped.stop();
  const errors: unknown[] = [];
  await net.join("a", (callback) => {
    callback("probe", async () => {
      const uses = [
        () => stopped.call.f().fg({ timeout: "1s" }),
        () => stopped.waitFunction("f", { timeout: "1s" }),
        () => stopped.waitProcess("nobody", { timeout: "1s" }),
        async () => await Promise.resolve(stopped.registeredCallbacks),
      ];
      for (const use of uses) errors.push(await assertRejects(use));
    });
  });
  await soon(net.hub.call.probe());
  assertEquals(errors.map((error) => (error as Error).name), Array(4).fill("GlobalContextError"));
});

Deno.test("a callback that outlives its Global waits for nobody any more", async () => {
  await using net = await TestNetwork.start();
  const stopped = Promise.withResolvers<void>();
  const outcome = Promise.withResolvers<unknown>();
  const a = await net.join("a", (callback) => {
    callback("stay", async () => {
      const { g } = currentCall()!;
      await stopped.promise;
      outcome.resolve(await assertRejects(() => soon(g.waitProcess("nobody"))));
    });
  });
  await net.hub.call.stay().noReturn();
  await until(() => a.stats.runningCalls === 1);
  await a.stop({ drainTimeout: 20 });
  stopped.resolve();
  assert((await soon(outcome.promise)) instanceof GlobalContextError);
});

Deno.test("a call that a callback holds back while its Global stops fails at once", async () => {
  await using net = await TestNetwork.start();
  const started = Promise.withResolvers<void>();
  const stopping = Promise.withResolvers<void>();
  const outcome = Promise.withResolvers<unknown>();
  const a = await net.join("a", (callback) => {
    callback("last", async () => {
      const { g } = currentCall()!;
      started.resolve();
      await stopping.promise;
      const held = g.call.f().bg({ eta: "1h" });
      outcome.resolve(await assertRejects(() => soon(held.get()), GlobalContextError));
    });
  });
  const call = net.hub.call.last().bg();
  await soon(started.promise);
  const stopped = a.stop();
  stopping.resolve();
  assertEquals((await soon(outcome.promise) as GlobalContextError).executed, "never");
  await Promise.all([call.get(), stopped]);
});

Deno.test("a call that is held back fails by what the start has failed by", async () => {
  await using g = new Global({
    processName: "alone",
    host: "localhost",
    port: 1,
    reconnect: false,
    callbacks: new CallbackRegistry(),
    logger: new RecordingLogger(),
  });
  const calls = [g.call.f().bg({ eta: "1h" }), g.call.f().bg()];
  await assertRejects(() => g.ready, ConnectionError);
  for (const call of calls) {
    const error = await assertRejects(() => soon(call.get(), 1000), ConnectionError);
    assertEquals(error.executed, "never");
  }
});

Deno.test("a call without answer that is held back is logged by its name when it is dropped", async () => {
  await using net = await TestNetwork.start();
  const b = await net.join("b");
  const call = b.call.tick().noReturn({ eta: "1h" });
  await b.stop();
  await soon(call);
  assert(net.logger.has("a call without answer was dropped: tick: "));
});
