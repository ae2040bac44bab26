import { assert, assertEquals, assertInstanceOf, assertRejects, assertThrows } from "@std/assert";
import {
  CallCancelledError,
  ConnectionError,
  EncodeError,
  OverloadedError,
  ProtocolError,
} from "../../mod.ts";
import { frame, Kind } from "../../src/wire/frame.ts";
import { largePayloads } from "../../src/wire/large_payloads.ts";
import { MAX_WAITING_BYTES } from "../../src/wire/limits.ts";
import { request } from "../fuzz/live.ts";
import { FakeTime } from "../helpers/fake_time.ts";
import { settled, soon } from "../helpers/soon.ts";
import { callerRig, two } from "./caller_rig.ts";

Deno.test("a call that has waited and is too large for the controller that it came to fails", async () => {
  const { welcome, caller, connect, wire } = callerRig();
  const outcome = caller.call(request("add", [new Uint8Array(2000)]));
  welcome([2, "a", [[1, "add"]]]);
  connect();
  const error = await assertRejects(() => soon(outcome), EncodeError, "at most 976 are allowed");
  assertEquals([error.executed, wire.told], ["never", []]);
  caller.end(undefined);
});

Deno.test("a call that has waited tells how much time is left then", () => {
  using time = new FakeTime();
  const { welcome, caller, connect, wire } = callerRig();
  caller.call(request("add", [1], { timeoutMs: 60_000 })).catch(() => {});
  time.tick(5);
  welcome([2, "a", [[1, "add"]]]);
  connect();
  assertEquals(wire.sent[0]!.value, 59_995);
  caller.end(undefined);
});

Deno.test("large arrays count to what may wait for a connection", async () => {
  const { caller } = callerRig(largePayloads);
  const large = new Uint8Array(MAX_WAITING_BYTES / 2 + 1);
  const [first, second] = [1, 2].map(() => caller.call(request("add", [large])));
  await assertRejects(() => soon(second!), OverloadedError, "wait for the connection");
  caller.end(() => new ConnectionError("over"));
  await assertRejects(() => soon(first!), ConnectionError);
});

Deno.test("a call fails with the reason for which its answer cannot be had", async () => {
  using rig = two();
  const outcome = rig.caller.call(request("add", [1], { to: "quick" }));
  const { call } = rig.wire.sent[0]!;
  const answer = frame(Kind.Result, { call, peer: 2 });
  rig.caller.onFrame(answer, new ProtocolError("others came after 5"));
  const error = await assertRejects(() => soon(outcome), ProtocolError, "others came after 5");
  assertEquals([error.executed, error.processName], ["yes", "quick"]);
  assertEquals(rig.wire.told.at(-1), `CANCEL 2 ${call}`);
});

Deno.test("calls that are left as they are at the end stay so when their process or the connection goes", async () => {
  const rig = two();
  let settledCalls = 0;
  for (const to of ["quick", "slow"]) {
    const outcome = rig.caller.call(request("add", [1], { to }));
    outcome.finally(() => settledCalls++).catch(() => {});
  }
  rig.caller.end(undefined);
  rig.caller.onLeave(rig.network.byId(2)!, true);
  rig.lose();
  await settled();
  assertEquals(settledCalls, 0);
});

Deno.test("each call that is made after the end fails with an error of its own", async () => {
  const { caller } = callerRig();
  caller.end(() => new ConnectionError("over"));
  const [one, other] = await Promise.all(
    [1, 2].map((n) => assertRejects(() => soon(caller.call(request("add", [n])))), "over"),
  );
  assertInstanceOf(one, ConnectionError);
  assert(one !== other);
  assertEquals(caller.counts.pendingCalls, 0);
});

Deno.test("a controller may tell the targets of a broadcast once", () => {
  using rig = two();
  rig.caller.broadcast(request("add", [1]), true).catch(() => {});
  rig.targets();
  assertThrows(() => rig.targets(), ProtocolError, "targets already");
  assertEquals([2, 3].map((id) => rig.network.byId(id)!.pendingCalls), [1, 1]);
});

Deno.test("a broadcast that is cancelled drops what its streams have given and was not read", async () => {
  using rig = two();
  const controller = new AbortController();
  const outcome = rig.caller.broadcast(request("add", [1], { signal: controller.signal }), true);
  rig.targets();
  rig.say(Kind.Stream, 2);
  rig.say(Kind.Result, 3);
  const { quick } = await outcome as Record<string, AsyncIterator<unknown>>;
  const first = quick!.next();
  rig.say(Kind.Item, 2);
  rig.say(Kind.Item, 2);
  assertEquals(await first, { done: false, value: 3 });
  controller.abort();
  await assertRejects(() => quick!.next(), CallCancelledError);
});
