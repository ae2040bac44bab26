import { assert, assertEquals, assertRejects } from "@std/assert";
import { CallTimeoutError, currentCall } from "../mod.ts";
import { soon, until } from "./helpers/soon.ts";
import { TestNetwork } from "./helpers/test_network.ts";

/** What callbacks do whose caller has given up. */

Deno.test("a call that a callback makes after its caller's time is over is not sent", async () => {
  const outcomes = new Map<string, CallTimeoutError>();
  let ran = 0;
  await using net = await TestNetwork.start();
  await net.join("inner", (callback) => {
    callback("inner", () => void ran++);
    callback("put", (_item: unknown) => void ran++);
  });
  await net.join("outer", (callback) => {
    callback("outer", async () => {
      const { g, signal } = currentCall()!;
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      const late: Record<string, () => PromiseLike<unknown>> = {
        fg: () => g.call.inner(),
        "with a time of its own": () => g.call.inner().fg({ timeout: "1h" }),
        bg: () => g.call.inner().bg().get(),
        broadcast: () => g.call.inner().broadcast({ returnResult: true }),
        "broadcast without result": () => g.call.inner().broadcast(),
        stream: () => g.call.put([1, 2]).stream(),
        period: () => g.call.inner().period({ interval: "1ms" }),
        iterated: async () => {
          for await (const _ of g.call.inner());
        },
      };
      for (const [name, call] of Object.entries(late)) {
        await assertRejects(async () => await call()).then((error) =>
          outcomes.set(name, error as CallTimeoutError)
        );
      }
    });
  });
  await assertRejects(() => soon(net.hub.call.outer().fg({ timeout: 500 })), CallTimeoutError);
  await until(() => outcomes.size === 8);
  for (const [name, error] of outcomes) {
    assertEquals([name, error.name, error.executed], [name, "CallTimeoutError", "never"]);
  }
  await net.hub.call.put(0); // what was sent before has arrived when this has
  assertEquals(ran, 1);
  assertEquals(await net.hub.getScheduledTasks("inner"), []);
});

Deno.test("what a callback throws when its caller has given up is counted and logged", async () => {
  await using net = await TestNetwork.start();
  const aborted = (): Promise<unknown> => {
    const { signal } = currentCall()!;
    return new Promise((resolve) =>
      signal.addEventListener("abort", () => resolve(signal.reason), { once: true })
    );
  };
  const a = await net.join("a", (callback) => {
    callback("late", async () => {
      await aborted();
      throw new RangeError("too late");
    });
    callback("heeds", async () => {
      throw await aborted();
    });
    callback("halts", async () => {
      await aborted();
      throw new DOMException("halted", "AbortError");
    });
    callback("cleans", function* () {
      try {
        for (;;) yield 1;
      } finally {
        // deno-lint-ignore no-unsafe-finally -- this is what is tested
        throw new RangeError("not clean");
      }
    });
  });
  const { call } = net.hub;
  for (const name of ["heeds", "halts", "late"]) {
    await assertRejects(() => soon(call[name]().fg({ timeout: 500 })), CallTimeoutError);
  }
  await until(() => a.stats.runningCalls === 0);
  assertEquals(a.stats.failedCalls, 1);
  const what = "a call failed that nobody waits for";
  assert(net.logger.has(`${what}: late, called by hub: RangeError: too late`));
  for await (const _ of call.cleans()) break;
  await until(() => a.stats.failedCalls === 2);
  assert(net.logger.has(`${what}: cleans, called by hub: RangeError: not clean`));
});

Deno.test("who listens for the abort of a callback's signal is part of the call", async () => {
  const seen: unknown[] = [];
  await using net = await TestNetwork.start();
  await net.join("a", (callback) => {
    callback("job", async (..._args: unknown[]) => {
      const { signal } = currentCall()!;
      await new Promise<void>((resolve) => {
        signal.onabort = () => seen.push(currentCall()?.caller);
        signal.addEventListener("abort", () => {
          seen.push(currentCall()?.callId);
          resolve();
        });
      });
      seen.push(currentCall()?.callbackName);
    });
  });
  const error = await assertRejects(
    () => soon(net.hub.call.job().fg({ timeout: 500 })),
    CallTimeoutError,
  );
  await until(() => seen.length === 3);
  assertEquals(seen, ["hub", error.callId, "job"]);
});

for (const transfer of ["sandbox", "inline"] as const) {
  Deno.test(`a sent function whose sender gives up has not failed (${transfer})`, async () => {
    await using net = await TestNetwork.start();
    const a = await net.join("a", () => {}, { transfer });
    const b = await net.join("b", () => {}, { defaultTimeout: 500 });
    await assertRejects(
      () => soon(b.transferAndCall("a", () => new Promise(() => {}))),
      CallTimeoutError,
    );
    await b.stop();
    await until(() => a.stats.runningCalls === 0);
    assertEquals([a.stats.failedCalls, net.logger.has("NotRun")], [0, false]);
  });
}
