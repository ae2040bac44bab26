import { assertEquals, assertRejects } from "@std/assert";
import { encode } from "@msgpack/msgpack";
import { CallCancelledError, ConnectionError, currentCall, Global } from "../mod.ts";
import { KIND, PREFACE } from "./e2e/raw_peer.ts";
import { RawController } from "./helpers/raw_controller.ts";
import { RecordingLogger } from "./helpers/recording_logger.ts";
import { assertRejectsLater, soon, until } from "./helpers/soon.ts";
import { registry, TestNetwork } from "./helpers/test_network.ts";

Deno.test("a node that leaves is not gone before the controller has decided about all that it sent", async () => {
  const SLOW_MS = 2_000; // longer than a node waits for a controller that has nothing to decide
  await using net = await TestNetwork.start((callback) => callback("note", () => {}), {
    authorize: (asked) =>
      asked.action !== "call" || asked.caller !== "leaver" ||
      new Promise((resolve) => setTimeout(() => resolve(true), SLOW_MS)),
  });
  const called = Promise.withResolvers<void>();
  const leaver = await net.join("leaver", (callback) => {
    callback("work", async () => {
      await currentCall()!.g.call.note().noReturn();
      called.resolve();
      return "done";
    });
  });
  await leaver.waitFunction("note");
  const answer = net.hub.call.work().fg({ timeout: "20s" });
  answer.catch(() => {});
  await called.promise;
  await leaver.stop();
  for (const name of ["b", "c"]) await net.join(name); // which those who are still there are told of
  assertEquals(await soon(answer), "done");
});

/** Runs `work`, which calls somebody when it is let go, on a node whose controller is lost then; or when it is stopped. */
async function callsLate(start: (work: Global["call"][string]) => PromiseLike<unknown>) {
  const net = await TestNetwork.start();
  const release = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<void>();
  const outcome = Promise.withResolvers<Error>();
  const a = await net.join("a", (callback) => {
    callback("work", async () => {
      const { g } = currentCall()!;
      await release.promise;
      outcome.resolve(await assertRejects(() => g.call.anybody().fg(), Error));
    });
  }, { onNodeDisconnect: () => lost.resolve() });
  await start(net.hub.call.work!);
  await until(() => a.stats.runningCalls === 1);
  return {
    stop: () => a.stop({ drainTimeout: "20s" }),
    loseController: async () => {
      await net.hub.stop();
      await lost.promise;
    },
    outcome: () => {
      release.resolve();
      return soon(outcome.promise);
    },
    [Symbol.asyncDispose]: () => net[Symbol.asyncDispose](),
  };
}

Deno.test("what a callback calls when its node stops and the controller is lost fails", async () => {
  await using late = await callsLate((work) => work().noReturn());
  const stopped = late.stop();
  await late.loseController();
  const error = await late.outcome();
  assertEquals([error.name, error instanceof ConnectionError], ["ConnectionError", true]);
  await soon(stopped);
});

Deno.test("what a task calls when its node stops and the controller is away fails", async () => {
  await using late = await callsLate((work) => work().period({ interval: 10 }));
  await late.loseController();
  const stopped = late.stop();
  await late.outcome();
  await soon(stopped);
});

Deno.test("stop() in a callback gives up the calls that wait for the callback's own turns", async () => {
  await using net = await TestNetwork.start();
  const called = Promise.withResolvers<void>();
  const a = await net.join("a", (callback) => {
    callback("quit", async (first: boolean) => {
      if (first) {
        await called.promise;
        await currentCall()!.g.stop({ drainTimeout: "20s" });
      }
      return first;
    }, { concurrency: 1 });
  });
  const quits = net.hub.call.quit(true).fg();
  await until(() => a.stats.runningCalls === 1);
  const waits = net.hub.call.quit(false).fg();
  const refused = assertRejectsLater(() => soon(waits), CallCancelledError, "is stopping");
  await until(() => a.stats.runningCalls === 2);
  called.resolve();
  assertEquals(await soon(quits), true);
  assertEquals((await refused).executed, "never");
});

Deno.test("a node that stops while it joins closes its connection, whatever the controller does", async () => {
  await using controller = new RawController();
  const g = new Global({
    processName: "a",
    ...controller.address,
    callbacks: registry(() => {}),
    logger: new RecordingLogger(),
  });
  g.ready.catch(() => {});
  using peer = await controller.accept();
  await peer.write(PREFACE);
  await peer.read(); // HELLO
  const stopped = g.stop();
  const payload = encode({
    id: 1,
    controller: "c",
    maxFrameBytes: 1 << 20,
    processes: [[1, "a", []]],
  });
  await peer.send(KIND.WELCOME, { payload });
  await soon(stopped);
  assertEquals((await soon(peer.read()))?.kind, KIND.LEAVE);
  assertEquals(await soon(peer.read()), null);
});

Deno.test("a node that leaves, and its controller, have lost no connection", async () => {
  await using net = await TestNetwork.start();
  const a = await net.join("a");
  await a.stop();
  assertEquals([a.stats.lostConnections, net.hub.stats.lostConnections], [0, 0]);
});
