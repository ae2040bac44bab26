import { assert, assertEquals, assertRejects } from "@std/assert";
import { PeerLostError } from "../../mod.ts";
import { timeLeft } from "../../src/node/pending_call.ts";
import { encodeControl } from "../../src/wire/control.ts";
import { Kind, Undelivered } from "../../src/wire/frame.ts";
import { largePayloads } from "../../src/wire/large_payloads.ts";
import { request } from "../fuzz/live.ts";
import { settled, soon } from "../helpers/soon.ts";
import { callerRig, two } from "./caller_rig.ts";

Deno.test("timeLeft() is a millisecond at least, and 0 for more than can travel", () => {
  assertEquals([timeLeft(10, 10), timeLeft(5, 10), timeLeft(0.5, 0), timeLeft(2 ** 32, 0)], [
    1,
    1,
    1,
    0,
  ]);
});

Deno.test("a call that has waited is lost with the connection it was sent on", async () => {
  const { welcome, caller, connect, wire, lose } = callerRig();
  const outcome = caller.call(request("add", [1]));
  welcome([2, "a", [[1, "add"]]]);
  connect();
  assertEquals(wire.told.length, 1);
  lose();
  await assertRejects(() => soon(outcome, 500), PeerLostError);
  caller.end(undefined);
});

Deno.test("a call that still waits outlives a second loss", async () => {
  const { welcome, caller, connect, wire, lose } = callerRig();
  welcome([2, "a", [[1, "add"]]]);
  connect();
  lose();
  welcome();
  connect();
  const outcome = caller.call(request("add", [1]));
  outcome.catch(() => {});
  assertEquals(wire.told, []);
  lose();
  welcome([3, "a", [[1, "add"]]]);
  connect();
  await settled();
  assertEquals(wire.told.length, 1);
  caller.end(undefined);
});

Deno.test("a broadcast without results that was given up is not sent later", async () => {
  const { welcome, caller, connect, wire } = callerRig();
  const outcome = caller.broadcast(request("add", [1], { signal: AbortSignal.timeout(5) }));
  await assertRejects(() => outcome);
  welcome([2, "a", [[1, "add"]]]);
  connect();
  assertEquals(wire.told, []);
  caller.end(undefined);
});

Deno.test("what has waited and is too large is not sent", async () => {
  const { welcome, caller, connect, wire } = callerRig();
  const sent = caller.noReturn(request("add", [new Uint8Array(2000)]));
  welcome([2, "a", [[1, "add"]]]);
  connect();
  await sent;
  assertEquals([wire.told, caller.counts.droppedCalls], [[], 1]);
  caller.end(undefined);
});

Deno.test("a call without answer to a paused one that leaves is dropped", async () => {
  const { welcome, caller, connect, network } = callerRig();
  welcome([2, "a", [[1, "add"]]]);
  const outbox = connect();
  outbox.pause(2);
  const sent = caller.noReturn(request("add", [1]));
  caller.onLeave(network.byId(2)!, false);
  await soon(sent, 500);
  await soon(outbox.flushed(), 500);
  assertEquals(caller.counts.droppedCalls, 1);
  caller.end(undefined);
});

Deno.test("what a logger calls when a connection is lost waits for the next one", () => {
  const { welcome, caller, logger, connect, wire, lose } = callerRig();
  logger.warn = () => void caller.noReturn(request("log", ["it was lost"]));
  welcome([2, "a", [[1, "add"], [2, "log"]]]);
  connect().pause(2);
  void caller.noReturn(request("add", [1]));
  lose();
  assertEquals(wire.told, []);
  welcome([3, "a", [[1, "add"], [2, "log"]]]);
  connect();
  assertEquals([wire.told.length, caller.counts.droppedCalls], [1, 1]);
  caller.end(undefined);
});

Deno.test("large arrays of a call that waits are copied", async () => {
  const { welcome, caller, connect, wire } = callerRig(largePayloads);
  const bytes = new Uint8Array(200_000).fill(1);
  caller.call(request("add", [bytes])).catch(() => {});
  bytes.fill(2);
  welcome([2, "a", [[1, "add"]]]);
  connect(1 << 20);
  await settled();
  assertEquals(wire.sent.at(-1)!.payload.at(-1), 1);
  caller.end(undefined);
});

Deno.test("a broadcast goes on when one stream has ended before others have answered", async () => {
  using rig = two();
  const outcome = rig.caller.broadcast(request("add", [1]), true);
  rig.targets();
  rig.say(Kind.Stream, 2);
  rig.say(Kind.End, 2);
  rig.say(Kind.Result, 3);
  assertEquals((await soon(outcome, 500))?.slow, 3);
});

Deno.test("a process that leaves by itself in the middle of its stream may have run", async () => {
  using rig = two();
  const outcome = rig.caller.call(request("add", [1], { to: "quick" }));
  rig.say(Kind.Stream, 2);
  const items = await outcome as AsyncIterator<unknown>;
  rig.caller.onLeave(rig.network.byId(2)!, true);
  assertEquals((await assertRejects(() => items.next(), PeerLostError)).executed, "maybe");
});

Deno.test("a process that leaves by itself in the middle of its stream of a broadcast may have run", async () => {
  using rig = two();
  const outcome = rig.caller.broadcast(request("add", [1]), true);
  rig.targets();
  rig.say(Kind.Stream, 2);
  rig.say(Kind.Result, 3);
  const { quick } = await outcome as Record<string, AsyncIterator<unknown>>;
  rig.caller.onLeave(rig.network.byId(2)!, true);
  assertEquals((await assertRejects(() => quick!.next(), PeerLostError)).executed, "maybe");
});

Deno.test("a cancelled broadcast waits for nobody any more, and never for a target that has left", async () => {
  using rig = two();
  const controller = new AbortController();
  const outcome = rig.caller.broadcast(request("add", [1], { signal: controller.signal }), true);
  rig.say(Kind.Targets, 0, encodeControl([2, 3, 99]));
  assertEquals(rig.network.byId(3)!.pendingCalls, 1);
  controller.abort();
  await assertRejects(() => outcome);
  assertEquals([2, 3].map((id) => rig.network.byId(id)!.pendingCalls), [0, 0]);
});

Deno.test("a call of which something was too large tells its process to stop", async () => {
  using rig = two();
  const outcome = rig.caller.call(request("add", [[1].values()], { to: "quick" }));
  rig.say(Kind.Undelivered, 2, new Uint8Array(), Undelivered.TooLarge);
  await assertRejects(() => outcome);
  assert(rig.wire.told.includes("CANCEL 2 1"), rig.wire.told.join());
});

Deno.test("a call, or broadcast, that times out tells those who run it", async () => {
  for (const how of ["call", "broadcast"] as const) {
    using rig = two();
    const outcome = rig.caller[how](request("add", [1], { timeoutMs: 5 }), true);
    if (how === "broadcast") rig.targets();
    await assertRejects(() => outcome as Promise<unknown>);
    assertEquals(
      rig.wire.told.filter((t) => t.startsWith("CANCEL")).length,
      how === "call" ? 1 : 2,
    );
  }
});
