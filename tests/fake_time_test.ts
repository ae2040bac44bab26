import { assert, assertEquals, assertRejects } from "@std/assert";
import { CallTimeoutError } from "../mod.ts";
import { nextTurn } from "../src/internal/next_turn.ts";
import { monotonicMs } from "../src/internal/monotonic.ts";
import { FakeTime } from "./helpers/fake_time.ts";
import { soon } from "./helpers/soon.ts";
import { TestNetwork } from "./helpers/test_network.ts";

const RealDate = Date;

/** As a test of a user moves the time: timers and `Date`, and nothing else. */

Deno.test("monotonicMs() goes by the clock of a test, from where it stood", () => {
  const before = monotonicMs();
  {
    using time = new FakeTime();
    const start = monotonicMs();
    time.tick(5_000_000);
    const passed = monotonicMs() - start; // the real one has gone on meanwhile
    assert(passed <= 5_000_000 && passed > 4_000_000, `${passed}`);
    assert(start - before < 1_000_000);
  }
  assert(monotonicMs() - before < 1_000_000);
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

Deno.test("calls time out where a test has stopped the clock, but not the timers", async () => {
  await using net = await TestNetwork.start(() => {}, { heartbeat: false });
  await net.join("a", (callback) => callback("hang", () => new Promise(() => {})), {
    heartbeat: false,
  });
  const { now } = Date;
  const stopped = now();
  try {
    Date.now = () => stopped;
    await assertRejects(() => soon(net.hub.call.hang().fg({ timeout: 20 })), CallTimeoutError);
    globalThis.Date = class extends Date {} as DateConstructor;
    await assertRejects(() => soon(net.hub.call.hang().fg({ timeout: 20 })), CallTimeoutError);
  } finally {
    globalThis.Date = RealDate;
    Date.now = now;
  }
});
