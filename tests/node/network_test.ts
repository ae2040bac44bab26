import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { CallbackNotFoundError, ProcessNotFoundError, ProtocolError } from "../../mod.ts";
import { Network } from "../../src/node/network.ts";
import { MAX_WITHDRAWN } from "../../src/wire/limits.ts";
import type { ProcessEntry } from "../../src/wire/control.ts";
import { settled } from "../helpers/soon.ts";

const SELF = 1;

class Watched {
  readonly heard: string[] = [];
  readonly network = new Network({
    onJoin: ({ name }) => this.heard.push(`join ${name}`),
    onLeave: ({ name }, graceful) => this.heard.push(`leave ${name} ${graceful}`),
    offersItself: (name) => name === "own",
  });

  constructor(...processes: ProcessEntry[]) {
    this.network.reset({
      id: SELF,
      controller: "c",
      maxFrameBytes: 1,
      processes: [[SELF, "self", [[1, "own"]]], ...processes],
    });
  }
}

const chosen = (network: Network, count: number, strategy: Parameters<Network["choose"]>[2]) =>
  Array.from({ length: count }, () => network.choose("f", undefined, strategy).name);

Deno.test("reset() tells of the others, and of those who are gone", () => {
  const { network, heard } = new Watched([2, "a", []], [3, "b", []]);
  network.reset({ id: 9, controller: "c", maxFrameBytes: 1, processes: [[9, "self", []]] });
  assertEquals(heard, ["join a", "join b", "leave a false", "leave b false"]);
  assertEquals(network.registeredCallbacks(), {});
});

Deno.test("apply() keeps registeredCallbacks() live, for whoever has kept it, too", () => {
  const { network, heard } = new Watched();
  const live = network.registeredCallbacks();
  assertEquals(live, {});
  network.apply({ type: "join", process: [2, "a", [[5, "f"]]] });
  assertEquals(live, { a: ["f"] });
  network.apply({ type: "offer", id: 2, callbacks: [[6, "g"], [7, "h"]] });
  network.apply({ type: "offer", id: SELF, callbacks: [[8, "own2"]] });
  assertEquals(live, { a: ["f", "g", "h"] });
  network.apply({ type: "withdraw", id: 2, callbacks: [5, 7, 99] });
  assertEquals(live, { a: ["g"] });
  network.apply({ type: "leave", id: 2, graceful: true });
  assertEquals(live, {});
  assertEquals(heard, ["join a", "leave a true"]);
  const processes: ProcessEntry[] = [[9, "self", []], [3, "b", [[1, "f"]]], [4, "__proto__", []]];
  network.reset({ id: 9, controller: "c", maxFrameBytes: 1, processes });
  assertEquals(Object.entries(live), [["b", ["f"]], ["__proto__", []]]);
  assertEquals(network.registeredCallbacks() === live, true);
  network.clear();
  assertEquals(Object.keys(live), []);
});

Deno.test("apply() goes on with another object when somebody has frozen registeredCallbacks()", () => {
  const { network } = new Watched([2, "a", [[5, "f"]]]);
  const frozen = Object.freeze(network.registeredCallbacks());
  network.apply({ type: "join", process: [3, "b", []] });
  assertEquals([frozen, network.registeredCallbacks()], [{ a: ["f"] }, { a: ["f"], b: [] }]);
  Object.freeze(network.registeredCallbacks());
  network.apply({ type: "leave", id: 2, graceful: true });
  assertEquals(network.registeredCallbacks(), { b: [] });
  Object.freeze(network.registeredCallbacks());
  network.clear();
  assertEquals(network.registeredCallbacks(), {});
});

Deno.test("apply() refuses a change of a process that is not there", () => {
  const { network } = new Watched();
  assertThrows(() => network.apply({ type: "leave", id: 7, graceful: true }), ProtocolError);
  assertThrows(() => network.apply({ type: "offer", id: 7, callbacks: [] }), ProtocolError);
});

Deno.test("ownCallback() still knows some that were withdrawn, as long as there is the connection", () => {
  const { network } = new Watched();
  network.apply({ type: "withdraw", id: SELF, callbacks: [1] });
  assertEquals(network.ownCallback(1), "own");
  for (let id = 2; id < 3 + MAX_WITHDRAWN; id++) {
    network.apply({ type: "offer", id: SELF, callbacks: [[id, `own${id}`]] });
    network.apply({ type: "withdraw", id: SELF, callbacks: [id] });
  }
  assertEquals([network.ownCallback(1), network.ownCallback(2)], [undefined, undefined]);
  assertEquals(network.ownCallback(3), "own3");
  network.reset({ id: SELF, controller: "d", maxFrameBytes: 1, processes: [[SELF, "self", []]] });
  assertEquals(network.ownCallback(3), undefined);
});

