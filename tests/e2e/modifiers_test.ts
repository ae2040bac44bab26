import { assertEquals, assertObjectMatch } from "@std/assert";
import type { Program } from "../helpers/processes.ts";
import { type Invocation, invoke, type Outcome } from "./fixtures/invoke.ts";
import {
  type Here,
  joinHere,
  overAll,
  overBoth,
  type Place,
  startController,
  startNode,
} from "./network.ts";

/** One direction between two processes. */
interface Direction {
  /** Name of the process that calls. */
  readonly caller: string;
  /** Name of the process that is called. */
  readonly callee: string;
  /** Makes a call in the calling process. */
  make(invocation: Invocation): Promise<Outcome>;
  /** What the called process noted. */
  noted(topic: string, count: number): Promise<unknown[]>;
}

function directions({ g, notes }: Here): Direction[] {
  return [
    {
      caller: "here",
      callee: "there",
      make: (invocation) => invoke(g, invocation),
      noted: (topic, count) => g.call.notes(topic, count).fg(),
    },
    {
      caller: "there",
      callee: "here",
      make: (invocation) => g.call.invoke(invocation).fg(),
      noted: (topic, count) => notes.until(topic, count),
    },
  ];
}

/** Each behaviour gets a topic of its own, so that its notes are not another one's. */
type Behaviour = (direction: Direction, topic: string) => Promise<void>;

/** More than fit into one window of a stream. */
const MANY = 700;

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

const BEHAVIOURS: Record<string, Behaviour> = {
  "`FG` gives the result": async ({ make }) => {
    for (const how of ["await", "fg", "FG"] as const) {
      assertEquals(await make({ how, name: "add", args: [1, 2] }), { value: 3 });
    }
  },
  "`FG` gives what the callback threw": async ({ make, callee }) => {
    const { error } = await make({ how: "fg", name: "fail", args: ["no tea"] });
    assertObjectMatch(error!, {
      name: "RemoteCallError",
      executed: "yes",
      processName: callee,
      callbackName: "fail",
      remoteName: "RangeError",
      remoteMessage: "no tea",
      remoteFields: { status: 418 },
    });
  },
  "`FG` fails at once when nobody offers the callback": async ({ make }) => {
    const { error } = await make({ how: "fg", name: "nowhere" });
    assertObjectMatch(error!, { name: "CallbackNotFoundError", executed: "never" });
  },
  "`FG` gives up after its timeout and aborts the callback's signal": async (direction, topic) => {
    const { make, noted } = direction;
    const options = { timeout: 300 };
    const { error } = await make({ how: "fg", name: "untilAborted", args: [topic], options });
    assertObjectMatch(error!, { name: "CallTimeoutError", executed: "maybe" });
    assertEquals(await noted(topic, 2), ["started", "aborted"]);
  },
  "`BG` gives the result as often as it is asked for": async ({ make }) => {
    for (const how of ["bg", "BG"] as const) {
      assertEquals(await make({ how, name: "add", args: [1, 2] }), { value: [3, 3] });
    }
  },
  "`AsyncResult.cancel()` aborts the callback's signal": async ({ make, noted }, topic) => {
    const { error } = await make({
      how: "bgCancelled",
      name: "untilAborted",
      args: [topic],
      topic,
    });
    assertObjectMatch(error!, { name: "CallCancelledError", executed: "maybe" });
    assertEquals(await noted(topic, 2), ["started", "aborted"]);
  },
  "`NO_RETURN` runs the callback": async ({ make, noted }, topic) => {
    for (const how of ["noReturn", "NO_RETURN"] as const) {
      await make({ how, name: "note", args: [{ topic, value: how }] });
    }
    assertEquals(await noted(topic, 2), ["noReturn", "NO_RETURN"]);
  },
  "`NO_RETURN` does not fail when the callback or the call does": async ({ make }) => {
    for (const name of ["fail", "nowhere"]) {
      assertEquals(await make({ how: "noReturn", name, args: ["no tea"] }), { value: undefined });
    }
    assertEquals(await make({ how: "fg", name: "add", args: [1, 2] }), { value: 3 });
  },
  "`BROADCAST` runs the callback": async ({ make, noted }, topic) => {
    for (const how of ["broadcast", "BROADCAST"] as const) {
      const outcome = await make({ how, name: "note", args: [{ topic, value: how }] });
      assertEquals(outcome, { value: undefined });
    }
    assertEquals(await noted(topic, 2), ["broadcast", "BROADCAST"]);
  },
  "`BROADCAST` gives the results by process": async ({ make, callee }) => {
    for (const how of ["broadcastResults", "BROADCAST_RESULTS"] as const) {
      const outcome = await make({ how, name: "add", args: [1, 2] });
      assertEquals(outcome, { value: { [callee]: 3 } });
    }
  },
  "`BROADCAST` fails with the failures by process": async ({ make }) => {
    const { error } = await make({ how: "broadcastResults", name: "fail", args: ["no tea"] });
    assertObjectMatch(error!, { name: "BroadcastError" });
  },
  "`STREAM` has every item taken in order": async ({ make, noted }, topic) => {
    for (const how of ["stream", "STREAM"] as const) {
      const own = `${topic} ${how}`;
      const outcome = await make({ how, name: "note", items: MANY, topic: own });
      assertEquals(outcome, { value: undefined });
      assertEquals(await noted(own, MANY), numbers(MANY));
    }
  },
  "`PERIOD` runs the callback again and again until it is cancelled": async (direction, topic) => {
    const { make, callee } = direction;
    for (const how of ["period", "PERIOD"] as const) {
      const own = `${topic} ${how}`;
      const args = [{ topic: own, value: 1 }];
      assertEquals(await make({ how, name: "note", args, topic: own }), {
        value: {
          processName: callee,
          callbackName: "note",
          listed: true,
          cancelled: [true, false],
          left: [],
        },
      });
    }
  },
  "`for await` reads a generator to its end": async ({ make, noted }, topic) => {
    const outcome = await make({ how: "iterate", name: "count", args: [MANY, topic] });
    assertEquals(outcome, { value: numbers(MANY) });
    assertEquals(await noted(topic, 2), ["finished", "left"]);
  },
  "`for await` stops the producer when it is left": async ({ make, noted }, topic) => {
    const outcome = await make({ how: "iterate", name: "count", args: [1e9, topic], take: 3 });
    assertEquals(outcome, { value: [0, 1, 2] });
    assertEquals(await noted(topic, 1), ["left"]);
  },
  "an iterable among the arguments reaches the callback": async ({ make }) => {
    const outcome = await make({ how: "iterableArgument", name: "sum", items: MANY });
    assertEquals(outcome, { value: MANY * (MANY - 1) / 2 });
  },
  "`currentCall()` knows the caller": async ({ make, caller }) => {
    const outcome = await make({ how: "await", name: "context" });
    assertEquals(outcome, { value: { caller, callbackName: "context" } });
  },
};

