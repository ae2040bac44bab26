import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { ConnectionError } from "../../mod.ts";
import { Backlog, Shared } from "../../src/controller/backlog.ts";
import type { Peer } from "../../src/controller/peer.ts";
import { frame, Kind } from "../../src/wire/frame.ts";
import { encodeFrame } from "../../src/wire/frame_codec.ts";
import {
  DEFAULT_MAX_FRAME_BYTES,
  HEADER_BYTES,
  HOLD_AT_BYTES,
  MAX_ALL_QUEUED_BYTES,
  MAX_QUEUED_BYTES,
  PAUSE_AT_BYTES,
} from "../../src/wire/limits.ts";
import { fakePeer, UNDER_WAY_BYTES } from "./peers.ts";
import { settled } from "../helpers/soon.ts";

Deno.test("slowDown() asks each source to pause, once", () => {
  const [slow, a, b] = [fakePeer(1), fakePeer(2), fakePeer(3)];
  for (const { peer } of [a, b, a, b]) slow.peer.slowDown(peer, 100);
  assertEquals([a.wire.told, b.wire.told], [["PAUSE 1 0"], ["PAUSE 1 0"]]);
  assertEquals([a.wire.held, slow.wire.told], [false, []]);
});

Deno.test("slowDown() stops reading from a source that goes on sending once the queue is full", () => {
  const [slow, source] = [fakePeer(1), fakePeer(2)];
  slow.peer.slowDown(source.peer, MAX_QUEUED_BYTES);
  slow.wire.queuedBytes = MAX_QUEUED_BYTES;
  slow.peer.slowDown(source.peer, UNDER_WAY_BYTES + 1);
  assertEquals(source.wire.held, false);
  slow.wire.queuedBytes++;
  slow.peer.slowDown(source.peer, 1);
  assertEquals(source.wire.held, true);
});

Deno.test("slowDown() stops reading from a source that goes on sending while others pause, however short the queue", () => {
  const [busy, source, other] = [fakePeer(1), fakePeer(2), fakePeer(3)];
  busy.wire.queuedBytes = 1;
  for (const { peer } of [source, other]) busy.peer.slowDown(peer, 1);
  busy.peer.slowDown(source.peer, MAX_QUEUED_BYTES + DEFAULT_MAX_FRAME_BYTES);
  assertEquals(source.wire.held, false);
  busy.peer.slowDown(source.peer, 1);
  assertEquals([source.wire.held, other.wire.held], [true, false]);
  busy.peer.drained();
  assertEquals([source.wire.held, other.wire.told], [false, ["PAUSE 1 0", "RESUME 1 0"]]);
});

Deno.test("slowDown() goes on reading from a source that sent before it knew, however full the queue is", () => {
  const [slow, source] = [fakePeer(1), fakePeer(2)];
  slow.wire.queuedBytes = 10 * MAX_QUEUED_BYTES;
  slow.peer.slowDown(source.peer, MAX_QUEUED_BYTES);
  slow.peer.slowDown(source.peer, UNDER_WAY_BYTES);
  assertEquals(source.wire.held, false);
  slow.peer.drained();
  slow.peer.slowDown(source.peer, MAX_QUEUED_BYTES);
  assertEquals([source.wire.held, source.wire.told], [false, [
    "PAUSE 1 0",
    "RESUME 1 0",
    "PAUSE 1 0",
  ]]);
});

Deno.test("holdItself() stops reading from a node that does not read what it makes others send", () => {
  const slow = fakePeer(1);
  slow.wire.queuedBytes = MAX_QUEUED_BYTES + 1;
  slow.peer.holdItself(Kind.Ping, false);
  assertEquals(slow.wire.held, false);
  slow.peer.holdItself(Kind.Ping, true);
  assertEquals(slow.wire.held, true);
  slow.peer.drained();
  assertEquals(slow.wire.held, false);
});

Deno.test("holdItself() stops reading from a node that asks and does not read what it is answered", () => {
  const slow = fakePeer(1);
  slow.wire.queuedBytes = 1;
  for (const kind of [Kind.Credit, Kind.Result, Kind.Cancel, Kind.Ping, Kind.Offer]) {
    slow.peer.holdItself(kind, true);
    assertEquals(slow.wire.held, false);
  }
  slow.wire.queuedBytes = MAX_QUEUED_BYTES + 1;
  slow.peer.holdItself(Kind.Result, true); // it was told to pause, and answers on
  assertEquals(slow.wire.held, false);
  slow.wire.queuedBytes = 1;
  for (const kind of [Kind.Call, Kind.Broadcast, Kind.Task, Kind.Transfer, Kind.Item]) {
    slow.peer.holdItself(kind, false);
    assertEquals(slow.wire.held, true);
    slow.peer.drained();
    assertEquals(slow.wire.held, false);
  }
});

