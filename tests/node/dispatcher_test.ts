import { assertEquals, assertRejects } from "@std/assert";
import { encode, ExtData } from "@msgpack/msgpack";
import { CallbackRegistry, CallCancelledError, currentCall, OverloadedError } from "../../mod.ts";
import { Dispatcher } from "../../src/node/dispatcher.ts";
import { TaskRuns } from "../../src/node/task_runs.ts";
import { Network, RemoteProcess } from "../../src/node/network.ts";
import { Outbox } from "../../src/node/outbox.ts";
import { RunningCall } from "../../src/node/running_call.ts";
import { makeEntry, type RegisteredCallback } from "../../src/registry/registered_callback.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { Flag, frame, Kind } from "../../src/wire/frame.ts";
import { KIND_NAMES } from "../../src/wire/kind_names.ts";
import {
  MAX_RUNNING_CALLS_PER_CALLER,
  MAX_STREAMS_PER_CALL,
  MAX_WAITING_BYTES,
} from "../../src/wire/limits.ts";
import { FakeConnection } from "../helpers/fake_connection.ts";
import { FakeTime } from "../helpers/fake_time.ts";
import { RecordingLogger } from "../helpers/recording_logger.ts";
import { settled } from "../helpers/soon.ts";

const SELF = 1;
const [A, B] = [2, 3];

/** A node that offers `wait`, and two others that call it. */
class Rig {
  readonly codec = new MessagePackCodec();
  /** What was answered, as `KIND target call code`. */
  readonly answers: string[] = [];
  readonly signals: AbortSignal[] = [];
  running = 0;
  /** Ends `limited`. */
  readonly end = Promise.withResolvers<void>();
  /** What `queued` was called with, and what ends it. */
  readonly queued: unknown[][] = [];
  readonly ends: (() => void)[] = [];
  readonly outbox: Outbox;
  readonly dispatcher: Dispatcher;
  readonly #tasks: TaskRuns;

  constructor() {
    const registry = new CallbackRegistry();
    registry.callback("wait", () => {
      this.running++;
      return new Promise(() => {});
    });
    registry.callback(function alone() {
      return new Promise(() => {});
    }, { concurrency: 1 });
    registry.callback("give", (size: number) => "x".repeat(size));
    registry.callback("queued", (...args: unknown[]) => {
      this.queued.push(args);
      return new Promise((resolve) => this.ends.push(() => resolve("done")));
    }, { concurrency: 1 });
    registry.callback("limited", () => this.end.promise, { timeout: 100 });
    registry.callback("endless", function* () {
      for (;;) yield 1;
    });
    registry.callback("listen", () => {
      this.signals.push(currentCall()!.signal);
      return new Promise(() => {});
    });
    const network = new Network({ onJoin() {}, onLeave() {}, offersItself: () => false });
    network.reset({
      id: SELF,
      controller: "c",
      maxFrameBytes: 1e6,
      processes: [[SELF, "self", [[1, "wait"], [2, "listen"], [3, "alone"], [4, "give"], [
        5,
        "endless",
      ], [6, "queued"]]], [
        A,
        "a",
        [],
      ], [
        B,
        "b",
        [],
      ]],
    });
    this.dispatcher = new Dispatcher({
      ...{ g: undefined, codec: this.codec, network, registry, logger: new RecordingLogger() },
      handleTask: () => {},
      transferred: {} as RegisteredCallback,
    });
    this.#tasks = new TaskRuns({ g: undefined, registry, dispatcher: this.dispatcher });
    const wire = new FakeConnection();
    wire.send = ({ kind, peer, call, payload }) => {
      const { code } = (payload.length === 0 ? {} : this.codec.decode(payload)) as {
        code?: string;
      };
      this.answers.push(`${KIND_NAMES.get(kind)} ${peer} ${call} ${code}`);
    };
    const { connection } = wire;
    this.dispatcher.connected({
      connection,
      outbox: this.outbox = new Outbox(connection),
      maxFrameBytes: 1e6,
    });
  }

  call(
    source: number,
    call: number,
    name: number,
    payload: Uint8Array = encode([]),
    flags = 0,
  ): void {
    this.dispatcher.onFrame(frame(Kind.Call, { peer: source, call, name, payload, flags }));
  }

  /** Runs a task of `owner`. */
  run(
    callbackName: string,
    owner: string,
    fail: (error: unknown) => void = () => {},
    ...args: unknown[]
  ) {
    return this.#tasks.run({ callbackName, args: encode(args), owner }, fail);
  }

  cancel(source: number, call: number): void {
    this.dispatcher.onFrame(frame(Kind.Cancel, { peer: source, call }));
  }
}

const stream = (number: number) => new ExtData(9, new Uint8Array([number >> 8, number]));

