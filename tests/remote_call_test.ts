import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import {
  BG,
  BROADCAST,
  FG,
  InitializationError,
  NO_RETURN,
  PERIOD,
  type PeriodOptions,
  STREAM,
} from "../mod.ts";
import type { CallRequest } from "../src/internal/call_request.ts";
import { type CallPort, remoteCallbacks, type TaskPort } from "../src/remote_call.ts";
import type { ScheduledTask } from "../src/scheduled_task.ts";

type Build = (...args: unknown[]) => {
  // deno-lint-ignore no-explicit-any -- what comes depends on the modifier
  [method: string]: (...args: unknown[]) => any;
};

class Port implements CallPort, TaskPort {
  readonly made: string[] = [];
  readonly requests: CallRequest[] = [];
  delays = 0;

  #note<T>(kind: string, request: CallRequest, result: T): Promise<T> {
    this.made.push(kind);
    this.requests.push(request);
    return Promise.resolve(result);
  }

  call(request: CallRequest, eager = false): Promise<unknown> {
    return this.#note(eager ? "eager call" : "call", request, request.args);
  }

  noReturn(request: CallRequest): Promise<void> {
    return this.#note("noReturn", request, undefined);
  }

  broadcast(request: CallRequest, returnResult = false): Promise<Record<string, unknown> | void> {
    return returnResult
      ? this.#note("broadcast", request, {})
      : this.#note("broadcastNoReturn", request, undefined);
  }

  stream(request: CallRequest): Promise<void> {
    return this.#note("stream", request, undefined);
  }

  delay(): Promise<void> {
    this.delays++;
    return Promise.resolve();
  }

  readonly plans: PeriodOptions[] = [];

  schedule(request: CallRequest, options: PeriodOptions): Promise<ScheduledTask> {
    this.plans.push(options);
    return this.#note("schedule", request, {} as ScheduledTask);
  }

  readonly callbacks = remoteCallbacks(this, this) as Record<string, Build>;
}

Deno.test("remoteCallbacks() sends nothing until it is asked to", async () => {
  const port = new Port();
  const call = port.callbacks.f!(1);
  await Promise.resolve();
  assertEquals(port.made, []);
  assertEquals(await (call as unknown as PromiseLike<unknown>), [1]);
  assertEquals(port.made, ["call"]);
});

Deno.test("remoteCallbacks() does the same by method and by value", async () => {
  const pairs: [string, unknown][] = [
    ["fg", FG],
    ["bg", BG],
    ["noReturn", NO_RETURN],
    ["broadcast", BROADCAST],
    ["stream", STREAM],
  ];
  for (const [method, modifier] of pairs) {
    const port = new Port();
    const call = port.callbacks.f!([1]);
    const results = [call[method]!(), call.exec!(modifier)];
    for (const result of results) await (result.get?.() ?? result);
    assertEquals(port.made.length, 2);
    assertEquals(port.made[0], port.made[1]);
    const [one, two] = port.requests.map(({ args: _args, signal: _signal, ...rest }) => rest);
    assertEquals(one, two);
  }
});

Deno.test("remoteCallbacks() passes the options on, given either way", async () => {
  const port = new Port();
  const call = port.callbacks.f!(1);
  await call.fg!({ timeout: "15s", to: "a" });
  await call.exec!(FG({ timeout: "15s", to: "a" }));
  for (const { callbackName, timeoutMs, to, strategy } of port.requests) {
    assertEquals([callbackName, timeoutMs, to, strategy], ["f", 15_000, "a", "random"]);
  }
  await call.broadcast!({ returnResult: true });
  await call.exec!(BROADCAST({ returnResult: true }));
  assertEquals(port.made, ["call", "call", "broadcast", "broadcast"]);
});

Deno.test("remoteCallbacks() schedules a task by PERIOD, and refuses options that it does not know", async () => {
  const port = new Port();
  const call = port.callbacks.f!(1);
  await call.period!({ interval: "5s", to: "a" });
  await call.exec!(PERIOD({ interval: "5s", to: "a" }));
  assertEquals(port.made, ["schedule", "schedule"]);
  assertEquals(port.requests[0]!.to, "a");
  assertEquals(port.plans[0], port.plans[1]);
  await assertRejects(() => call.period!({ every: 5 }), InitializationError);
  assertEquals(port.made.length, 2);
});

Deno.test("remoteCallbacks() keeps a stored callback's name", async () => {
  const port = new Port();
  const { f, h } = port.callbacks;
  await f!(1);
  await h!(2);
  await f!(3);
  assertEquals(port.requests.map(({ callbackName }) => callbackName), ["f", "h", "f"]);
  assertStrictEquals(port.callbacks.f, f);
});

