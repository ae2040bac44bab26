import { assert, assertEquals, assertRejects } from "@std/assert";
import { OverloadedError } from "../../mod.ts";
import { type CallScope, runInScope } from "../../src/internal/call_scope.ts";
import { monotonicMs } from "../../src/internal/monotonic.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { type Frame, Kind, Undelivered } from "../../src/wire/frame.ts";
import { request } from "../fuzz/live.ts";
import { settled, soon } from "../helpers/soon.ts";
import { callerRig, two } from "./caller_rig.ts";

/** A caller in a network of two that offer `add`, and its outbox. */
function connected() {
  const rig = callerRig();
  rig.welcome([2, "a", [[1, "add"]]], [3, "b", [[1, "add"]]]);
  const outbox = rig.connect();
  return { ...rig, outbox, [Symbol.dispose]: () => rig.caller.end(undefined) };
}

const someItems = () => [1, 2].values();

Deno.test("noReturn() settles when a process that was asked to be left in peace takes the call", async () => {
  using rig = connected();
  rig.outbox.pause(2);
  let isSent = false;
  const sent = rig.caller.noReturn(request("add", [1], { to: "a" })).then(() => isSent = true);
  await settled();
  assertEquals([isSent, rig.wire.told], [false, []]);
  rig.outbox.resume(2);
  await soon(sent);
  assertEquals(rig.wire.told, ["CALL 2 1"]);
});

Deno.test("noReturn() settles when the connection is lost before a paused process took the call", async () => {
  using rig = connected();
  rig.outbox.pause(2);
  const sent = rig.caller.noReturn(request("add", [1], { to: "a" }));
  rig.lose();
  await soon(sent);
  assertEquals([rig.wire.told, rig.caller.counts.droppedCalls], [[], 1]);
  assert(rig.logger.has("add on a: it was lost"), rig.logger.lines.join());
});

Deno.test("a call without answer that a callback makes outlives that callback's time, also with a stream", async () => {
  using rig = connected();
  const scope = { deadlineAt: monotonicMs() + 60_000 } as CallScope;
  await runInScope(scope, () => rig.caller.noReturn(request("add", [someItems()], { to: "a" })));
  const [{ kind, value }] = rig.wire.sent as [Frame];
  assertEquals([kind, value], [Kind.Call, 0]);
});

Deno.test("a broadcast without results that finds no room for one process is made on the next, unchanged", async () => {
  using rig = connected();
  const codec = new MessagePackCodec();
  const got: [peer: number, args: unknown][] = [];
  rig.wire.send = ({ peer, payload }) => got.push([peer, codec.decode(payload)]);
  rig.outbox.pause(1); // somebody else: each process gets a frame of its own
  const { post } = rig.outbox;
  rig.outbox.post = (frame, owner) => {
    if (frame.peer === 2) throw new OverloadedError("too much waits");
    post.call(rig.outbox, frame, owner);
  };
  // Who hears of it makes a call, which is encoded where the arguments of the broadcast were.
  const { warn } = rig.logger;
  rig.logger.warn = (message) => {
    warn.call(rig.logger, message);
    rig.caller.noReturn(request("add", ["somebody", "else's"], { to: "b" }));
  };
  await soon(rig.caller.broadcast(request("add", ["mine"])));
  assertEquals(got, [[3, ["somebody", "else's"]], [3, ["mine"]]]);
  assertEquals(rig.caller.counts.droppedCalls, 1);
  assert(rig.logger.has("add on a: too much waits"), rig.logger.lines.join());
});

Deno.test("a broadcast without results tells how much time is left, also when it has waited for a process", async () => {
  using rig = connected();
  rig.outbox.pause(3);
  await rig.caller.broadcast(request("add", [1], { timeoutMs: 60_000 }));
  rig.outbox.resume(3);
  assertEquals(rig.wire.told, ["CALL 2 1", "CALL 3 2"]);
  for (const { value } of rig.wire.sent) assert(value > 0 && value <= 60_000, `${value}`);
});

Deno.test("a broadcast without results that is cancelled when it has left has been sent", async () => {
  using rig = connected();
  const controller = new AbortController();
  const { send } = rig.wire;
  rig.wire.send = (frame) => {
    send.call(rig.wire, frame);
    rig.wire.congested = true; // by this very frame
  };
  const { signal } = controller;
  const sent = rig.caller.broadcast(request("add", [1], { signal }));
  assertEquals(rig.wire.told, ["BROADCAST 0 1"]);
  controller.abort();
  await soon(sent);
  assertEquals(rig.caller.counts.droppedCalls, 0);
});

Deno.test("a broadcast without results that sends a stream counts and logs a process that fails", async () => {
  using rig = two();
  await rig.caller.broadcast(request("add", [someItems()]));
  rig.targets();
  rig.say(Kind.Undelivered, 2, new Uint8Array(), Undelivered.Denied);
  rig.say(Kind.Result, 3);
  await settled();
  assertEquals(rig.caller.counts.droppedCalls, 1);
  assert(rig.logger.has("does not allow it"), rig.logger.lines.join());
});

Deno.test("a call without answer fails on a caller that has ended, and is counted", async () => {
  const rig = callerRig();
  rig.caller.end(() => new OverloadedError("it has ended"));
  await rig.caller.noReturn(request("add", [1]));
  await assertRejects(
    () => rig.caller.broadcast(request("add", [1])),
    OverloadedError,
    "it has ended",
  );
  assertEquals(rig.caller.counts.droppedCalls, 1);
});
