import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { AsyncResult, CallCancelledError, CallTimeoutError, InitializationError } from "../mod.ts";
import { FakeTime } from "./helpers/fake_time.ts";
import { settled } from "./helpers/soon.ts";

function made<T>() {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  let cancelled = 0;
  const result = new AsyncResult("f", promise, () => void cancelled++);
  return { result, resolve, reject, cancelled: () => cancelled };
}

Deno.test("get() gives the same value each time, with and without a timeout", async () => {
  const { result, resolve } = made<object>();
  const early = result.get();
  const value = {};
  resolve(value);
  for (const get of [early, result.get(), result.get({ timeout: "1s" })]) {
    assertStrictEquals(await get, value);
  }
});

// A rejection that nobody handles fails the run of the whole file.
Deno.test("get() throws the same error each time, which is unhandled at no time", async () => {
  const { result, reject } = made();
  const error = new Error("broke");
  reject(error);
  await settled();
  assertEquals(result.done, true);
  for (let i = 0; i < 2; i++) assertStrictEquals(await assertRejects(() => result.get()), error);
  assertStrictEquals(await assertRejects(() => result.get({ timeout: 5 })), error);
});

Deno.test("get() gives up after its timeout and leaves the call alone", async () => {
  using time = new FakeTime();
  const { result, resolve, cancelled } = made<number>();
  const get = assertRejects(() => result.get({ timeout: "2s" }), CallTimeoutError, "2000 ms");
  await time.tickAsync(2000);
  const { callbackName, executed } = await get;
  assertEquals([callbackName, executed, result.done, cancelled()], ["f", "maybe", false, 0]);
  resolve(5);
  assertEquals(await result.get(), 5);
  assertEquals(time.pending, 0);
});

Deno.test("get() gives up when its signal aborts and leaves the call alone", async () => {
  const { result, cancelled } = made<number>();
  const controller = new AbortController();
  const get = assertRejects(
    () => result.get({ signal: controller.signal }),
    CallCancelledError,
  );
  controller.abort("enough");
  const { cause, callbackName, executed } = await get;
  assertEquals([cause, callbackName, executed, cancelled()], ["enough", "f", "maybe", 0]);
});

Deno.test("get() refuses a timeout that is none", async () => {
  const { result } = made();
  for (const timeout of [0, -1, "soon"]) {
    await assertRejects(() => result.get({ timeout }), InitializationError, "timeout");
  }
});

Deno.test("done tells that the outcome is there, cancel() cancels, uuid is unique", async () => {
  const [one, two] = [made<number>(), made<number>()];
  assertEquals(one.result.done, false);
  one.resolve(1);
  await settled();
  assertEquals([one.result.done, two.result.done], [true, false]);
  two.result.cancel();
  assertEquals([one.cancelled(), two.cancelled()], [0, 1]);
  assert(one.result.uuid !== two.result.uuid);
  assertEquals(one.result.uuid, one.result.uuid);
});

Deno.test("get() refuses an option that it does not know", async () => {
  const { result } = made();
  const options: object = { tmeout: 5 };
  await assertRejects(() => result.get(options), InitializationError, "did you mean timeout?");
});