Deno.test("Dispatcher refuses a call with an argument stream that is there twice, or cannot be", () => {
  const rig = new Rig();
  const lists = [
    [stream(1), stream(1)],
    [stream(0)],
    [stream(MAX_STREAMS_PER_CALL + 1)],
    [stream(0xffff)],
    Array.from({ length: 10_000 }, () => stream(7)),
  ];
  for (const [i, args] of lists.entries()) rig.call(A, i + 1, 1, encode(args));
  assertEquals(rig.answers, lists.map((_, i) => `ERROR ${A} ${i + 1} PROTOCOL`));
  assertEquals(rig.running, 0);
  const most = Array.from({ length: MAX_STREAMS_PER_CALL }, (_, i) => stream(i + 1));
  rig.call(A, 100, 1, encode(most));
  assertEquals(rig.running, 1);
});

Deno.test("Dispatcher aborts a call whose number its caller gives to another one", () => {
  const rig = new Rig();
  rig.call(A, 1, 2);
  rig.call(B, 1, 2);
  assertEquals(rig.signals.map(({ aborted }) => aborted), [false, false]);
  rig.call(A, 1, 2);
  assertEquals(rig.signals.map(({ aborted }) => aborted), [true, false, false]);
  assertEquals(rig.answers, []);
});

Deno.test("Dispatcher lets calls that nobody waits for run on when their number comes again", () => {
  const rig = new Rig();
  for (let i = 0; i < 2; i++) rig.call(A, 1, 2, encode([]), Flag.NoReply);
  rig.call(A, 1, 2);
  assertEquals(rig.signals.map(({ aborted }) => aborted), [false, false, false]);
});

Deno.test("Dispatcher runs so many calls of one caller, and has room for others", () => {
  const rig = new Rig();
  for (let call = 1; call <= MAX_RUNNING_CALLS_PER_CALLER; call++) rig.call(A, call, 1);
  assertEquals([rig.running, rig.answers], [MAX_RUNNING_CALLS_PER_CALLER, []]);
  rig.call(A, 1_000_000, 1);
  rig.call(B, 1, 1);
  assertEquals(rig.running, MAX_RUNNING_CALLS_PER_CALLER + 1);
  assertEquals(rig.answers, [`ERROR ${A} 1000000 OVERLOADED`]);
});

Deno.test("Dispatcher counts calls of one caller that all have the same number", () => {
  const rig = new Rig();
  for (let i = 0; i < MAX_RUNNING_CALLS_PER_CALLER; i++) rig.call(A, 1, 1);
  assertEquals([rig.running, rig.answers], [MAX_RUNNING_CALLS_PER_CALLER, []]);
  rig.call(A, 2, 1);
  rig.call(B, 1, 1);
  assertEquals(rig.answers, [`ERROR ${A} 2 OVERLOADED`]);
});

Deno.test("Dispatcher counts the runs of one owner's tasks as those of a caller", async () => {
  const rig = new Rig();
  for (let i = 0; i < MAX_RUNNING_CALLS_PER_CALLER; i++) rig.run("wait", "o");
  await assertRejects(() => rig.run("wait", "o"), OverloadedError);
  rig.run("wait", "p");
  assertEquals(rig.running, MAX_RUNNING_CALLS_PER_CALLER + 1);
});

Deno.test("Dispatcher lets an owner's tasks run again when those before have ended", () => {
  const rig = new Rig();
  for (let i = 0; i <= MAX_RUNNING_CALLS_PER_CALLER; i++) {
    rig.run("give", "o", undefined, 1);
  }
  assertEquals(rig.dispatcher.counts.runningCalls, 0);
});

Deno.test("Dispatcher ends all calls without answer, also those that have the same number", async () => {
  const rig = new Rig();
  for (let i = 0; i < 3; i++) rig.call(A, 1, 5, encode([]), Flag.NoReply);
  rig.call(A, 1, 5, encode([]));
  assertEquals(rig.dispatcher.counts.runningCalls, 4);
  await rig.dispatcher.drain(50);
  assertEquals(rig.dispatcher.counts.runningCalls, 0);
  assertEquals(rig.answers.at(-1), `FAIL ${A} 1 CALL_CANCELLED`);
});

Deno.test("Dispatcher refuses calls of a callback for which too large ones wait already", () => {
  const rig = new Rig();
  const payload = encode([new Uint8Array(8 * 1024 * 1024)]);
  const most = Math.floor(MAX_WAITING_BYTES / payload.length) + 1; // one more than there is room for
  for (let call = 0; call <= most; call++) rig.call(A, call + 1, 3, payload); // and one runs
  assertEquals(rig.answers, []);
  rig.call(B, 1, 3);
  rig.call(B, 2, 1);
  assertEquals([rig.answers, rig.running], [[`ERROR ${B} 1 OVERLOADED`], 1]);
  rig.cancel(A, most + 1);
  rig.call(B, 3, 3);
  assertEquals(rig.answers.length, 1);
});