Deno.test("a RemoteCall says what it is where its await was forgotten", () => {
  const call = new Port().callbacks.f!(1);
  const said = "RemoteCall f(…), not made: await it or give it an execution modifier";
  assertEquals([`${call}`, Deno.inspect(call)], [said, said]);
});

Deno.test("a RemoteCall streams the items of another call", async () => {
  const port = new Port();
  await port.callbacks.take!(port.callbacks.gen!(5)).stream!();
  const [items] = port.requests[0]!.args as [AsyncIterable<number>];
  assertEquals(port.made, ["stream"]);
  assertEquals(await Array.fromAsync(items), [5]); // what the port gives for it
  assertEquals(port.made, ["stream", "eager call"]);
});

Deno.test("a RemoteCall streams nothing but its one argument", async () => {
  const port = new Port();
  for (const args of [[], [[1], 2], [undefined], ["text"], [{}]]) {
    const error = await assertRejects(() => port.callbacks.f!(...args).stream!());
    assertInstanceOf(error, InitializationError);
    assertEquals([error.callbackName, error.executed], ["f", "never"]);
  }
  assertEquals(port.made, []);
});

Deno.test("calls that are arguments of a RemoteCall have its timeout and its signal", async () => {
  const port = new Port();
  const { signal } = new AbortController();
  await port.callbacks.f!(port.callbacks.h!()).fg!({ timeout: "5s", signal });
  assertEquals(port.requests.map((request) => request.callbackName), ["h", "f"]);
  for (const request of port.requests) {
    assertEquals(request.timeoutMs, 5_000);
    assertStrictEquals(request.signal, signal);
  }
});

Deno.test("remoteCallbacks() is no promise, has no symbols and takes no properties", () => {
  const { callbacks } = new Port();
  assertEquals(callbacks.then, undefined);
  assertEquals((callbacks as Record<symbol, unknown>)[Symbol.iterator], undefined);
  assertEquals(`${Object.prototype.toString.call(callbacks)}`, "[object Object]");
  assertThrows(() => callbacks.f = () => ({}), InitializationError, "callback()");
});

Deno.test("a RemoteCall rejects bad options, or throws them where it gives no promise", async () => {
  const port = new Port();
  const call = port.callbacks.f!([1]);
  for (const method of ["fg", "broadcast", "stream"]) {
    await assertRejects(() => call[method]!({ timeout: -1 }), InitializationError, "timeout");
  }
  for (const method of ["bg", "noReturn"]) {
    assertThrows(() => call[method]!({ eta: -1 }), InitializationError, "eta");
  }
  assertEquals(port.made, []);
});

Deno.test("exec() refuses what is no modifier", () => {
  const { callbacks } = new Port();
  for (const modifier of [{}, { kind: "fast", options: {} }, () => {}, "fg", null, undefined]) {
    assertThrows(() => callbacks.f!().exec!(modifier), InitializationError, "modifier");
  }
});

Deno.test("a RemoteCall is delayed by its eta only", async () => {
  const port = new Port();
  const call = port.callbacks.f!(1);
  await call.bg!({ eta: 5 }).get();
  await call.broadcast!({ eta: 5, returnResult: true });
  assertEquals(port.delays >= 1, true);
  const { delays } = port;
  await call.bg!().get();
  await call.fg!();
  assertEquals(port.delays, delays);
});

Deno.test("modifiers are values with and without options, and cannot be changed", () => {
  for (const modifier of [FG, BG, NO_RETURN, BROADCAST, STREAM]) {
    assertEquals(modifier.options, {});
    assert(Object.isFrozen(modifier));
  }
  const options = { timeout: "15s" };
  assertStrictEquals(FG(options).options, options);
  assertEquals(FG(options).kind, "fg");
  assertEquals(FG.options, {});
});

Deno.test("g.call keeps some of the names that it was asked for, not all", async () => {
  const port = new Port();
  const call = remoteCallbacks(port, port) as Record<string, Build>;
  for (let n = 0; n < 3000; n++) call[`name${n}`]!();
  assertStrictEquals(call.name0, call.name0);
  assertEquals(Object.getOwnPropertyNames(call).length, 1000);
  await call.name2999!(5).fg!();
  assertEquals(port.requests.map(({ callbackName, args }) => [callbackName, args]), [[
    "name2999",
    [5],
  ]]);
});
