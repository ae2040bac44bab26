import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import {
  BroadcastError,
  CallCancelledError,
  CallTimeoutError,
  EncodeError,
  OverloadedError,
  PeerLostError,
  ProtocolError,
} from "../../mod.ts";
import type { DaffiError } from "../../mod.ts";
import { Caller } from "../../src/node/caller.ts";
import { Network, type RemoteProcess } from "../../src/node/network.ts";
import type { FrameOwner, Outbox } from "../../src/node/outbox.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { encodeControl } from "../../src/wire/control.ts";
import { Flag, type Frame, frame, Kind, Undelivered } from "../../src/wire/frame.ts";
import { largePayloads } from "../../src/wire/large_payloads.ts";
import { request } from "../fuzz/live.ts";
import { FakeConnection } from "../helpers/fake_connection.ts";
import { RecordingLogger } from "../helpers/recording_logger.ts";

const QUICK = 2;
const SLOW = 3;

/** A caller in a network with a quick process and a slow one, both of which offer `add`. */
class Rig {
  readonly connection = new FakeConnection();
  readonly logger = new RecordingLogger();
  readonly codec = new MessagePackCodec(largePayloads);
  readonly network = new Network({ onJoin() {}, onLeave() {}, offersItself: () => false });
  readonly caller: Caller;
  /** What waits for the slow one. */
  readonly waiting = new Map<FrameOwner, Frame>();
  /** Whether the slow one has room. */
  hasRoom = true;
  /** Whether the quick one is slow too. */
  allAreSlow = false;
  /** Until when the own connection is congested. */
  congestion: Promise<void> | undefined;

  constructor() {
    const { network } = this;
    network.reset({
      id: 1,
      controller: "c",
      maxFrameBytes: 1 << 20,
      processes: [[1, "self", []], [QUICK, "quick", [[1, "add"]]], [SLOW, "slow", [[1, "add"]]]],
    });
    const { codec, logger } = this;
    this.caller = new Caller({ codec, network, logger, defaultTimeoutMs: Infinity });
    const outbox = {
      isFree: false,
      post: (frame: Frame, owner: FrameOwner) => this.#post(frame, owner),
      forget() {},
      leave: (owner: FrameOwner) => this.waiting.delete(owner),
      ready: () => this.congestion,
    } as unknown as Outbox;
    const { connection } = this.connection;
    this.caller.connected({ connection, outbox, maxFrameBytes: 1 << 20 });
  }

  #post(frame: Frame, owner: FrameOwner): void {
    if (frame.peer === SLOW || this.allAreSlow) {
      if (!this.hasRoom) throw new OverloadedError("too much waits");
      this.waiting.set(owner, frame);
    } else if (owner.claim()) this.connection.send(frame);
  }

  get quick(): RemoteProcess {
    return this.network.byId(QUICK)!;
  }

  /** Answers the last call. */
  answer(peer: number, payload: Uint8Array): void {
    const { call } = this.connection.sent.at(-1)!;
    this.caller.onFrame(frame(Kind.Result, { call, peer, payload }));
  }

  [Symbol.dispose](): void {
    this.caller.end(undefined);
  }
}

Deno.test("a broadcast that has no room for one process is made on the others", async () => {
  using rig = new Rig();
  rig.hasRoom = false;
  const outcome = rig.caller.broadcast(request("add", [1, 2]), true);
  rig.answer(QUICK, rig.codec.encode(3, "result").slice());
  const error = await assertRejects(() => outcome, BroadcastError, "too much waits");
  assertEquals(error.results, { quick: 3 });
  const { slow } = error.errors;
  assertInstanceOf(slow, OverloadedError);
  assertEquals([slow.executed, slow.processName], ["never", "slow"]);
  assertEquals(error.executed, "maybe");
});

Deno.test("nothing of a broadcast waits for a slow process when it is over", async () => {
  using rig = new Rig();
  const controller = new AbortController();
  const outcome = rig.caller.broadcast(request("add", [1, 2], { signal: controller.signal }), true);
  assertEquals(rig.waiting.size, 1);
  controller.abort();
  await assertRejects(() => outcome, CallCancelledError);
  assertEquals(rig.waiting.size, 0);
});

Deno.test("an answer that cannot be read is one process's failure of a broadcast", async () => {
  using rig = new Rig();
  const outcome = rig.caller.broadcast(request("add", [1, 2]), true);
  for (const [owner, frame] of rig.waiting) if (owner.claim()) rig.connection.send(frame);
  rig.answer(SLOW, new Uint8Array([0xc1]));
  assertEquals(rig.connection.told.at(-1), "CANCEL 3 1");
  rig.caller.onFrame(
    frame(Kind.Result, { call: 1, peer: QUICK, payload: rig.codec.encode(3, "result") }),
  );
  const error = await assertRejects(() => outcome, BroadcastError);
  assertEquals(error.results, { quick: 3 });
  assertEquals([error.errors.slow?.name, error.errors.slow?.executed], ["ProtocolError", "yes"]);
});

Deno.test("a process that answers with a stream may not answer otherwise, nor may it end another's", async () => {
  using rig = new Rig();
  rig.hasRoom = false;
  const result = rig.caller.call(request("add", [1, 2], { to: "quick" }));
  const { call } = rig.connection.sent.at(-1)!;
  const send = (kind: Kind, payload = rig.codec.encode(null, "result").slice()) =>
    rig.caller.onFrame(frame(kind, { call, peer: QUICK, payload }));
  send(Kind.Stream);
  const items = await result as AsyncIterableIterator<unknown>;
  send(
    Kind.Error,
    rig.codec.encode({ code: "OVERLOADED", message: "x", executed: "never" }, "e").slice(),
  );
  const error = await assertRejects(() => items.next(), ProtocolError, "ERROR is not allowed here");
  assertEquals([error.executed, rig.connection.told.at(-1)], ["yes", `CANCEL ${QUICK} ${call}`]);
  assertEquals([rig.caller.counts.pendingCalls, rig.quick.pendingCalls], [0, 0]);
});

