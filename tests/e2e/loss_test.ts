import { assert, assertEquals, assertRejects } from "@std/assert";
import { BroadcastError, DaffiError, PeerLostError, RemoteCallError } from "../../mod.ts";
import type { Program } from "../helpers/processes.ts";
import { later, within } from "../helpers/soon.ts";
import { numbered } from "./fixtures/invoke.ts";
import {
  type Here,
  joinHere,
  overAll,
  overBoth,
  type Place,
  startController,
  startNode,
} from "./network.ts";

/** A controller alone, the test process, and other processes. */
async function withProcesses(
  place: Place,
  names: string[],
  run: (here: Here, programs: Program[], controller: Program) => Promise<void>,
): Promise<void> {
  await using all = new AsyncDisposableStack();
  const controller = all.use(await startController(place));
  const programs: Program[] = [];
  for (const name of names) programs.push(all.use(await startNode(place, name)));
  const here = all.use(await joinHere(place));
  await Promise.all(names.map((name) => here.g.waitProcess(name)));
  await run(here, programs, controller);
}

overAll("a call fails within a second when its callee is killed", async (place) => {
  await withProcesses(place, ["there"], async ({ g }, [there]) => {
    const call = later(g.call.untilAborted("t").fg());
    await g.call.notes("t", 1);
    there!.signal("SIGKILL");
    const error = await within("the rejection", assertRejects(() => call, PeerLostError), 1_000);
    assertEquals(error.executed, "maybe");
    assertEquals([error.processName, error.callbackName], ["there", "untilAborted"]);
    assertEquals(g.registeredCallbacks, {});
    await there!.ended();
  });
});

overAll("every pending call fails when the controller is killed", async (place) => {
  await withProcesses(place, ["there"], async ({ g }, _, controller) => {
    const pending = [1, 2].map(() => later(g.call.untilAborted("t").fg()));
    await g.call.notes("t", 2);
    controller.signal("SIGKILL");
    for (const call of pending) {
      const error = await within("the rejection", assertRejects(() => call, PeerLostError), 1_000);
      assertEquals(error.executed, "maybe");
    }
    await controller.ended();
  });
});

overBoth("a callback's signal aborts when its caller is killed", async (place) => {
  await withProcesses(place, ["there"], async ({ g, notes }, [there]) => {
    const invocation = { how: "fg", name: "untilAborted", args: ["t"] };
    const failed = later(assertRejects(() => g.call.invoke(invocation).fg(), PeerLostError));
    await notes.until("t", 1);
    await there!.kill();
    assertEquals(await notes.until("t", 2), ["started", "aborted"]);
    await failed;
  });
});

overAll("a broadcast tells the results of those that live when one is killed", async (place) => {
  await withProcesses(place, ["one", "two", "three"], async ({ g }, [, , three]) => {
    const broadcast = later(
      g.call.whoami({ hangs: "three", topic: "t" }).broadcast({ returnResult: true }),
    );
    await g.call.notes("t", 1).fg({ to: "three" });
    three!.signal("SIGKILL");
    const error = await within("the end", assertRejects(() => broadcast, BroadcastError), 1_000);
    assertEquals(error.results, { one: "one", two: "two" });
    assertEquals(Object.keys(error.errors), ["three"]);
    const lost = error.errors.three!;
    assert(lost instanceof PeerLostError);
    assertEquals([lost.executed, lost.processName], ["maybe", "three"]);
    await three!.ended();
  });
});

overBoth("reading a stream fails when its producer is killed", async (place) => {
  await withProcesses(place, ["there"], async ({ g }, [there]) => {
    let last = -1;
    const error = await assertRejects(async () => {
      for await (const item of g.call.count(1e9, "t")) {
        assertEquals(item, ++last);
        if (last === 500) there!.signal("SIGKILL");
      }
    }, DaffiError);
    assert(error instanceof PeerLostError, String(error));
    assertEquals(error.processName, "there");
    assert(last >= 500);
    await there!.ended();
  });
});