Deno.test("Dispatcher decodes the arguments of a call when it has its turn, and not before", async () => {
  const rig = new Rig();
  const decode = rig.codec.decodePayload.bind(rig.codec);
  let decoded = 0;
  rig.codec.decodePayload = (...args) => {
    decoded++;
    return decode(...args);
  };
  const received = encode([1, "x"]);
  rig.call(A, 1, 6, received);
  rig.call(A, 2, 6, received);
  rig.call(A, 3, 6, received.subarray(1));
  rig.call(A, 4, 6, encode([4]));
  received.fill(0xc1); // what a connection reads into is used again
  assertEquals([decoded, rig.queued, rig.answers], [1, [[1, "x"]], []]);
  rig.ends[0]!();
  await settled();
  assertEquals([decoded, rig.queued.length], [2, 2]);
  rig.ends[1]!();
  await settled();
  assertEquals([decoded, rig.queued], [4, [[1, "x"], [1, "x"], [4]]]);
  assertEquals(rig.answers, [
    `RESULT ${A} 1 undefined`,
    `RESULT ${A} 2 undefined`,
    `ERROR ${A} 3 PROTOCOL`,
  ]);
});

Deno.test("Dispatcher gives a call up of which a stream begins while it waits for its turn", async () => {
  const rig = new Rig();
  for (const call of [1, 2, 3]) rig.call(A, call, 6, encode([stream(1)]));
  rig.dispatcher.onFrame(frame(Kind.End, { peer: A, call: 2, stream: 1 }));
  assertEquals(rig.answers, [`ERROR ${A} 2 PROTOCOL`]);
  rig.ends[0]!();
  await settled();
  assertEquals([rig.queued.length, rig.dispatcher.counts.runningCalls], [2, 1]);
});

Deno.test("Dispatcher fails the streams of a call whose caller leaves while it waits for its turn", async () => {
  const rig = new Rig();
  rig.call(A, 1, 6);
  rig.call(A, 2, 6, encode([stream(1)]), Flag.NoReply);
  rig.dispatcher.onLeave(new RemoteProcess(A, "a"));
  rig.ends[0]!();
  await settled();
  const [items] = rig.queued[1] as [AsyncIterator<unknown>];
  await assertRejects(() => items.next(), CallCancelledError, "process a, is gone");
  assertEquals(rig.answers, []);
});

Deno.test("Dispatcher answers that there is no room for an answer, if it is not a small one", () => {
  const rig = new Rig();
  rig.outbox.hasRoom = () => false;
  rig.call(A, 1, 4, encode([10]));
  rig.call(A, 2, 4, encode([2000]));
  assertEquals(rig.answers, [`RESULT ${A} 1 undefined`, `ERROR ${A} 2 OVERLOADED`]);
});

Deno.test("Dispatcher takes nothing more when the time for what runs is over", async () => {
  const rig = new Rig();
  rig.call(A, 1, 1);
  using time = new FakeTime();
  const drained = rig.dispatcher.drain(1_000);
  time.tick(1_000); // while it still waits for calls of those who have not heard yet
  assertEquals(await drained, true);
  rig.call(A, 2, 1);
  assertEquals([rig.running, rig.answers], [1, [
    "ERROR 2 1 CALL_CANCELLED",
    "ERROR 2 2 CALLBACK_NOT_FOUND",
  ]]);
});

Deno.test("Dispatcher takes the call of who has not heard yet that it stops, though it had none before", async () => {
  const rig = new Rig();
  const drained = rig.dispatcher.drain(1_000);
  rig.call(A, 1, 4, encode([2]));
  assertEquals(await drained, true);
  assertEquals(rig.answers, ["RESULT 2 1 undefined"]);
});

Deno.test("Dispatcher lets nobody of the next network cancel what goes on from the one before", () => {
  const rig = new Rig();
  rig.call(A, 1, 2, encode([]), Flag.NoReply);
  rig.dispatcher.disconnected();
  rig.cancel(A, 1);
  assertEquals(rig.signals.map(({ aborted }) => aborted), [false]);
});

Deno.test("Dispatcher keeps no arguments of what runs", () => {
  const given: unknown[] = [];
  const call = new RunningCall({
    ...{ g: undefined, source: new RemoteProcess(A, "a"), callId: 1, flags: 0, callerTimeoutMs: 0 },
    callback: makeEntry("take", (...args) => given.push(...args), {}),
    reply: { value() {}, failure() {}, refuse() {} },
  });
  new Rig().dispatcher.admit(call, frame(Kind.Call, { payload: encode([3]) }));
  assertEquals([given, call.args], [[3], []]);
});

Deno.test("Dispatcher tells that a run has ended when its callback has, long after it was given up", async () => {
  using time = new FakeTime();
  const rig = new Rig();
  const told: string[] = [];
  rig.run("limited", "owner", (error) => told.push((error as Error).name))
    .then(() => told.push("ended"));
  await time.tickAsync(100);
  assertEquals(told, ["CallTimeoutError"]);
  rig.end.resolve();
  await time.runMicrotasks();
  assertEquals(told, ["CallTimeoutError", "ended"]);
});