/** Nodes of one controller, for each of which so much waits. */
function crowd(queues: readonly number[]) {
  const peers = new Map<number, Peer>();
  const backlog = new Backlog(peers);
  const nodes = queues.map((bytes, i) => {
    const node = fakePeer(2 + i, undefined, backlog, i === 0);
    peers.set(node.peer.id, node.peer);
    node.wire.congested = bytes > PAUSE_AT_BYTES;
    node.wire.queuedBytes = bytes;
    return node;
  });
  const [source, other] = [fakePeer(100, undefined, backlog), fakePeer(101, undefined, backlog)];
  for (const { peer, wire } of nodes) if (wire.congested) peer.slowDown(other.peer, 1);
  const closed = () => [...nodes.keys()].filter((i) => nodes[i]!.wire.closedBecause !== undefined);
  return { backlog, nodes, source, closed };
}

Deno.test("slowDown() stops reading from a source that does not pause once all queues together are long", () => {
  const { backlog, nodes, source } = crowd(Array(13).fill(MAX_QUEUED_BYTES));
  const small = nodes[0]!;
  small.wire.queuedBytes = 0;
  small.peer.slowDown(source.peer, 1);
  small.peer.slowDown(source.peer, UNDER_WAY_BYTES + 1);
  assertEquals([backlog.bytes, source.wire.held], [HOLD_AT_BYTES, false]);
  small.wire.queuedBytes = 1;
  small.peer.slowDown(source.peer, 1);
  assertEquals(source.wire.held, true);
  small.peer.drained();
  assertEquals(source.wire.held, false);
  for (const { peer } of nodes) peer.drained();
  assertEquals(backlog.bytes, 0);
});

Deno.test("slowDown() goes on reading from a source that answers, however much waits for all together", async () => {
  const { backlog, nodes, source } = crowd(Array(40).fill(MAX_QUEUED_BYTES));
  assert(backlog.bytes > 2 * MAX_ALL_QUEUED_BYTES);
  nodes[7]!.peer.slowDown(source.peer, 100);
  nodes[7]!.peer.slowDown(source.peer, UNDER_WAY_BYTES);
  await settled();
  assertEquals([source.wire.held, source.wire.told], [false, ["PAUSE 9 0"]]);
});

Deno.test("slowDown() gives up the node for which most waits when all queues together are full", async () => {
  const MiB = 2 ** 20;
  // The first one is the node of the controller's own process.
  const { backlog, nodes, source, closed } = crowd(
    [200, 7, 150, 170, 160, 9, 155, 165].map((n) => n * MiB),
  );
  assertEquals(backlog.bytes, (200 + 150 + 170 + 160 + 9 + 155 + 165) * MiB);
  await settled();
  assertEquals(closed(), []);
  const grow = (i: number, bytes: number) => {
    nodes[i]!.wire.queuedBytes += bytes;
    nodes[i]!.peer.slowDown(source.peer, 1);
  };
  grow(2, 15 * MiB);
  await settled();
  assertEquals([closed(), backlog.bytes], [[], MAX_ALL_QUEUED_BYTES]);
  grow(5, 1);
  grow(6, 1);
  assertEquals(closed(), [], "while a frame is passed on");
  await settled();
  assertEquals(closed(), [3]);
  const { closedBecause } = nodes[3]!.wire;
  assertInstanceOf(closedBecause, ConnectionError);
  assertEquals(
    closedBecause.message,
    `Too much waits for all processes, and most of it, ${170 * MiB} bytes, for it`,
  );
});

