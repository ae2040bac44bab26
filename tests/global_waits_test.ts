import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  CallbackRegistry,
  CallCancelledError,
  CallTimeoutError,
  type Global,
  InitializationError,
  type WaitOptions,
} from "../mod.ts";
import { RecordingLogger } from "./helpers/recording_logger.ts";
import { assertRejectsLater, soon, until } from "./helpers/soon.ts";
import { registry, TestNetwork } from "./helpers/test_network.ts";

Deno.test("what times out without a connection says that there was none", async () => {
  await using net = await TestNetwork.start();
  const a = await net.join("a", (callback) => callback("hang", () => new Promise(() => {})));
  const absent = () => a.waitProcess("nobody", { timeout: 20 });
  const error = await assertRejects(absent, CallTimeoutError);
  assertEquals(error.message, "process nobody was not there within 20 ms");
  const hanging = () => net.hub.call.hang().fg({ timeout: 20 });
  await assertRejects(hanging, CallTimeoutError, "was not answered within 20 ms");
  await net.hub.stop({ drainTimeout: 10 });
  const without = "within 20 ms: there is no connection to the controller";
  await assertRejects(absent, CallTimeoutError, `was not there ${without}`);
  await assertRejects(() => a.waitFunction("f", { timeout: 20 }), CallTimeoutError, without);
  const unsent = await assertRejects(
    () => a.call.f().fg({ timeout: 20 }),
    CallTimeoutError,
    `The call of f could not be sent ${without}`,
  );
  assertEquals(unsent.executed, "never");
});

Deno.test("waitProcess() and waitFunction() resolve when it comes true", async () => {
  await using net = await TestNetwork.start();
  const [process, callback] = [net.hub.waitProcess("a"), net.hub.waitFunction("f")];
  await net.join("a", (callback) => callback("f", () => 1));
  await soon(Promise.all([process, callback, net.hub.waitFunction("f")]));
});

Deno.test("waitFunction() and calls do not see the own callbacks", async () => {
  await using net = await TestNetwork.start((callback) => callback("f", () => "hub"));
  const error = await assertRejects(
    () => net.hub.waitFunction("f", { timeout: 20 }),
    CallTimeoutError,
  );
  assertEquals(error.code, "CALL_TIMEOUT");
  const a = await net.join("a", (callback) => callback("f", () => "a"));
  assertEquals([await net.hub.call.f(), await a.call.f()], ["a", "hub"]);
  assertEquals(net.hub.registeredCallbacks, { a: ["f"] });
});

Deno.test("waitProcess() gives up after its timeout, or when its signal aborts", async () => {
  await using net = await TestNetwork.start();
  const { hub } = net;
  await assertRejects(() => hub.waitProcess("a", { timeout: "20ms" }), CallTimeoutError, "a");
  const controller = new AbortController();
  const wait = hub.waitProcess("a", { signal: controller.signal, timeout: "1h" });
  const rejected = assertRejectsLater(() => soon(wait), CallCancelledError);
  controller.abort("enough");
  assertEquals((await rejected).cause, "enough");
  const { signal } = controller;
  await assertRejects(() => hub.waitFunction("f", { signal }), CallCancelledError);
  await assertRejects(() => hub.waitProcess("a", { timeout: -1 }), InitializationError);
  const options = { timout: 5 } as WaitOptions;
  await assertRejects(() => hub.waitProcess("a", options), InitializationError, "timeout?");
  const wrong = { signal: controller as unknown as AbortSignal };
  await assertRejects(() => hub.waitFunction("f", wrong), InitializationError, "signal of wait");
  await assertRejects(() => hub.call.g().bg().get(wrong), InitializationError, "signal of get()");
});

Deno.test("waitProcess() and waitFunction() refuse what is no name, and say what is", async () => {
  await using net = await TestNetwork.start();
  const { hub } = net;
  const names: unknown[] = ["", 5, Symbol("s"), Object.create(null), "x".repeat(257), "\ud800"];
  for (const name of names as string[]) {
    for (const wait of [() => hub.waitProcess(name), () => hub.waitFunction(name)]) {
      const { message } = await assertRejects(wait, InitializationError);
      assert(message.includes("must be a non-empty string of at most 256 bytes, but is "), message);
    }
  }
});

