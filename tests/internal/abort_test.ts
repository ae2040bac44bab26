import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { waitFor, type WaitForOptions } from "../../src/internal/abort.ts";
import { FakeTime } from "../helpers/fake_time.ts";

class TooSlow extends Error {}
class GivenUp extends Error {}

function limits(options: Pick<WaitForOptions, "timeoutMs" | "signal"> = {}): WaitForOptions {
  return {
    ...options,
    onTimeout: () => new TooSlow(),
    onAbort: (reason) => new GivenUp("given up", { cause: reason }),
  };
}

/** An abort signal that counts its listeners. */
class CountingController extends AbortController {
  listeners = 0;

  constructor() {
    super();
    const { signal } = this;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (type: string, listener: EventListener, options?: unknown) => {
      this.listeners++;
      add(type, listener, options as AddEventListenerOptions);
    };
    signal.removeEventListener = (type: string, listener: EventListener) => {
      this.listeners--;
      remove(type, listener);
    };
  }
}

Deno.test("waitFor() passes on the value and leaves no timer and no listener", async () => {
  using time = new FakeTime();
  const controller = new CountingController();
  const { promise, resolve } = Promise.withResolvers<number>();
  const wait = waitFor(promise, limits({ timeoutMs: 1000, signal: controller.signal }));
  assertEquals([time.pending, controller.listeners], [1, 1]);
  resolve(5);
  assertEquals(await wait, 5);
  assertEquals([time.pending, controller.listeners], [0, 0]);
});

Deno.test("waitFor() passes on the rejection and leaves no timer and no listener", async () => {
  using time = new FakeTime();
  const controller = new CountingController();
  const reason = new RangeError("own");
  const wait = waitFor(
    Promise.reject(reason),
    limits({ timeoutMs: 1000, signal: controller.signal }),
  );
  assertStrictEquals(await assertRejects(() => wait), reason);
  assertEquals([time.pending, controller.listeners], [0, 0]);
});

Deno.test("waitFor() rejects with onTimeout() when the time is over, and not before", async () => {
  using time = new FakeTime();
  const controller = new CountingController();
  const { promise } = Promise.withResolvers<number>();
  let rejected = false;
  const wait = waitFor(promise, limits({ timeoutMs: 1000, signal: controller.signal }));
  wait.catch(() => rejected = true);
  await time.tickAsync(999);
  assertEquals(rejected, false);
  await time.tickAsync(1);
  await assertRejects(() => wait, TooSlow);
  assertEquals([time.pending, controller.listeners], [0, 0]);
});

Deno.test("waitFor() rejects with onAbort() of the reason when the signal is aborted", async () => {
  using time = new FakeTime();
  const controller = new CountingController();
  const { promise } = Promise.withResolvers<number>();
  const wait = waitFor(promise, limits({ timeoutMs: 1000, signal: controller.signal }));
  controller.abort("enough");
  const error = await assertRejects(() => wait, GivenUp);
  assertEquals(error.cause, "enough");
  assertEquals([time.pending, controller.listeners], [0, 0]);
});

Deno.test("waitFor() rejects when the signal was aborted before, settled promise or not", async () => {
  using time = new FakeTime();
  const signal = AbortSignal.abort("before");
  for (const promise of [Promise.resolve(1), new Promise<number>(() => {})]) {
    const error = await assertRejects(
      () => waitFor(promise, limits({ timeoutMs: 1000, signal })),
      GivenUp,
    );
    assertEquals(error.cause, "before");
    assertEquals(time.pending, 0);
  }
});

Deno.test("waitFor() sets no timer when no timeout is given", async () => {
  using time = new FakeTime();
  const { promise, resolve } = Promise.withResolvers<number>();
  const waits = [
    waitFor(promise, limits()),
    waitFor(promise, limits({ timeoutMs: undefined })),
    waitFor(promise, limits({ timeoutMs: Infinity })),
  ];
  assertEquals(time.pending, 0);
  resolve(5);
  assertEquals(await Promise.all(waits), [5, 5, 5]);
});

// A rejection that nobody handles fails the run of the whole file.
Deno.test("waitFor() leaves no unhandled rejection when the promise rejects too late", async () => {
  using time = new FakeTime();
  const slow = Promise.withResolvers<number>();
  const slowWait = waitFor(slow.promise, limits({ timeoutMs: 10 }));
  time.tick(10);
  await assertRejects(() => slowWait, TooSlow);
  const aborted = Promise.withResolvers<number>();
  const signal = AbortSignal.abort();
  await assertRejects(() => waitFor(aborted.promise, limits({ signal })), GivenUp);
  slow.reject(new Error("late"));
  aborted.reject(new Error("late"));
  await time.runMicrotasks();
});