Deno.test("ownCallback() knows the own callbacks only", () => {
  const { network } = new Watched([2, "a", [[5, "f"]]]);
  assertEquals([network.ownCallback(1), network.ownCallback(5)], ["own", undefined]);
});

Deno.test("nameId() follows a name that has come back with another number", () => {
  const { network } = new Watched([2, "a", [[5, "f"]]]);
  assertEquals(network.nameId("f"), 5);
  network.apply({ type: "withdraw", id: 2, callbacks: [5] });
  assertThrows(() => network.nameId("f"), CallbackNotFoundError);
  network.apply({ type: "offer", id: 2, callbacks: [[8, "f"]] });
  assertEquals([network.nameId("f"), network.choose("f", undefined, "random").name], [8, "a"]);
});

Deno.test("choose() takes a random one of those who offer the name", () => {
  const { network } = new Watched([2, "a", [[5, "f"]]], [3, "b", [[5, "f"]]], [4, "c", []]);
  assertEquals(new Set(chosen(network, 200, "random")), new Set(["a", "b"]));
});

Deno.test("choose() goes round with round-robin", () => {
  const { network } = new Watched([2, "a", [[5, "f"]]], [3, "b", [[5, "f"]]], [4, "c", [[5, "f"]]]);
  const names = chosen(network, 6, "round-robin");
  assertEquals(names.slice(0, 3), names.slice(3));
  assertEquals(new Set(names), new Set(["a", "b", "c"]));
});

Deno.test("choose() takes the one with the fewest pending calls, any of equals", () => {
  const { network } = new Watched([2, "a", [[5, "f"]]], [3, "b", [[5, "f"]]], [4, "c", [[5, "f"]]]);
  network.byId(2)!.pendingCalls = 3;
  network.byId(3)!.pendingCalls = 1;
  network.byId(4)!.pendingCalls = 1;
  assertEquals(new Set(chosen(network, 200, "least-pending")), new Set(["b", "c"]));
  const { length } = chosen(network, 10_000, "least-pending").filter((name) => name === "b");
  assert(Math.abs(length - 5_000) < 500, `b was chosen ${length} times of 10,000`); // 10 standard deviations
  network.byId(4)!.pendingCalls = 0;
  assertEquals(new Set(chosen(network, 50, "least-pending")), new Set(["c"]));
});

Deno.test("choose() takes the process that it is told to", () => {
  const { network } = new Watched([2, "a", [[5, "f"]]], [3, "b", [[5, "f"]]]);
  for (let i = 0; i < 20; i++) assertEquals(network.choose("f", "b", "random").name, "b");
});

Deno.test("choose() says that the process is not connected, and which one may be meant", () => {
  const { network } = new Watched([2, "worker-1", [[5, "f"]]], [3, "other", []]);
  const error = assertThrows(
    () => network.choose("f", "worker-2", "random"),
    ProcessNotFoundError,
  );
  assert(error.message.includes("other, worker-1"), error.message);
  assert(error.message.includes("did you mean worker-1?"), error.message);
  const { code, processName, executed } = error;
  assertEquals([code, processName, executed], ["PROCESS_NOT_FOUND", "worker-2", "never"]);
});

Deno.test("choose() says that the process does not offer the name, and what it does", () => {
  const { network } = new Watched([2, "a", [[5, "f"]]], [3, "b", [[6, "subtract"]]]);
  const error = assertThrows(
    () => network.choose("substract", "b", "random"),
    CallbackNotFoundError,
  );
  assert(error.message.includes("did you mean subtract?"), error.message);
  assertEquals([error.processName, error.executed], ["b", "never"]);
});

Deno.test("choose() says that nobody offers the name, what is offered, and the nearest", () => {
  const { network } = new Watched([2, "a", [[5, "multiply"]]], [3, "b", [[6, "add"]]]);
  const error = assertThrows(
    () => network.choose("multply", undefined, "random"),
    CallbackNotFoundError,
  );
  assert(error.message.includes("no other process offers it"), error.message);
  assert(error.message.includes("add, multiply; did you mean multiply?"), error.message);
  assertEquals([error.code, error.callbackName], ["CALLBACK_NOT_FOUND", "multply"]);
});