Deno.test("registeredCallbacks follows late registration and withdrawal", async () => {
  await using net = await TestNetwork.start();
  const callbacks = registry((callback) => callback("early", () => 1));
  const a = await net.join("a", () => {}, { callbacks });
  assertEquals(net.hub.registeredCallbacks, { a: ["early"] });
  const waiting = net.hub.waitFunction("late");
  callbacks.callback("late", () => 2);
  await soon(waiting);
  assertEquals(net.hub.registeredCallbacks, { a: ["early", "late"] });
  assertEquals(await net.hub.call.late(), 2);
  callbacks.callback.remove("early");
  await until(() => net.hub.registeredCallbacks.a!.length === 1);
  assertEquals(net.hub.registeredCallbacks, { a: ["late"] });
  assertEquals(a.registeredCallbacks, { hub: [] });
  await a.stop();
  await until(() => net.hub.registeredCallbacks.a === undefined);
});

Deno.test("Global offers what was registered before it was ready", async () => {
  await using net = await TestNetwork.start();
  const callbacks = registry((callback) => callback("removed", () => 0));
  const a = net.add("a", () => {}, { callbacks });
  callbacks.callback("f", () => 1);
  callbacks.callback.remove("removed");
  await a.ready;
  await soon(net.hub.waitFunction("f"));
  assertEquals(await net.hub.call.f(), 1);
  await until(() => net.hub.registeredCallbacks.a!.length === 1);
  assertEquals(net.hub.registeredCallbacks, { a: ["f"] });
});

/** A registry that gets and loses a callback as soon as somebody has asked for its names. */
class ChangingRegistry extends CallbackRegistry {
  override names(): string[] {
    const names = super.names();
    queueMicrotask(() => {
      this.callback.remove("removed");
      if (this.get("late") === undefined) this.callback("late", () => "late");
    });
    return names;
  }
}

Deno.test("Global offers what was registered while it was joining", async () => {
  await using net = await TestNetwork.start();
  const callbacks = new ChangingRegistry();
  callbacks.callback("removed", () => 0);
  await net.join("a", () => {}, { callbacks });
  await soon(net.hub.waitFunction("late"));
  assertEquals(await net.hub.call.late(), "late");
  await until(() => net.hub.registeredCallbacks.a!.length === 1);
});

Deno.test("several Globals can offer one registry", async () => {
  await using net = await TestNetwork.start();
  const callbacks = registry((callback) => callback("f", () => 1));
  await net.join("a", () => {}, { callbacks });
  await net.join("b", () => {}, { callbacks });
  assertEquals(net.hub.registeredCallbacks, { a: ["f"], b: ["f"] });
  callbacks.callback.remove("f");
  await until(() => Object.values(net.hub.registeredCallbacks).flat().length === 0);
});

class Heard {
  readonly lines: string[] = [];
  readonly hooks = Object.fromEntries(
    ["onInit", "onNodeConnect", "onNodeDisconnect", "onProcessJoin", "onProcessLeave"].map(
      (hook) => [hook, (g: Global, name: string) => {
        this.lines.push(`${hook} ${name}${g.processName === "watched" ? "" : " of a stranger"}`);
      }],
    ),
  );

  count(line: string): number {
    return this.lines.filter((heard) => heard === line).length;
  }
}

Deno.test("lifecycle functions hear of the own node and of other processes", async () => {
  await using net = await TestNetwork.start();
  const heard = new Heard();
  const g = await net.join("watched", () => {}, heard.hooks);
  await until(() => heard.lines.length === 3);
  assertEquals(heard.lines.toSorted(), [
    "onInit watched",
    "onNodeConnect watched",
    "onProcessJoin hub",
  ]);
  const a = await net.join("a");
  await until(() => heard.count("onProcessJoin a") === 1);
  await a.stop();
  await until(() => heard.count("onProcessLeave a") === 1);
  await g.stop();
  await until(() => heard.count("onNodeDisconnect watched") === 1);
  assertEquals(heard.count("onInit watched"), 1);
  assertEquals(heard.count("onNodeConnect watched"), 1);
});

Deno.test("a lifecycle function that fails is logged and stops nothing", async () => {
  await using net = await TestNetwork.start((callback) => callback("f", () => 1));
  const logger = new RecordingLogger();
  const a = await net.join("a", () => {}, {
    logger,
    onInit: () => {
      throw new Error("from onInit");
    },
    onNodeConnect: () => Promise.reject(new Error("from onNodeConnect")),
    onProcessJoin: () => {
      throw undefined;
    },
  });
  await until(() => logger.lines.length === 3);
  for (const text of ["onInit failed: Error: from onInit", "onNodeConnect failed"]) {
    assert(logger.has(text), logger.lines.join("\n"));
  }
  assertEquals(await a.call.f(), 1);
});
