import { assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import fc from "fast-check";
import { Announcer } from "../../src/controller/announcer.ts";
import type { Peer } from "../../src/controller/peer.ts";
import { Router } from "../../src/controller/router.ts";
import { decodeDirectoryChange } from "../../src/wire/control.ts";
import { frame, Kind } from "../../src/wire/frame.ts";
import { KIND_NAMES } from "../../src/wire/kind_names.ts";
import { MAX_QUEUED_BYTES, MAX_UNDER_WAY_BYTES } from "../../src/wire/limits.ts";
import type { FakeConnection } from "../helpers/fake_connection.ts";
import { FakeTime } from "../helpers/fake_time.ts";
import { fakePeer } from "./peers.ts";

/** After which everybody is told of everything, in the networks here. */
const LONG_MS = 60;

interface Network {
  time: FakeTime;
  announcer: Announcer;
  peers: Map<number, Peer>;
  wires: FakeConnection[];
  /** A process leaves that is none of them. */
  change(id: number): void;
  join(): FakeConnection;
}

function network(nodes: number, fn: (network: Network) => void): void {
  using time = new FakeTime(0);
  const peers = new Map<number, Peer>();
  const announcer = new Announcer(peers, () => time.now);
  const wires: FakeConnection[] = [];
  const join = () => {
    const { peer, wire } = fakePeer(1_000 + wires.length);
    announcer.welcome(peer);
    peers.set(peer.id, peer);
    wires.push(wire);
    return wire;
  };
  for (let i = 0; i < nodes; i++) join();
  const change = (id: number) => announcer.announce({ type: "leave", id, graceful: true });
  fn({ time, announcer, peers, wires, change, join });
  assertEquals(time.pending, 0);
}

/** Has the connection of a node break as it is told of something. */
function breakWhileTold({ peers, wires, change }: Network): void {
  const wire = wires[15]!;
  const send = wire.sendShared.bind(wire);
  wire.sendShared = (frames) => {
    send(frames);
    if (peers.delete(1_015)) change(1_015);
  };
}

/** What a node was told: ids of those who left, and kinds of other frames. */
function told({ sent }: FakeConnection): (number | string)[] {
  return sent.map(({ kind, payload }) => {
    if (kind !== Kind.Directory) return KIND_NAMES.get(kind)!;
    const change = decodeDirectoryChange(payload);
    return change.type === "leave" || change.type === "withdraw" ? change.id : change.type;
  });
}

Deno.test("Announcer tells few nodes of each change at once", () => {
  network(19, ({ wires, change }) => {
    for (const id of [1, 2, 3]) {
      change(id);
      assertEquals(wires.map((wire) => told(wire).length), Array(19).fill(id));
    }
    assertEquals(told(wires[7]!), [1, 2, 3]);
  });
});

Deno.test("Announcer tells many nodes of the first change at once, and of the next ones together", () => {
  network(200, ({ time, wires, change }) => {
    change(1);
    assertEquals(told(wires[0]!), [1]);
    for (const id of [2, 3]) {
      change(id);
      time.tick(9);
    }
    assertEquals(told(wires[0]!), [1]);
    time.tick(2);
    assertEquals(wires.map(told), Array(200).fill([1, 2, 3]));
    assertEquals(new Set(wires.map(({ shared }) => shared[1])).size, 1, "in the same memory");
    time.tick(19);
    change(4);
    assertEquals(told(wires[0]!), [1, 2, 3]);
    time.tick(1);
    assertEquals(told(wires[0]!), [1, 2, 3, 4]);
    time.tick(20);
    change(5);
    assertEquals(told(wires[0]!), [1, 2, 3, 4, 5]);
  });
});

Deno.test("Announcer lets no more than 256 KiB wait", () => {
  network(200, ({ announcer, wires, change }) => {
    change(1);
    for (const size of [0, 100, 100, 57]) {
      assertEquals(told(wires[0]!), [1]);
      const name = "x".repeat(size * 1024);
      announcer.announce({ type: "join", process: [1, name, []] });
    }
    assertEquals(wires.map(({ sent }) => sent.length), Array(200).fill(5));
  });
});

Deno.test("Announcer tells a node nothing that its WELCOME has", () => {
  network(200, ({ time, change, join }) => {
    change(1);
    change(2);
    const wire = join();
    change(3);
    time.tick(LONG_MS);
    assertEquals(told(wire), [3]);
  });
});

Deno.test("catchUp() tells a node what it was not told, once", () => {
  network(200, ({ time, announcer, peers, wires, change }) => {
    const [peer] = peers.values();
    for (const id of [1, 2, 3]) change(id);
    assertEquals(announcer.isBehind, true);
    announcer.catchUp(peer!);
    announcer.catchUp(peer!);
    assertEquals([told(wires[0]!), told(wires[1]!)], [[1, 2, 3], [1]]);
    change(4);
    time.tick(LONG_MS);
    assertEquals([told(wires[0]!), told(wires[1]!)], [[1, 2, 3, 4], [1, 2, 3, 4]]);
    assertEquals(announcer.isBehind, false);
  });
});

Deno.test("route() tells a node of what has changed before it hears from another one", () => {
  network(200, ({ time, announcer, peers, wires, change }) => {
    const router = new Router(peers, () => new Set(peers.keys()), announcer);
    const [source, target] = [...peers.values()];
    change(1);
    change(2);
    router.route(source!, frame(Kind.Call, { call: 1, peer: target!.id }));
    assertEquals([wires[0]!, wires[1]!, wires[2]!].map(told), [[1], [1, 2, "CALL"], [1]]);
    router.route(source!, frame(Kind.Broadcast, { call: 2 }));
    assertEquals(told(wires[0]!), [1, 2, "TARGETS"]);
    assertEquals(told(wires[2]!), [1, 2, "CALL"]);
    change(3);
    router.route(source!, frame(Kind.Call, { call: 3, peer: 77 }));
    assertEquals(told(wires[0]!), [1, 2, "TARGETS", 3, "UNDELIVERED"]);
    time.tick(LONG_MS);
    assertEquals(told(wires[2]!), [1, 2, "CALL", 3]);
  });
});

Deno.test("announceOf() tells everything at once, first the one that it is about", () => {
  network(200, ({ announcer, peers, wires, change }) => {
    const cause = [...peers.values()].at(-1);
    const orders: string[] = [];
    for (const [i, wire] of wires.entries()) {
      const send = wire.sendShared.bind(wire);
      wire.sendShared = (frames) => (orders.push(String(i)), send(frames));
    }
    change(1);
    change(2);
    orders.length = 0;
    announcer.announceOf(cause!, { type: "withdraw", id: 3, callbacks: [7] });
    assertEquals(orders.slice(0, 3), ["199", "0", "1"]);
    assertEquals(wires.map(told), Array(200).fill([1, 2, 3]));
  });
});

Deno.test("announceOf() tells of all that comes together in one piece, which lies in the memory once", () => {
  network(20, ({ announcer, peers, wires }) => {
    const [cause] = peers.values();
    const wire = wires[0]!;
    const offer = (id: number) =>
      announcer.announceOf(cause!, { type: "withdraw", id, callbacks: [id] });
    wire.hasMore = true;
    for (const id of [1, 2]) offer(id);
    assertEquals([wires.flatMap(told), wire.gaveWay], [[], false]);
    announcer.catchUp([...peers.values()][19]!);
    assertEquals(told(wires[19]!), [1, 2]);
    wire.hasMore = false;
    offer(3);
    assertEquals([wires.map(told), wire.gaveWay], [Array(20).fill([1, 2, 3]), true]);
    assertEquals(new Set(wires.slice(0, 19).map(({ shared }) => shared[0])).size, 1);
    const { backlog } = cause!;
    assertEquals(wires.map(({ shared }) => shared.length), wires.map((_, i) => i === 19 ? 2 : 1));
    assertEquals(backlog.bytes, wire.shared[0]!.length);
    wire.releases[0]!();
    assertEquals(cause!.sharedBytes, 0);
  });
});

Deno.test("announceOf() does not wait for what has not come as a whole, nor is told of who fails", async () => {
  const nodes = [fakePeer(1), fakePeer(2)] as const;
  const announcer = new Announcer(new Map(nodes.map(({ peer }) => [peer.id, peer])));
  const [{ peer: cause, wire }, other] = nodes;
  wire.hasMore = true;
  for (const id of [1, 2]) announcer.announceOf(cause, { type: "withdraw", id, callbacks: [7] });
  assertEquals([told(wire), told(other.wire)], [[], []]);
  await Promise.resolve();
  assertEquals([told(wire), told(other.wire)], [[1, 2], [1, 2]]);
  other.wire.sendShared = () => {
    throw new RangeError("Array buffer allocation failed");
  };
  announcer.announceOf(cause, { type: "withdraw", id: 3, callbacks: [7] });
  await Promise.resolve();
  assertInstanceOf(wire.closedBecause, RangeError);
});

Deno.test("announceOf() holds the one back that it is about while another node does not read", () => {
  network(20, ({ announcer, peers, wires }) => {
    const [cause] = peers.values();
    wires[9]!.congested = true;
    wires[9]!.queuedBytes = MAX_QUEUED_BYTES + 1;
    const name = "x".repeat(MAX_UNDER_WAY_BYTES / 4);
    const held = [1, 2, 3, 4, 5].map((id) => {
      announcer.announceOf(cause!, { type: "offer", id: 3, callbacks: [[id, name]] });
      return wires.flatMap(({ held }, i) => held ? [i] : []);
    });
    assertEquals(held, [[], [], [], [], [0]]);
    assertEquals(wires[0]!.told.filter((line) => line.startsWith("PAUSE")), ["PAUSE 1009 0"]);
  });
});

Deno.test("Announcer tells everybody of a connection that breaks while it tells", () => {
  network(30, (net) => {
    const { time, wires, change } = net;
    breakWhileTold(net);
    change(1);
    time.tick(LONG_MS);
    change(2);
    time.tick(LONG_MS);
    wires.splice(15, 1);
    assertEquals(wires.map(told), wires.map(() => [1, 1_015, 2]));
  });
});

Deno.test("Announcer goes on telling after something has failed while it told", () => {
  network(19, ({ wires, change }) => {
    const wire = wires[15]!;
    const send = wire.sendShared.bind(wire);
    wire.sendShared = () => {
      wire.sendShared = send;
      throw new RangeError("Array buffer allocation failed");
    };
    assertThrows(() => change(1), RangeError);
    assertEquals(told(wires[18]!), []);
    change(2);
    wires.splice(15, 1);
    assertEquals(wires.map(told), Array(18).fill([1, 2]));
  });
});

Deno.test("Announcer tells nothing after stop()", () => {
  network(200, ({ time, announcer, wires, change }) => {
    change(1);
    change(2);
    announcer.stop();
    time.tick(LONG_MS);
    assertEquals(told(wires[0]!), [1]);
  });
  network(3, ({ announcer, wires, change }) => {
    announcer.stop();
    change(1);
    assertEquals(wires.map(told), [[], [], []]);
  });
});

Deno.test("Announcer tells each node all that has changed since it joined, in order (property)", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constantFrom("change", "join", "break", "withdraw") }),
    fc.record({ do: fc.constantFrom("tick", "catchUp"), by: fc.nat({ max: 40 }) }),
  );
  fc.assert(fc.property(fc.constantFrom(3, 18, 40), fc.array(step), (nodes, steps) => {
    network(nodes, ({ time, announcer, peers, wires, change, join }) => {
      let changes = 0;
      const joinedAfter = wires.map(() => 0);
      for (const step of steps) {
        const [oldest] = peers.values();
        if (step.do === "change") change(++changes);
        if (step.do === "join") joinedAfter.push((join(), changes));
        if (step.do === "break" && oldest !== undefined) peers.delete(oldest.id);
        if (step.do === "withdraw" && oldest !== undefined) {
          announcer.announceOf(oldest, { type: "withdraw", id: ++changes, callbacks: [] });
        }
        if ("by" in step && step.do === "tick") time.tick(step.by);
        const peer = "by" in step ? [...peers.values()][step.by] : undefined;
        if (step.do === "catchUp" && peer !== undefined) announcer.catchUp(peer);
      }
      time.tick(LONG_MS);
      for (const [i, wire] of wires.entries()) {
        if (!peers.has(1_000 + i)) continue;
        const wanted = Array.from({ length: changes - joinedAfter[i]! }, (_, n) => n + 1);
        assertEquals(told(wire), wanted.map((n) => n + joinedAfter[i]!));
      }
    });
  }));
});

Deno.test("Announcer tells all that comes together after a connection that broke while it told", () => {
  network(200, (net) => {
    const { time, wires, change } = net;
    breakWhileTold(net);
    change(1);
    for (const id of [2, 3]) change(id);
    time.tick(LONG_MS);
    wires.splice(15, 1);
    assertEquals(wires.map(told), wires.map(() => [1, 1_015, 2, 3]));
  });
});

Deno.test("Announcer lets changes wait again after it was too much once", () => {
  network(200, ({ time, announcer, wires, change }) => {
    change(1);
    const name = "x".repeat(257 * 1024);
    announcer.announce({ type: "join", process: [1, name, []] });
    assertEquals(wires[0]!.sent.length, 2);
    change(2);
    assertEquals(wires[0]!.sent.length, 2);
    time.tick(LONG_MS);
    assertEquals(wires[0]!.sent.length, 3);
  });
});
