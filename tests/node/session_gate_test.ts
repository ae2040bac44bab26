import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { OverloadedError } from "../../mod.ts";
import { Network } from "../../src/node/network.ts";
import type { Session } from "../../src/node/session.ts";
import { SessionGate, type Target } from "../../src/node/session_gate.ts";
import type { ProcessEntry } from "../../src/wire/control.ts";
import { MAX_WAITING_BYTES, MAX_WAITING_CALLS } from "../../src/wire/limits.ts";
import { FakeTime } from "../helpers/fake_time.ts";

const GRACE_MS = 5_000;
const session = {} as Session;
const f = { callbackName: "f", to: undefined };

class Gate {
  readonly network = new Network({ onJoin() {}, onLeave() {}, offersItself: () => false });
  readonly gate = new SessionGate(this.network);
  readonly heard: string[] = [];
  #owners: Record<string, object> = {};

  /** Who waits by this name; by the name x, always another one. */
  owner(name: string): object {
    if (name === "x") return {};
    return this.#owners[name] ??= {};
  }

  /** The controller says who is there. */
  welcome(...processes: ProcessEntry[]): void {
    this.network.reset({ id: 1, controller: "c", maxFrameBytes: 1, processes });
    this.gate.open(session);
  }

  /** Another process comes. */
  join(process: ProcessEntry): void {
    this.network.apply({ type: "join", process });
    this.gate.changed();
  }

  lose(): void {
    this.gate.close();
    this.network.clear();
  }

  wait(
    name: string,
    target: Target = f,
    bytes = 1,
  ): void {
    this.gate.wait(this.owner(name), target, {
      bytes,
      send: (given) => {
        assertStrictEquals(given, session);
        this.heard.push(name);
      },
      fail: (error) => this.heard.push(`${name} ${error.message}`),
    });
  }
}

Deno.test("SessionGate is ready while there is a session", () => {
  const { gate } = new Gate();
  assertEquals([gate.session, gate.ready(f)], [undefined, undefined]);
  gate.open(session);
  assertStrictEquals(gate.session, session);
  assertStrictEquals(gate.ready(f), session);
});

Deno.test("SessionGate sends what has waited in the order in which it came, once", () => {
  const it = new Gate();
  for (const name of ["a", "b", "c"]) it.wait(name);
  assertEquals(it.heard, []);
  it.welcome();
  it.gate.changed();
  it.gate.end(() => new Error("over"));
  assertEquals(it.heard, ["a", "b", "c"]);
});

Deno.test("SessionGate fails what still waits at the end, or leaves it as it is", () => {
  const it = new Gate();
  it.wait("a");
  it.wait("b");
  it.gate.end(() => new Error("over"));
  assertEquals(it.heard, ["a over", "b over"]);
  it.wait("c");
  it.gate.end(undefined);
  it.welcome();
  assertEquals(it.heard, ["a over", "b over"]);
});

Deno.test("SessionGate refuses more than may wait, and takes more once they are gone", () => {
  const it = new Gate();
  for (let i = 0; i < MAX_WAITING_CALLS; i++) it.wait("x");
  const error = assertThrows(() => it.wait("one too many"), OverloadedError);
  assertEquals(error.executed, "never");
  it.welcome();
  assertEquals(it.heard.length, MAX_WAITING_CALLS);
  it.gate.close();
  it.wait("y");
});

Deno.test("SessionGate refuses more bytes than may wait", () => {
  const it = new Gate();
  const half = MAX_WAITING_BYTES / 2;
  it.wait("a", f, half);
  it.wait("b", f, half);
  const error = assertThrows(() => it.wait("c", f, 1), OverloadedError);
  assertEquals(
    error.message,
    `Cannot call: ${2 * half} bytes wait for the connection, at most ${2 * half} may`,
  );
  it.gate.leave(it.owner("a"));
  it.gate.leave(it.owner("a"));
  it.wait("d", f, half);
  assertThrows(() => it.wait("e", f, 1), OverloadedError);
  it.welcome();
  assertEquals(it.heard, ["b", "d"]);
  it.gate.close();
  it.wait("g", f, 2 * half);
});