async function exercise(here: Here, t: Deno.TestContext): Promise<void> {
  await here.g.waitProcess("there");
  for (const direction of directions(here)) {
    for (const [name, behaviour] of Object.entries(BEHAVIOURS)) {
      const title = `${name}, from ${direction.caller} to ${direction.callee}`;
      await t.step(title, () => behaviour(direction, title));
    }
  }
}

overAll("every modifier works when the controller is in the test process", async (place, t) => {
  await using here = await joinHere(place, { initController: true });
  await using _there = await startNode(place, "there");
  await exercise(here, t);
});

overBoth("every modifier works when the controller is in the other process", async (place, t) => {
  await using _there = await startNode(place, "there", { initController: true });
  await using here = await joinHere(place);
  await exercise(here, t);
});

overAll(
  "every modifier works when the controller is alone in a third process",
  async (place, t) => {
    await using _controller = await startController(place);
    await using _there = await startNode(place, "there");
    await using here = await joinHere(place);
    await exercise(here, t);
  },
);

/** Three processes that offer the same, beside the test process. */
async function startThree(place: Place): Promise<Program[]> {
  return await Promise.all(["one", "two", "three"].map((name) => startNode(place, name)));
}

overBoth("`to` and `strategy` choose among several processes", async (place) => {
  await using here = await joinHere(place, { initController: true });
  await using programs = new AsyncDisposableStack();
  for (const program of await startThree(place)) programs.use(program);
  const { g } = here;
  await Promise.all(["one", "two", "three"].map((name) => g.waitProcess(name)));

  const chosen = async (options: { to?: string; strategy?: "round-robin" | "least-pending" }) => {
    const topic = `${options.to} ${options.strategy}`;
    for (let i = 0; i < 6; i++) await g.call.note({ topic, value: i }).fg(options);
    return await g.call.countNotes(topic).broadcast({ returnResult: true });
  };
  assertEquals(await chosen({ to: "two" }), { one: 0, two: 6, three: 0 });
  assertEquals(await chosen({ strategy: "round-robin" }), { one: 2, two: 2, three: 2 });

  const busy = ["one", "three"].map((to) => g.call.untilAborted("busy").bg({ to }));
  assertEquals(await chosen({ strategy: "least-pending" }), { one: 0, two: 6, three: 0 });
  for (const result of busy) result.cancel();
});
