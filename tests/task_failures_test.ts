import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { z } from "zod";
import {
  CallTimeoutError,
  currentCall,
  Global,
  type GlobalOptions,
  InitializationError,
  type TaskFailureInfo,
} from "../mod.ts";
import { MemoryTaskStore } from "../src/scheduler/task_store.ts";
import { uuid } from "./scheduler/rig.ts";
import type { Place } from "./e2e/network.ts";
import { RawPeer } from "./e2e/raw_peer.ts";
import { settled, until } from "./helpers/soon.ts";
import { type Offer, registry, TestNetwork } from "./helpers/test_network.ts";
import { withPath } from "./helpers/with_path.ts";

/** A network with an owner that keeps what it hears of failures. */
async function withOwner(
  offer: Offer,
  fn: (network: TestNetwork, owner: Global, heard: TaskFailureInfo[]) => Promise<void>,
  options: GlobalOptions = {},
): Promise<void> {
  await using network = await TestNetwork.start(offer, options);
  const heard: TaskFailureInfo[] = [];
  const owner = await network.join("owner", () => {}, {
    onTaskFailure: (g, failure) => {
      assertEquals(g.processName, "owner");
      heard.push(failure);
    },
  });
  await fn(network, owner, heard);
}

Deno.test("the owner hears of a run that failed, and the task goes on", async () => {
  let runs = 0;
  await withOwner((callback) =>
    callback("fail", () => {
      throw new RangeError(`run ${++runs}`);
    }), async (network, owner, heard) => {
    const { uuid } = await owner.call.fail().period({ interval: 20 });
    await until(() => heard.length >= 2);
    const failure = { uuid, processName: "hub", callbackName: "fail" };
    assertEquals(heard.slice(0, 2), [
      { ...failure, message: "RangeError: run 1" },
      { ...failure, message: "RangeError: run 2" },
    ]);
    assert(network.logger.has(`a task has failed: ${uuid} of callback fail: RangeError: run 1`));
    const [info] = await owner.describeScheduledTasks("hub");
    assert(info!.runs >= 2);
    assert(info!.lastError!.startsWith("RangeError: run"));
  });
});

Deno.test("failures of many tasks and callbacks are of one kind each, so that other lines are told", async () => {
  const most = 100; // of one kind
  const names = Array.from({ length: most + 20 }, (_, i) => "x".repeat(i + 1));
  const offer: Offer = (callback) => {
    for (const name of names) {
      callback(name, () => {
        throw new Error("on purpose");
      });
    }
  };
  await withOwner(offer, async (network, owner, heard) => {
    for (const name of names) {
      await owner.call[name]!().period({ interval: 1, maxRuns: 1 });
      await owner.call[name]!().noReturn();
    }
    await until(() => heard.length === names.length, 10_000);
    await until(() => network.hub.stats.failedCalls === names.length, 10_000);
    for (const kind of ["a task has failed", "a call failed that nobody waits for"]) {
      assertEquals(network.logger.lines.filter((line) => line.includes(kind)).length, most);
    }
  });
});

Deno.test("an owner that comes back under its name hears of failures again", async () => {
  let fails = false;
  await withOwner((callback) =>
    callback("maybe", () => {
      if (fails) throw new Error("now");
    }), async (network, owner) => {
    await owner.call.maybe().period({ interval: 20 });
    await owner.stop();
    fails = true;
    await until(() => network.logger.has("Error: now"));
    const heard: TaskFailureInfo[] = [];
    await network.join("owner", () => {}, {
      onTaskFailure: (_, failure) => void heard.push(failure),
    });
    await until(() => heard.length > 0);
    assertEquals(heard[0]!.message, "Error: now");
  });
});

Deno.test("nobody but the owner hears of a failure", async () => {
  await withOwner((callback) =>
    callback("fail", () => {
      throw new Error("no");
    }), async (network, owner, heard) => {
    const others: TaskFailureInfo[] = [];
    const other = await network.join("other", () => {}, {
      onTaskFailure: (_, failure) => void others.push(failure),
    });
    await owner.call.fail().period({ interval: 20, maxRuns: 2 });
    await until(() => heard.length === 2);
    await other.getScheduledTasks("hub"); // what was on its way to it has arrived by now
    assertEquals(others, []);
  });
});

Deno.test("an onTaskFailure that throws is logged and disturbs nothing", async () => {
  await using network = await TestNetwork.start((callback) =>
    callback("fail", () => {
      throw new Error("no");
    })
  );
  let heard = 0;
  const owner = await network.join("owner", () => {}, {
    onTaskFailure: () => {
      heard++;
      throw new Error("hook broke");
    },
  });
  await owner.call.fail().period({ interval: 20 });
  await until(() => heard >= 2);
  assert(network.logger.has("hook broke"));
});

