import { assertEquals } from "@std/assert";
import { encode, ExtData } from "@msgpack/msgpack";
import { currentCall } from "../../mod.ts";
import { type CallScope, currentScope } from "../../src/internal/call_scope.ts";
import { Flag, Kind } from "../../src/wire/frame.ts";
import { LEAVE_TIMEOUT_MS } from "../../src/wire/limits.ts";
import { FakeTime } from "../helpers/fake_time.ts";
import { collectGarbage } from "../helpers/garbage.ts";
import { settled, until } from "../helpers/soon.ts";
import { AnsweringRig, CALLER } from "./answering_rig.ts";

const ALONE = { concurrency: 1 };

/** A callback whose runs end when a test says so. */
function held() {
  const runs: PromiseWithResolvers<void>[] = [];
  const signals: AbortSignal[] = [];
  const f = () => {
    const run = Promise.withResolvers<void>();
    runs.push(run);
    signals.push(currentCall()!.signal);
    return run.promise;
  };
  return { f, runs, signals };
}

const call = (number: number, flags = 0) => ({ call: number, flags, payload: encode([]) });

Deno.test("a call that is cancelled while it waits for its turn is over", async () => {
  const { f, runs } = held();
  const rig = new AnsweringRig(f, ALONE);
  for (const number of [1, 2, 3]) rig.say(Kind.Call, call(number));
  rig.say(Kind.Cancel, { call: 2 });
  assertEquals(rig.dispatcher.counts.runningCalls, 2);
  for (const run of [0, 1]) {
    runs[run]!.resolve();
    await settled();
  }
  assertEquals(rig.wire.told, ["RESULT 2 1", "RESULT 2 3"]);
  assertEquals(rig.dispatcher.counts.runningCalls, 0);
});

Deno.test("nothing is kept of the arguments of calls that are cancelled while they wait for a turn", async () => {
  const { f, runs } = held();
  const rig = new AnsweringRig(f, ALONE);
  for (let number = 1; number <= 10; number++) rig.say(Kind.Call, call(number));
  const wait = (number: number) => {
    const bytes = new Uint8Array(1_000);
    rig.say(Kind.Call, { ...call(number), attachments: [{ at: 0, bytes }] });
    return new WeakRef(bytes);
  };
  const numbers = Array.from({ length: 9 }, (_, i) => 11 + i);
  const left = numbers.map(wait);
  for (const number of numbers) rig.say(Kind.Cancel, { call: number });
  await until(() => {
    collectGarbage();
    return left.every((bytes) => bytes.deref() === undefined);
  });
  for (let run = 0; run < 10; run++) {
    runs[run]!.resolve();
    await settled();
  }
  assertEquals(rig.wire.told.length, 10);
});

Deno.test("a call that is cancelled just before its turn does not run, and the next one has it", async () => {
  const { f, runs } = held();
  const rig = new AnsweringRig(f, ALONE);
  for (const number of [1, 2, 3]) rig.say(Kind.Call, call(number));
  const { send } = rig.wire;
  rig.wire.send = (frame) => {
    send.call(rig.wire, frame);
    if (frame.call === 1) queueMicrotask(() => rig.say(Kind.Cancel, { call: 2 }));
  };
  runs[0]!.resolve();
  await settled();
  assertEquals([runs.length, rig.dispatcher.counts.runningCalls], [2, 1]);
  runs[1]!.resolve();
  await settled();
  assertEquals(rig.wire.told, ["RESULT 2 1", "RESULT 2 3"]);
});

Deno.test("a call that cannot be run for its arguments is over", () => {
  const rig = new AnsweringRig(() => {});
  rig.call(...[1, 1].map((number) => new ExtData(9, new Uint8Array([0, number]))));
  assertEquals(rig.failures, [[1, "PROTOCOL", "never"]]);
  assertEquals(rig.dispatcher.counts.runningCalls, 0);
});