Deno.test("slowDown() gives up who fills the memory, and not who has more of what others have as well", async () => {
  const { backlog, nodes, source, closed } = crowd(Array(15).fill(MAX_QUEUED_BYTES));
  const piece = new Uint8Array(1_000_000);
  const share = (i: number, shared: Shared) => {
    const { peer, wire } = nodes[i]!;
    wire.sendShared = () => {};
    peer.sendShared(shared);
    wire.congested = true;
    wire.queuedBytes += piece.length;
    peer.slowDown(source.peer, 1);
  };
  const first = Array.from({ length: 100 }, () => new Shared(piece, backlog));
  for (const shared of first) share(5, shared);
  nodes[9]!.wire.queuedBytes++;
  nodes[9]!.peer.slowDown(source.peer, 1);
  await settled();
  assertEquals(closed(), [9], "the longest queue of its own");
  const more = Array.from({ length: 1_100 }, () => new Shared(piece, backlog));
  for (const [i, shared] of more.entries()) {
    share(5, shared);
    if (i > 0) share(6, shared);
  }
  await settled();
  assertEquals(closed(), [5, 9]);
});

Deno.test("announce() counts what waits for many nodes, little for each", async () => {
  const MiB = 2 ** 20;
  const { backlog, nodes, source, closed } = crowd([0, ...Array(256).fill(4 * MiB)]);
  const change = new Shared(directory(100), backlog);
  const announceAll = () => nodes.forEach(({ peer }) => peer.announce(change));
  for (const { wire } of nodes) wire.sendShared = (_, release) => release?.(); // it is copied
  announceAll();
  await settled();
  assertEquals([backlog.bytes, closed()], [MAX_ALL_QUEUED_BYTES, []]);
  for (const { wire } of nodes) wire.queuedBytes = 0; // it is read
  const busy = nodes[1]!;
  busy.wire.congested = true;
  busy.wire.queuedBytes = MAX_QUEUED_BYTES;
  busy.peer.slowDown(source.peer, 1);
  busy.peer.slowDown(source.peer, UNDER_WAY_BYTES + 1);
  await settled();
  assertEquals([backlog.bytes, closed(), source.wire.held], [MAX_QUEUED_BYTES, [], false]);
  for (const [i, { wire }] of nodes.entries()) wire.queuedBytes = (i === 7 ? 5 : 4) * MiB;
  announceAll();
  await settled();
  assertEquals(closed(), [7]);
  for (const i of [3, 8, 9]) nodes[i]!.wire.queuedBytes = 7 * MiB;
  announceAll();
  await settled();
  assertEquals(closed(), [3, 7, 8], "as many as make room");
});

Deno.test("slowDown() gives nobody up for what was read meanwhile", async () => {
  const { backlog, nodes, source, closed } = crowd(Array(16).fill(MAX_QUEUED_BYTES));
  for (const { wire } of nodes.slice(0, 8)) wire.queuedBytes = PAUSE_AT_BYTES;
  nodes[15]!.wire.queuedBytes++;
  nodes[15]!.peer.slowDown(source.peer, 1);
  await settled();
  assertEquals(closed(), []);
  assertEquals(backlog.bytes, 8 * (MAX_QUEUED_BYTES + PAUSE_AT_BYTES) + 1);
});

Deno.test("slowDown() does not count again for each node what all have in the same memory", () => {
  const backlog = new Backlog(new Map());
  const source = fakePeer(1, undefined, backlog);
  const sinks = [2, 3].map((id) => fakePeer(id, undefined, backlog));
  const shared = new Shared(directory(1_000_000), backlog);
  for (const { peer, wire } of sinks) {
    peer.sendShared(shared);
    wire.queuedBytes = 1_000_100;
    peer.slowDown(source.peer, 1);
  }
  assertEquals(backlog.bytes, 1_000_200);
  const [first, second] = sinks as [typeof source, typeof source];
  first.wire.releases[0]!();
  first.wire.queuedBytes = 150;
  first.peer.slowDown(source.peer, 1);
  assertEquals(backlog.bytes, 1_000_250);
  second.wire.releases[0]!();
  for (const { peer } of sinks) peer.gone();
  assertEquals(backlog.bytes, 0);
});

Deno.test("sendShared() counts nothing for a connection that is over", () => {
  const backlog = new Backlog(new Map());
  const { peer, wire } = fakePeer(1, undefined, backlog);
  wire.closed = true;
  peer.sendShared(new Shared(new Uint8Array(100), backlog));
  assertEquals([backlog.bytes, wire.shared], [0, []]);
});

const directory = (bytes: number) =>
  encodeFrame(frame(Kind.Directory, { payload: new Uint8Array(bytes - HEADER_BYTES) }));