Deno.test("pauseAfterFailures pauses the task", async () => {
  let runs = 0;
  await withOwner((callback) =>
    callback("fail", () => {
      runs++;
      throw new Error("no");
    }), async (_, owner, heard) => {
    await owner.call.fail().period({ interval: 10, pauseAfterFailures: 3 });
    await until(() => heard.length === 3);
    const [info] = await owner.describeScheduledTasks("hub");
    assertEquals([info!.status, info!.runs, runs], ["paused", 3, 3]);
  });
});

Deno.test("a failure with a text larger than a frame breaks no connection", async () => {
  await withOwner(
    (callback) =>
      callback("fail", () => {
        throw new Error("x".repeat(1_000_000));
      }),
    async (network, owner, heard) => {
      await owner.call.fail().period({ interval: 10 });
      await until(() => heard.length >= 2);
      assert(heard[0]!.message.startsWith("Error: xxx"));
      assertEquals(network.logger.has("was lost"), false);
      assertEquals((await owner.getScheduledTasks("hub")).length, 1);
    },
    { maxFrameBytes: 65_536 },
  );
});

Deno.test("what a callback's options say holds for tasks: schema, timeout, concurrency", async () => {
  let most = 0;
  let running = 0;
  await withOwner((callback) => {
    callback("checked", (n: number) => n, { input: z.number() });
    callback(
      "slow",
      () =>
        new Promise((_, reject) =>
          currentCall()!.signal.addEventListener("abort", () => reject(new Error("aborted")))
        ),
      { timeout: 30 },
    );
    callback("single", async () => {
      most = Math.max(most, ++running);
      await settled();
      running--;
    }, { concurrency: 1 });
  }, async (_, owner, heard) => {
    await owner.call.checked("no number").period({ interval: 10, maxRuns: 1 });
    await until(() => heard.length === 1);
    assert(heard[0]!.message.startsWith("ValidationError"), heard[0]!.message);
    await owner.call.slow().period({ interval: 10, maxRuns: 1 });
    await until(() => heard.length === 2);
    assert(heard[1]!.message.includes("limit of 30 ms"), heard[1]!.message);
    const options = { interval: 5, overlap: "allow", maxRuns: 20 } as const;
    await Promise.all([1, 2, 3].map(() => owner.call.single().period(options)));
    await until(() => most > 0);
    while ((await owner.getScheduledTasks("hub")).length > 0) await settled();
    assertEquals(most, 1);
  });
});

Deno.test("generators and methods of classes can be tasks", async () => {
  const items: number[] = [];
  let calls = 0;
  class Group {
    method() {
      calls++;
    }
  }
  await withOwner((callback) => {
    callback("count", function* (last: number) {
      for (let n = 1; n <= last; n++) {
        items.push(n);
        yield n;
      }
    });
    new (callback(Group))();
  }, async (_, owner) => {
    await owner.call.count(3).period({ interval: 10, maxRuns: 1 });
    await owner.call.method().period({ interval: 10, maxRuns: 1 });
    await until(() => items.length === 3 && calls === 1);
    assertEquals(items, [1, 2, 3]);
  });
});

Deno.test("a task can call on, in the name of its own process", async () => {
  const callers: string[] = [];
  await using network = await TestNetwork.start((callback) =>
    callback("note", () => void callers.push(currentCall()!.caller))
  );
  await network.join("runner", (callback) =>
    callback("relay", async () => {
      await currentCall()!.g.call.note();
    }));
  const owner = await network.join("owner");
  await owner.call.relay().period({ interval: 10 });
  await until(() => callers.length >= 2);
  assertEquals(callers[0], "runner");
});

Deno.test("a task can cancel itself", async () => {
  let runs = 0;
  await withOwner((callback) =>
    callback("once", async () => {
      runs++;
      const { g } = currentCall()!;
      for (const task of await g.getScheduledTasks(g.processName)) {
        await g.cancelScheduledTaskByUuid(g.processName, task);
      }
    }), async (_, owner) => {
    await owner.call.once().period({ interval: 10 });
    await until(() => runs > 0);
    while ((await owner.getScheduledTasks("hub")).length > 0) await settled();
    assertEquals(runs, 1);
  });
});

Deno.test("a task waits while its callback is withdrawn, and goes on once it is back", async () => {
  await using network = await TestNetwork.start();
  let runs = 0;
  let ticks = 0;
  const callbacks = registry((callback) => {
    callback("f", () => runs++);
    callback("tick", () => ticks++);
  });
  await network.join("runner", () => {}, { callbacks });
  const owner = await network.join("owner");
  await owner.call.f().period({ interval: 20, uuid: uuid(1) });
  await owner.call.tick().period({ interval: 20 });
  const info = async () =>
    (await owner.describeScheduledTasks("runner")).find((task) => task.uuid === uuid(1))!;
  await until(() => runs > 0);
  callbacks.callback.remove("f");
  const before = { runs, ticks };
  await until(() => ticks >= before.ticks + 4);
  const { status, runs: counted, lastError } = await info();
  assertEquals([status, counted, lastError], ["waiting", before.runs, undefined]);
  callbacks.callback("f", () => runs += 100);
  await until(() => runs >= before.runs + 200);
});