Deno.test("a call can be cancelled after one without answer that had its number has ended", async () => {
  const { f, runs, signals } = held();
  const rig = new AnsweringRig(f);
  for (const flags of [Flag.NoReply, 0]) rig.say(Kind.Call, call(1, flags));
  runs[0]!.resolve();
  await settled();
  rig.say(Kind.Cancel);
  assertEquals(signals.map(({ aborted }) => aborted), [false, true]);
});

Deno.test("a run that has ended in time is told of once, and its signal stays quiet", async () => {
  using time = new FakeTime();
  const { f, runs, signals } = held();
  const rig = new AnsweringRig(f, { timeout: 100 });
  const told: string[] = [];
  rig.run(told);
  runs[0]!.resolve();
  await time.tickAsync(1_000);
  assertEquals([told, signals[0]!.aborted], [["ended"], false]);
});

Deno.test("a run that goes on behind its limit is given up once", async () => {
  using time = new FakeTime();
  const rig = new AnsweringRig(held().f, { timeout: 100 });
  const told: string[] = [];
  for (let i = 0; i < 3; i++) {
    rig.run(told);
    await time.tickAsync(50);
  }
  await time.tickAsync(1_000);
  assertEquals(told, Array(3).fill("CallTimeoutError"));
});

Deno.test("a run of a task that gives items goes on when the connection is lost", async () => {
  const more = Promise.withResolvers<void>();
  let ended = "";
  const rig = new AnsweringRig(async function* () {
    try {
      yield 1;
      await more.promise;
      yield 2;
      ended = "by itself";
    } finally {
      ended ||= "early";
    }
  });
  rig.run();
  await settled();
  rig.dispatcher.disconnected();
  more.resolve();
  await settled();
  assertEquals([ended, rig.dispatcher.counts.runningCalls], ["by itself", 0]);
});

Deno.test("othersDone() waits for all that run but those that wait for just that", async () => {
  const { f, runs } = held();
  const scopes: CallScope[] = [];
  const rig = new AnsweringRig(() => (scopes.push(currentScope()!), f()));
  for (const number of [1, 2, 3]) rig.say(Kind.Call, call(number));
  const [first, second] = scopes;
  rig.dispatcher.disconnected(); // so that nobody needs to hear of it first
  const drained = rig.dispatcher.drain(60_000);
  let isDone = false;
  rig.dispatcher.othersDone(first!);
  runs[0]!.resolve();
  await settled();
  rig.dispatcher.othersDone(second!).then(() => isDone = true);
  await settled();
  assertEquals(isDone, false); // the third still runs
  runs[2]!.resolve();
  await settled();
  assertEquals(isDone, true);
  runs[1]!.resolve();
  assertEquals(await drained, true);
});

Deno.test("drain() leaves answers a while to leave, also when the time for what runs is over", async () => {
  const rig = new AnsweringRig(held().f);
  rig.say(Kind.Call, call(1));
  rig.outbox.pause(CALLER);
  using time = new FakeTime();
  const drained = rig.dispatcher.drain(1_000);
  await time.tickAsync(1_000);
  await time.tickAsync(LEAVE_TIMEOUT_MS - 1);
  assertEquals(rig.wire.told, []);
  rig.outbox.resume(CALLER);
  assertEquals(await drained, true);
  assertEquals(rig.failures, [[1, "CALL_CANCELLED", "maybe"]]);
});

Deno.test("a process that stops takes no tasks any more, though it takes calls for a while", async () => {
  const { f, runs } = held();
  const rig = new AnsweringRig(f);
  rig.say(Kind.Call, call(1));
  const drained = rig.dispatcher.drain(60_000);
  rig.say(Kind.Task, { call: 2, payload: encode([{ op: "list" }]) });
  assertEquals(rig.failures, [[2, "CALLBACK_NOT_FOUND", "never"]]);
  rig.say(Kind.Call, call(3));
  assertEquals(runs.length, 2);
  for (const run of runs) run.resolve();
  assertEquals(await drained, true);
});
