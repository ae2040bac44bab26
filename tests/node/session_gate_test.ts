import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { OverloadedError } from "../../mod.ts";
import { Network } from "../../src/node/network.ts";
import type { Session } from "../../src/node/session.ts";
import { SessionGate } from "../../src/node/session_gate.ts";
import type { ProcessEntry } from "../../src/wire/control.ts";
import { MAX_WAITING_CALLS } from "../../src/wire/limits.ts";
import { FakeTime } from "../helpers/fake_time.ts";

const GRACE_MS = 5_000;
const session = {} as Session;
const f = { callbackName: "f", to: undefined };

class Gate {
  readonly network = new Network({ onJoin() {}, onLeave() {} });
  readonly gate = new SessionGate(this.network);
  readonly heard: string[] = [];

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

  wait(name: string, target: { callbackName: string; to: string | undefined } = f): void {
    this.gate.wait(target, {
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