overBoth(
  "of the streams of a broadcast the one of a killed process fails, and the others go on",
  async (place) => {
    await withProcesses(place, ["one", "two"], async ({ g }, [one]) => {
      const streams = await g.call.count(1e9, "t").broadcast({ returnResult: true });
      await Promise.all([streams.one.next(), streams.two.next()]);
      await one!.kill();
      const error = await assertRejects(async () => {
        for await (const _ of streams.one);
      }, PeerLostError);
      assertEquals([error.processName, error.executed], ["one", "maybe"]);
      let last = 0;
      for await (const item of streams.two) if ((last = item) === 5_000) break;
      assertEquals(last, 5_000);
    });
  },
);

overBoth("a producer is stopped when its reader is killed", async (place) => {
  await withProcesses(place, ["there"], async ({ g, notes }, [there]) => {
    const invocation = { how: "iterate", name: "forever", args: ["t"] };
    const failed = later(assertRejects(() => g.call.invoke(invocation).fg(), PeerLostError));
    await notes.until("t", 500);
    await there!.kill();
    assertEquals(await notes.until("t left", 1), [true]);
    await failed;
  });
});

overBoth("a callback that reads an argument fails when its caller is killed", async (place) => {
  await withProcesses(place, ["there"], async ({ g, notes }, [there]) => {
    const invocation = { how: "iterableArgument", name: "drain", items: 1e9, topic: "t" };
    const failed = later(assertRejects(() => g.call.invoke(invocation).fg(), PeerLostError));
    await notes.until("t", 500);
    await there!.kill();
    const [name] = await notes.until("t broke off", 1);
    assert(["PeerLostError", "CallCancelledError"].includes(name as string), String(name));
    await failed;
  });
});

overBoth("`stream()` fails when the one that takes the items is killed", async (place) => {
  await withProcesses(place, ["there"], async ({ g }, [there]) => {
    let left = false;
    const items = async function* () {
      try {
        yield* numbered("t", 1e9);
      } finally {
        left = true;
      }
    };
    const streaming = later(g.call.note(items()).stream());
    await g.call.notes("t", 500);
    there!.signal("SIGKILL");
    const error = await within("the end", assertRejects(() => streaming, BroadcastError), 1_000);
    assert(error.errors.there instanceof PeerLostError);
    assertEquals(left, true);
    await there!.ended();
  });
});

overBoth("`stream()` brings all items to the others when one is killed", async (place) => {
  const items = 3_000;
  await withProcesses(place, ["one", "two"], async ({ g }, [, two]) => {
    const gate = Promise.withResolvers<void>();
    const source = async function* () {
      for await (const item of numbered("t", items)) {
        if (item.value === 1_000) await gate.promise;
        yield item;
      }
    };
    const streaming = later(g.call.note(source()).stream());
    await g.call.notes("t", 1_000).fg({ to: "two" });
    await two!.kill();
    gate.resolve();
    const error = await assertRejects(() => streaming, BroadcastError);
    assertEquals(Object.keys(error.results), ["one"]);
    assert(error.errors.two instanceof PeerLostError);
    const taken = await g.call.notes("t", items).fg({ to: "one" });
    assertEquals(taken, Array.from({ length: items }, (_, i) => i));
  });
});

overBoth("a call goes on to those that live after one was killed", async (place) => {
  await withProcesses(place, ["one", "two"], async ({ g }, [one]) => {
    await one!.kill();
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, () =>
        g.call.add(1, 2).fg().catch((error: PeerLostError) => {
          assert(!(error instanceof RemoteCallError), String(error));
          return error.processName;
        })),
    );
    assert(outcomes.every((outcome) => outcome === 3 || outcome === "one"), String(outcomes));
    await g.call.add(1, 2).fg({ to: "two" });
    assertEquals(await g.call.add(1, 2), 3);
  });
});
