import { assertEquals, assertRejects } from "@std/assert";
import { CallTimeoutError } from "../mod.ts";
import { nextTurn } from "../src/internal/next_turn.ts";
import { monotonicMs } from "../src/internal/monotonic.ts";
import { FakeTime } from "./helpers/fake_time.ts";
import { TestNetwork } from "./helpers/test_network.ts";

/** As a test of a user moves the time: timers and `Date`, and nothing else. */

Deno.test("monotonicMs() goes by the clock of a test, from where it stood", () => {
  const before = monotonicMs();
  {
    using time = new FakeTime();
    const start = monotonicMs();
    time.tick(5_000);
    assertEquals(monotonicMs() - start, 5_000);
    assertEquals(Math.abs(start - before) < 1_000, true);
  }
  assertEquals(Math.abs(monotonicMs() - before) < 1_000, true);
});

Deno.test("all that waits for an answer times out by the clock of a test", async () => {
  await using net = await TestNetwork.start(() => {}, { heartbeat: false });
  const hang = () => new Promise<void>(() => {});
  const a = await net.join("a", (callback) => {
    callback("hang", hang);
    callback("put", (_: number) => hang());
    callback("limited", hang, { timeout: "5s" });
  }, { heartbeat: false });
  using time = new FakeTime();
  const { call } = net.hub;
  const timeout = "5s";
  const waiting: (() => Promise<unknown>)[] = [
    () => call.hang().fg({ timeout }),
    () => call.hang().bg({ timeout }).get(),
    () => call.put([1]).stream({ timeout }),
    () => call.limited().fg(),
  ];
  const outcomes = waiting.map((wait) => assertRejects(wait, CallTimeoutError));
  const broadcast = assertRejects(
    () => call.hang().broadcast({ timeout, returnResult: true }),
    Error,
    "failed",
  );
  while (a.stats.runningCalls <= waiting.length) await nextTurn();
  await time.tickAsync(4_999);
  assertEquals(net.hub.stats.pendingCalls, waiting.length + 1);
  await time.tickAsync(1);
  time.restore();
  await Promise.all([...outcomes, broadcast]);
});