Deno.test("a task of an instance method waits until its class has an instance", async () => {
  await using network = await TestNetwork.start();
  const calls: unknown[] = [];
  let ticks = 0;
  class Job {
    work(what: string) {
      calls.push(what);
    }
  }
  const callbacks = registry((callback) => void callback("tick", () => ticks++));
  const Registered = callbacks.callback(Job);
  await network.join("runner", () => {}, { callbacks });
  const owner = await network.join("owner");
  await owner.call.work("once").period({ atTime: Date.now() + 30, uuid: uuid(1) });
  await owner.call.tick().period({ interval: 20 });
  await until(() => ticks >= 4); // it was due by now
  const info = async () =>
    (await owner.describeScheduledTasks("runner")).find((task) => task.uuid === uuid(1));
  const { status, runs, skipped, lastError } = (await info())!;
  assertEquals([status, runs, skipped, lastError], ["waiting", 0, 0, undefined]);
  assertEquals(await owner.runScheduledTaskByUuid("runner", uuid(1)), false);
  new Registered();
  assertEquals(calls, []); // not within `new`
  await until(() => calls.length > 0);
  assertEquals(calls, ["once"]);
  while (await info() !== undefined) await settled();
});

Deno.test("taskStore keeps tasks in a file from one Global to the next", async () => {
  await withPath(async (taskStore) => {
    await using network = await TestNetwork.start();
    const owner = await network.join("owner");
    const options = { interval: "1h", uuid: uuid(1) };
    {
      await using _ = await network.join("runner", (callback) => callback("f", () => {}), {
        taskStore,
      });
      await owner.call.f(new Map([[1n, "one"]])).period(options);
    }
    await until(() => !("runner" in owner.registeredCallbacks));
    const callbacks = registry(() => {});
    await network.join("runner", () => {}, { taskStore, callbacks });
    const [info] = await owner.describeScheduledTasks("runner");
    assertEquals([info!.uuid, info!.status, info!.owner], [uuid(1), "waiting", "owner"]);
    assertEquals(await owner.runScheduledTaskByUuid("runner", uuid(1)), false);

    let seen: unknown;
    callbacks.callback("f", (value: unknown) => void (seen = value));
    await owner.waitFunction("f");
    assertEquals((await owner.call.f(0).period(options)).uuid, uuid(1));
    assertEquals(await owner.runScheduledTaskByUuid("runner", uuid(1)), true);
    assertEquals(seen, new Map([[1n, "one"]]));
    assertEquals(await owner.getScheduledTasks("runner"), [uuid(1)]);
  });
});

Deno.test("taskStore may be a store of one's own", async () => {
  const taskStore = new MemoryTaskStore();
  await using network = await TestNetwork.start((callback) => callback("f", () => {}), {
    taskStore,
  });
  const owner = await network.join("owner");
  const task = await owner.call.f().period({ interval: "1h" });
  assertEquals(taskStore.load().map(({ uuid }) => uuid), [task.uuid]);
  await task.cancel();
  assertEquals(taskStore.load(), []);
});

Deno.test("new Global() throws and leaves nothing behind when the task store cannot be used", async () => {
  await withPath(async (taskStore) => {
    await Deno.writeTextFile(taskStore, "not a database, by any means at all");
    const options = { host: "localhost", callbacks: registry(() => {}), taskStore };
    assertThrows(
      () => new Global({ ...options, initController: true }),
      InitializationError,
      taskStore,
    );
    assertThrows(() => new Global({ ...options, port: 1 }), InitializationError, taskStore);
    assertEquals(await Deno.readTextFile(taskStore), "not a database, by any means at all");
  });
});

Deno.test("new Global() refuses a task store that another one uses", async () => {
  await withPath(async (taskStore) => {
    const options = { initController: true, host: "localhost", taskStore };
    await using first = new Global({ ...options, callbacks: registry(() => {}) });
    await first.ready;
    assertThrows(
      () => new Global({ ...options, callbacks: registry(() => {}) }),
      InitializationError,
      taskStore,
    );
  });
});

Deno.test("errors of requests about tasks show where they were made", async () => {
  await using network = await TestNetwork.start();
  const g = await network.join("caller", undefined, { defaultTimeout: 50 });
  const place = { dial: () => Deno.connect({ hostname: "localhost", port: network.hub.port! }) };
  using _silent = await RawPeer.join(place as unknown as Place, "silent");
  await g.waitProcess("silent");
  const id = uuid(1);
  const requests = [
    function theCaller() {
      return g.getScheduledTasks("silent");
    },
    function theCaller() {
      return g.describeScheduledTasks("silent");
    },
    function theCaller() {
      return g.cancelScheduledTaskByUuid("silent", id);
    },
  ];
  for (const request of requests) {
    const error = await assertRejects(() => request(), CallTimeoutError);
    assertMatch(error.stack!, /at theCaller /);
    assert(!error.stack!.includes("task_client.ts"), error.stack);
  }
});