Deno.test("choose() says that only the own process offers the name", () => {
  const { network } = new Watched([2, "a", []]);
  for (
    const [to, why] of [
      [undefined, "only this process itself offers it; call it as an ordinary function, or by"],
      [
        "self",
        "that is this process itself; call it as an ordinary function, or by a second Global",
      ],
    ] as const
  ) {
    const error = assertThrows(() => network.choose("own", to, "random"), CallbackNotFoundError);
    assert(error.message.includes(why), error.message);
  }
});

Deno.test("choose() looks names up as names only", () => {
  const { network } = new Watched([2, "constructor", [[5, "toString"]]]);
  for (const name of ["constructor", "__proto__", "hasOwnProperty"]) {
    assertThrows(() => network.choose(name, undefined, "random"), CallbackNotFoundError);
  }
  assertEquals(network.choose("toString", "constructor", "random").id, 2);
});

Deno.test("registeredCallbacks() holds names that objects have by themselves", () => {
  const { network } = new Watched([2, "__proto__", [[5, "f"]]]);
  assertEquals(Object.entries(network.registeredCallbacks()), [["__proto__", ["f"]]]);
});

Deno.test("when() resolves at once or when it comes true", async () => {
  const { network } = new Watched([2, "a", [[5, "f"]]]);
  await network.when("process", "a")[0];
  await network.when("callback", "f")[0];
  const heard: string[] = [];
  network.when("process", "b")[0].then(() => heard.push("process"));
  network.when("callback", "g")[0].then(() => heard.push("function"));
  network.when("callback", "own")[0].then(() => heard.push("own"));
  network.apply({ type: "join", process: [3, "b", []] });
  await settled();
  assertEquals(heard, ["process"]);
  network.apply({ type: "offer", id: 3, callbacks: [[6, "g"]] });
  await settled();
  assertEquals(heard, ["process", "function"]);
});

Deno.test("end() rejects waits, but not one that was given up", async () => {
  const { network } = new Watched();
  const [wait] = network.when("process", "b");
  const [givenUp, giveUp] = network.when("process", "b");
  giveUp();
  let settledAnyway = false;
  givenUp.finally(() => settledAnyway = true);
  network.end(() => new Error("stopped"));
  await assertRejects(() => wait, Error, "stopped");
  assertEquals(settledAnyway, false);
});

Deno.test("when() rejects at once when nothing will change any more", async () => {
  const { network } = new Watched();
  network.end(() => new Error("over"));
  await assertRejects(() => network.when("process", "a")[0], Error, "over");
});

Deno.test("offers() tells of one process whether it offers a callback now, and never of the own one", () => {
  const { network } = new Watched([2, "a", [[5, "f"]]], [3, "b", []]);
  network.apply({ type: "offer", id: SELF, callbacks: [[5, "f"]] });
  const offering = ["self", "a", "b", "nobody"].map((name) => network.offers("f", name));
  assertEquals(offering, [false, true, false, false]);
  assertEquals(["a", "nobody"].map((name) => network.offers("", name)), [true, false]);
  network.apply({ type: "withdraw", id: 2, callbacks: [5] });
  assertEquals([network.offers("f", "a"), network.offers("f", undefined)], [false, false]);
});

Deno.test("choose() by least-pending is fair among those with the fewest", () => {
  const offering = (id: number, name: string): ProcessEntry => [id, name, [[5, "f"]]];
  const { network } = new Watched(...["a", "b", "c", "d"].map((name, i) => offering(2 + i, name)));
  const { random } = Math;
  try {
    for (const id of [2, 3]) network.byId(id)!.pendingCalls = 1;
    Math.random = () => 0.45;
    assertEquals(network.choose("f", undefined, "least-pending").name, "d");
    for (const id of [2, 3]) network.byId(id)!.pendingCalls = 0;
    network.byId(5)!.pendingCalls = 9;
    assertEquals(network.choose("f", undefined, "least-pending").name, "b");
  } finally {
    Math.random = random;
  }
});

Deno.test("apply() takes an offer that is told twice once", () => {
  const { network } = new Watched([2, "a", []]);
  for (let i = 0; i < 2; i++) network.apply({ type: "offer", id: 2, callbacks: [[5, "f"]] });
  network.apply({ type: "withdraw", id: 2, callbacks: [5] });
  assertEquals(network.offers("f", undefined), false);
});