Deno.test("SessionGate keeps nothing for those who wait no longer", () => {
  const it = new Gate();
  for (let i = 0; i < 3 * MAX_WAITING_CALLS; i++) {
    it.wait("late");
    it.gate.leave(it.owner("late"));
  }
  it.welcome();
  assertEquals(it.heard, []);
});

Deno.test("SessionGate holds calls back until those who were there before are back", () => {
  using time = new FakeTime();
  const it = new Gate();
  it.welcome([2, "a", [[1, "f"]]], [3, "b", []]);
  it.lose();
  it.wait("any");
  it.wait("pinned", { callbackName: "f", to: "a" });
  it.wait("to b", { callbackName: "g", to: "b" });
  it.wait("unknown", { callbackName: "nobody", to: undefined });
  it.wait("to nobody", { callbackName: "f", to: "nobody" });
  it.welcome();
  assertEquals(it.heard, ["unknown", "to nobody"]);
  assertEquals(it.gate.ready(f), undefined);
  it.join([4, "c", [[1, "f"]]]);
  assertEquals(it.heard.slice(2), ["any"]);
  assertStrictEquals(it.gate.ready(f), session);
  it.join([5, "a", [[1, "f"]]]);
  assertEquals(it.heard.slice(3), ["pinned"]);
  time.tick(GRACE_MS - 1);
  assertEquals(it.heard.length, 4);
  time.tick(1);
  assertEquals([it.heard.slice(4), time.pending], [["to b"], 0]);
});

Deno.test("SessionGate holds nothing back before the first connection and after the grace", () => {
  using time = new FakeTime();
  const it = new Gate();
  it.welcome();
  assertStrictEquals(it.gate.ready(f), session);
  it.join([2, "a", [[1, "f"]]]);
  it.lose();
  it.welcome();
  assertEquals(it.gate.ready(f), undefined);
  time.tick(GRACE_MS);
  assertStrictEquals(it.gate.ready(f), session);
});

Deno.test("SessionGate remembers who was there over several losses, and leaves no timer", () => {
  using time = new FakeTime();
  const it = new Gate();
  it.welcome([2, "a", [[1, "f"]]]);
  it.lose();
  it.welcome();
  time.tick(GRACE_MS - 1);
  it.lose();
  assertEquals(time.pending, 0);
  it.wait("f");
  it.welcome();
  time.tick(GRACE_MS - 1);
  assertEquals(it.heard, []);
  it.join([2, "a", [[1, "f"]]]);
  assertEquals(it.heard, ["f"]);
  it.gate.end(() => new Error("over"));
  assertEquals(time.pending, 0);
});

Deno.test("SessionGate lets fail at once what a process that is back has never offered", () => {
  using _time = new FakeTime();
  const it = new Gate();
  const [never, again] = [{ callbackName: "typo", to: "a" }, { callbackName: "f", to: "a" }];
  it.welcome([2, "a", [[1, "f"]]]);
  it.lose();
  it.welcome([3, "a", []]);
  assertEquals([it.gate.ready(never) === session, it.gate.ready(again)], [true, undefined]);
  it.gate.end(undefined);
});

Deno.test("SessionGate looks a call up in one place, however many were there before", () => {
  const rig = new Gate();
  const nodes = Array.from({ length: 100 }, (_, i): ProcessEntry => [i + 2, `n${i}`, [[1, "g"]]]);
  rig.welcome(...nodes, [200, "last", [[2, "f"]]]);
  rig.lose();
  for (let i = 0; i < 50; i++) rig.wait("x", f);
  rig.welcome();
  const { has } = Set.prototype;
  let looked = 0;
  Set.prototype.has = function (value) {
    looked++;
    return has.call(this, value);
  };
  try {
    rig.join(nodes[0]!);
  } finally {
    Set.prototype.has = has;
  }
  assert(looked >= 50 && looked < 200, `${looked} looks for 50 calls`);
  assertEquals(rig.heard, []);
  rig.join([200, "last", [[2, "f"]]]);
  assertEquals(rig.heard.length, 50);
  rig.gate.end(undefined);
});