Deno.test("announce() gives up a node that does not read what changes", async () => {
  const slow = fakePeer(1);
  const { backlog } = slow.peer;
  const change = directory(MAX_QUEUED_BYTES / 4);
  const announce = () => {
    slow.peer.announce(new Shared(change, backlog));
    slow.wire.queuedBytes += change.length;
  };
  slow.wire.congested = true;
  for (let i = 0; i < 20; i++) {
    announce();
    slow.wire.queuedBytes -= Math.min(slow.wire.queuedBytes, change.length * (i % 3)); // it reads
  }
  slow.wire.queuedBytes += MAX_QUEUED_BYTES; // what others send
  for (let i = 0; i < 2; i++) announce();
  slow.peer.drained(); // it has read all
  slow.wire.queuedBytes = 0;
  for (let i = 0; i < 4; i++) announce();
  await Promise.resolve();
  assertEquals(slow.wire.closedBecause, undefined);
  slow.peer.announce(new Shared(directory(HEADER_BYTES), backlog));
  assertEquals(slow.wire.closedBecause, undefined, "in the middle of an announcement");
  await Promise.resolve();
  assertInstanceOf(slow.wire.closedBecause, ConnectionError);
});

Deno.test("drained() lets everybody go on, once", () => {
  const [slow, a, b] = [fakePeer(1), fakePeer(2), fakePeer(3)];
  slow.peer.slowDown(a.peer, 1);
  slow.wire.queuedBytes = MAX_QUEUED_BYTES + 1;
  for (let i = 0; i < 2; i++) slow.peer.slowDown(b.peer, UNDER_WAY_BYTES + 1);
  assertEquals(b.wire.held, true);
  slow.peer.drained();
  slow.peer.drained();
  assertEquals([a.wire.told, b.wire.told], [
    ["PAUSE 1 0", "RESUME 1 0"],
    ["PAUSE 1 0", "RESUME 1 0"],
  ]);
  assertEquals(b.wire.held, false);
  slow.peer.slowDown(a.peer, 1);
  assertEquals(a.wire.told.at(-1), "PAUSE 1 0");
});

Deno.test("drained() keeps a source held that another node is too slow for", () => {
  const [one, two, source] = [fakePeer(1), fakePeer(2), fakePeer(3)];
  for (const slow of [one, two]) {
    slow.wire.queuedBytes = MAX_QUEUED_BYTES + 1;
    for (let i = 0; i < 2; i++) slow.peer.slowDown(source.peer, UNDER_WAY_BYTES + 1);
  }
  one.peer.drained();
  assertEquals(source.wire.held, true);
  two.peer.drained();
  assertEquals(source.wire.held, false);
});

Deno.test("gone() reads on from those who were held, and tells nobody to go on sending", () => {
  const [slow, source] = [fakePeer(1), fakePeer(2)];
  slow.peer.slowDown(source.peer, MAX_QUEUED_BYTES);
  slow.wire.queuedBytes = MAX_QUEUED_BYTES + 1;
  slow.peer.slowDown(source.peer, UNDER_WAY_BYTES + 1);
  assertEquals(source.wire.held, true);
  slow.peer.gone();
  assertEquals([source.wire.held, source.wire.told], [false, ["PAUSE 1 0"]]);
});

Deno.test("announce() gives no node up for what it had read before", async () => {
  const slow = fakePeer(1);
  slow.wire.congested = true;
  slow.wire.sendShared = () => {};
  const quarter = new Shared(new Uint8Array(MAX_QUEUED_BYTES / 4), slow.peer.backlog);
  for (let i = 0; i < 4; i++) {
    slow.peer.announce(quarter);
    slow.wire.queuedBytes += quarter.bytes.length;
  }
  slow.peer.drained();
  slow.wire.queuedBytes = MAX_QUEUED_BYTES; // of others
  slow.peer.announce(quarter);
  await settled();
  assertEquals(slow.wire.closedBecause, undefined);
});

Deno.test("a peer keeps nothing of a source that has left", () => {
  const [slow, source, other] = [fakePeer(1), fakePeer(2), fakePeer(3)];
  slow.wire.queuedBytes = MAX_QUEUED_BYTES + 1;
  for (const { peer } of [source, other]) {
    slow.peer.slowDown(peer, 1);
    slow.peer.slowDown(peer, UNDER_WAY_BYTES + 1);
  }
  slow.peer.forget(source.peer);
  slow.peer.drained();
  assertEquals(source.wire.told, ["PAUSE 1 0"]);
  assertEquals([other.wire.held, other.wire.told], [false, ["PAUSE 1 0", "RESUME 1 0"]]);
});