Deno.test("a stream is no answer to items that were streamed", async () => {
  using rig = new Rig();
  const taken = rig.caller.stream(request("add", [[1, 2].values()], { to: "quick" }));
  const { call } = rig.connection.sent.at(-1)!;
  rig.caller.onFrame(frame(Kind.Stream, { call, peer: QUICK }));
  const error = await assertRejects(() => taken, BroadcastError);
  assertInstanceOf(error.errors.quick, ProtocolError);
  assertEquals(rig.connection.told.at(-1), `CANCEL ${QUICK} ${call}`);
  assertEquals([rig.caller.counts.pendingCalls, rig.quick.pendingCalls], [0, 0]);
});

Deno.test("a call of which something is too large may have run if it has streams among its arguments", async () => {
  using rig = new Rig();
  for (const [args, executed] of [[[1], "never"], [[[1].values()], "maybe"]] as const) {
    const result = rig.caller.call(request("add", [...args], { to: "quick" }));
    const { call } = rig.connection.sent.findLast(({ kind }) => kind === Kind.Call)!;
    const value = Undelivered.TooLarge;
    rig.caller.onFrame(frame(Kind.Undelivered, { call, peer: QUICK, value }));
    const error = await assertRejects(() => result, EncodeError, "larger than it accepts");
    assertEquals(error.executed, executed);
  }
});

Deno.test("whoever was called is cancelled when the broadcast was before it was known who that is", () => {
  using rig = new Rig();
  const payload = encodeControl([QUICK, SLOW]);
  rig.caller.onFrame(frame(Kind.Targets, { call: 9, payload }));
  assertEquals(rig.connection.told, ["CANCEL 2 9", "CANCEL 3 9"]);
});

Deno.test("a call that a process has not taken before it left by itself has not run", async () => {
  using rig = new Rig();
  const executedWhenLeft = async (graceful: boolean) => {
    const outcome = rig.caller.call(request("add", [1, 2], { to: "quick" }));
    rig.caller.onLeave(rig.quick, graceful);
    return (await assertRejects(() => outcome, PeerLostError)).executed;
  };
  assertEquals(await executedWhenLeft(true), "never");
  assertEquals(await executedWhenLeft(false), "maybe");
});

Deno.test("what comes back of a call that is over is no call without answer that was dropped", async () => {
  using rig = new Rig();
  const outcome = rig.caller.call(request("add", [1, 2], { to: "quick" }));
  rig.caller.onLeave(rig.quick, true);
  await assertRejects(() => outcome, PeerLostError);
  const back = { call: rig.connection.sent.at(-1)!.call, peer: QUICK, value: 1 };
  rig.caller.onFrame(frame(Kind.Undelivered, back));
  assertEquals([rig.caller.counts.droppedCalls, rig.caller.counts.lateAnswers], [0, 1]);
  rig.caller.onFrame(frame(Kind.Undelivered, { ...back, flags: Flag.NoReply }));
  assertEquals([rig.caller.counts.droppedCalls, rig.caller.counts.lateAnswers], [1, 1]);
});

for (
  const [how, limit, kind] of [
    ["its timeout", () => ({ timeoutMs: 5 }), CallTimeoutError],
    ["its signal", () => ({ signal: AbortSignal.timeout(5) }), CallCancelledError],
  ] as const
) {
  Deno.test(`a broadcast without results waits for the own connection until ${how} at most`, async () => {
    using rig = new Rig();
    rig.congestion = new Promise(() => {});
    await rig.caller.broadcast(request("add", [1, 2], limit()));
    assertEquals(rig.connection.told.map((told) => told.slice(0, 6)), ["CALL 2"]);
    assertEquals(rig.waiting.size, 0);
    assertEquals(rig.caller.counts.droppedCalls, 1);
    const dropped = /dropped: add on slow: The call of add was (not sent in time|cancelled before)/;
    assertEquals(rig.logger.lines.filter((line) => dropped.test(line)).length, 1);
  });

  Deno.test(`a broadcast without results of which nothing was sent until ${how} fails`, async () => {
    using rig = new Rig();
    rig.congestion = new Promise(() => {});
    rig.allAreSlow = true;
    const outcome = rig.caller.broadcast(request("add", [1, 2], limit()));
    const error: DaffiError = await assertRejects(() => outcome, kind);
    assertEquals(error.executed, "never");
    assertEquals([rig.waiting.size, rig.caller.counts.droppedCalls], [0, 0]);
  });
}

Deno.test("a call without results that waits for a slow process is not sent when its time is over", async () => {
  using rig = new Rig();
  await rig.caller.broadcast(request("add", [1, 2], { timeoutMs: 1 }));
  const [owner] = rig.waiting.keys();
  for (const over = performance.now() + 1; performance.now() <= over;);
  assertEquals(owner!.claim(), false);
  assertEquals(rig.caller.counts.droppedCalls, 1);
});

Deno.test("arguments are read once where there is an iterable among them", async () => {
  using rig = new Rig();
  let reads = 0;
  const value = {
    get seen() {
      reads++;
      return true;
    },
    get items() {
      return (function* () {})();
    },
  };
  await rig.caller.noReturn(request("add", [value.items, value], { to: "quick" }));
  assertEquals(reads, 1);
});
