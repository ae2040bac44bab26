import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../mod.ts";
import { Announcer } from "../../src/controller/announcer.ts";
import { Router } from "../../src/controller/router.ts";
import { decodeTargets } from "../../src/wire/control.ts";
import { EMPTY, Flag, type Frame, frame, Kind, Undelivered } from "../../src/wire/frame.ts";
import { kindName } from "../../src/wire/kind_name.ts";
import {
  HEADER_BYTES,
  MAX_PART_BYTES,
  MAX_QUEUED_BYTES,
  MAX_UNDER_WAY_BYTES,
  MIN_COUNTED_BYTES,
} from "../../src/wire/limits.ts";
import { MIN_SHARED_BYTES } from "../../src/link/write_queue.ts";
import { fakePeer, UNDER_WAY_BYTES } from "./peers.ts";
import { announcementOf } from "../wire/frames.ts";
import type { Gate } from "../../src/controller/gate.ts";

/** Kinds to which the sender wants an answer. */
const ASKING: readonly number[] = [Kind.Call, Kind.Task, Kind.Transfer];

const FORWARDED = [
  Kind.Call,
  Kind.Task,
  Kind.TaskFailed,
  Kind.Transfer,
  Kind.Result,
  Kind.Error,
  Kind.Cancel,
  Kind.Stream,
  Kind.Item,
  Kind.End,
  Kind.Fail,
  Kind.Credit,
  Kind.Stop,
] as const;

function network(limits: Record<number, number> = {}) {
  const nodes = [1, 2, 3].map((id) => fakePeer(id, limits[id]));
  const peers = new Map(nodes.map(({ peer }) => [peer.id, peer]));
  const offers = new Map<number, Set<number>>();
  const announcer = new Announcer(peers);
  const router = new Router(peers, (nameId) => offers.get(nameId) ?? new Set(), announcer);
  const [a, b, c] = nodes as [typeof nodes[0], typeof nodes[0], typeof nodes[0]];
  return { router, a, b, c, peers, offers };
}

Deno.test("route() forwards with the source in the place of the target, and nothing else changed", () => {
  for (const kind of FORWARDED) {
    const { router, a, b, c } = network();
    const payload = new Uint8Array([1, 2, 3]);
    const fields = { flags: 2, stream: 4, call: 5, name: 6, value: 7, payload };
    router.route(a.peer, frame(kind, { ...fields, peer: 2 }));
    assertEquals(b.wire.sent, [frame(kind, { ...fields, peer: 1 })]);
    assertStrictEquals(b.wire.sent[0]!.payload, payload);
    assertEquals([a.wire.sent, c.wire.sent], [[], []]);
    assertEquals(router.counts, { forwarded: 1, dropped: 0 });
  }
});

Deno.test("route() forwards from a node to itself", () => {
  const { router, a } = network();
  router.route(a.peer, frame(Kind.Call, { peer: 1, call: 5 }));
  assertEquals(a.wire.told, ["CALL 1 5"]);
});

Deno.test("route() and deny() refuse a call without a number: its answers would be of no call", () => {
  for (const kind of [...ASKING, Kind.Broadcast] as Kind[]) {
    const { router, a, b, offers } = network();
    offers.set(6, new Set([2]));
    const nameless = () => frame(kind, { peer: 2, name: 6 });
    assertThrows(() => router.route(a.peer, nameless()), ProtocolError, kindName(kind));
    assertThrows(() => router.deny(a.peer, nameless()), ProtocolError, kindName(kind));
    assertEquals([a.wire.sent, b.wire.sent], [[], []]);
  }
});

Deno.test("route() sends a call to an unknown process back, and drops anything else", () => {
  for (const kind of FORWARDED) {
    const { router, a } = network();
    router.route(a.peer, frame(kind, { peer: 9, call: 5 }));
    if (ASKING.includes(kind)) {
      assertEquals(a.wire.sent, [
        frame(Kind.Undelivered, { peer: 9, call: 5, value: Undelivered.UnknownProcess }),
      ]);
      assertEquals(router.counts, { forwarded: 0, dropped: 0 });
    } else {
      assertEquals(a.wire.sent, []);
      assertEquals(router.counts, { forwarded: 0, dropped: 1 });
    }
  }
});

Deno.test("what comes back of a call says whether it wanted an answer", () => {
  const { router, a } = network({ 2: 100 });
  const payload = new Uint8Array(200);
  const flags = Flag.NoReply;
  router.route(a.peer, frame(Kind.Call, { peer: 9, call: 5, flags }));
  router.route(a.peer, frame(Kind.Call, { peer: 2, call: 6, flags, payload }));
  router.deny(a.peer, frame(Kind.Call, { peer: 2, call: 7, flags: flags | Flag.Each }));
  router.deny(a.peer, frame(Kind.Call, { peer: 2, call: 8, flags: Flag.Each }));
  assertEquals(a.wire.sent.map((frame) => frame.flags), [flags, flags, flags, 0]);
});

Deno.test("route() sends a call that is larger than the target takes back", () => {
  const limit = 100_000;
  const { router, a, b } = network({ 2: limit });
  const payload = new Uint8Array(limit - HEADER_BYTES);
  router.route(a.peer, frame(Kind.Call, { peer: 2, call: 5, payload }));
  assertEquals([a.wire.sent, b.wire.sent.length], [[], 1]);
  const tooLarge = new Uint8Array(payload.length + 1);
  router.route(a.peer, frame(Kind.Call, { peer: 2, call: 6, payload: tooLarge }));
  assertEquals(b.wire.sent.length, 1);
  assertEquals(a.wire.sent, [
    frame(Kind.Undelivered, { peer: 2, call: 6, value: Undelivered.TooLarge }),
  ]);
});

Deno.test("route() tells the caller of an answer or a stream that is too large", () => {
  const payload = new Uint8Array(200);
  for (const kind of [Kind.Result, Kind.Error, Kind.Item, Kind.Fail]) {
    const { router, a: callee, b: caller } = network({ 2: 100 });
    const answer = { peer: 2, call: 5, stream: 0, payload, flags: Flag.NoReply }; // which is not for it to say
    router.route(callee.peer, frame(kind, answer));
    assertEquals(callee.wire.sent, []);
    assertEquals(caller.wire.sent, [
      frame(Kind.Undelivered, { peer: 1, call: 5, value: Undelivered.AnswerTooLarge }),
    ]);
  }
  for (const kind of [Kind.Item, Kind.Fail]) {
    const { router, a: caller, b: callee } = network({ 2: 100 });
    router.route(caller.peer, frame(kind, { peer: 2, call: 5, stream: 1, payload }));
    assertEquals(callee.wire.sent, []);
    assertEquals(caller.wire.sent, [
      frame(Kind.Undelivered, { peer: 2, call: 5, value: Undelivered.TooLarge }),
    ]);
  }
});

Deno.test("route() gives a broadcast to those who offer it, but not to the source", () => {
  const { router, a, b, c, offers } = network();
  offers.set(7, new Set([1, 2, 3]));
  const payload = new Uint8Array([1]);
  const fields = { call: 5, name: 7, value: 9, payload };
  router.route(a.peer, frame(Kind.Broadcast, fields));
  assertEquals(a.wire.told, ["TARGETS 0 5"]);
  assertEquals(decodeTargets(a.wire.sent[0]!.payload), [2, 3]);
  for (const { wire } of [b, c]) {
    assertEquals(wire.sent, [frame(Kind.Call, { ...fields, peer: 1 })]);
  }
  assertEquals(router.counts.forwarded, 2);
});

Deno.test("route() lets the first ones of a broadcast have it while it is sent to the others", () => {
  const { router, a, b, c, offers } = network();
  offers.set(7, new Set([2, 3]));
  const sentToNext: number[] = [];
  b.wire.writeNow = () => sentToNext.push(c.wire.sent.length);
  router.route(a.peer, frame(Kind.Broadcast, { call: 5, name: 7 }));
  assertEquals([sentToNext, c.wire.hurried], [[0], [1]]);
});

Deno.test("route() lets broadcasts that came together leave together", () => {
  const { router, a, b, offers } = network();
  offers.set(7, new Set([2]));
  a.wire.hasMore = true;
  router.route(a.peer, frame(Kind.Broadcast, { call: 5, name: 7 }));
  assertEquals(b.wire.hurried, []);
  a.wire.hasMore = false;
  router.route(a.peer, frame(Kind.Broadcast, { call: 6, name: 7 }));
  assertEquals(b.wire.hurried, [2]);
});

Deno.test("route() gives a large broadcast to all in the same memory, which counts once until all have it", () => {
  const { router, a, b, c, offers } = network();
  offers.set(7, new Set([2, 3]));
  const fields = { call: 5, name: 7, value: 9, payload: new Uint8Array(1_000_000).fill(8) };
  router.route(a.peer, frame(Kind.Broadcast, fields));
  fields.payload.fill(0); // which is valid no longer
  for (const { wire } of [b, c]) {
    const [{ payload, ...others }, ...more] = wire.sent as [Frame];
    assertEquals(
      { ...others, payload: EMPTY },
      frame(Kind.Call, { ...fields, payload: EMPTY, peer: 1 }),
    );
    assertEquals([payload.length, payload.every((byte) => byte === 8)], [1_000_000, true]);
    assertEquals([more, wire.shared.length], [[], 4], "pieces that leave in a write each");
  }
  assertEquals(new Set([...b.wire.shared, ...c.wire.shared].map(({ buffer }) => buffer)).size, 1);
  assertEquals(router.counts.forwarded, 2);
  const { backlog } = a.peer;
  assertEquals(backlog.bytes, 1_000_000 + HEADER_BYTES);
  const release = ({ wire }: typeof b) => wire.releases.forEach((release) => release());
  release(b);
  assertEquals(backlog.bytes, 1_000_000 + HEADER_BYTES);
  release(c);
  assertEquals(backlog.bytes, 0);
});

Deno.test("route() asks the source of a large broadcast to pause, and sends back what a target cannot take", () => {
  const { router, a, b, c, offers } = network({ 3: MIN_SHARED_BYTES });
  offers.set(7, new Set([2, 3]));
  b.wire.congested = true;
  const payload = new Uint8Array(MIN_SHARED_BYTES);
  router.route(a.peer, frame(Kind.Broadcast, { call: 5, name: 7, payload }));
  assertEquals(a.wire.told, ["TARGETS 0 5", "PAUSE 2 0", "UNDELIVERED 3 5"]);
  assertEquals([b.wire.told, c.wire.told], [["CALL 1 5"], []]);
});

Deno.test("route() has who calls many at once give way to others", () => {
  for (const [count, gaveWay] of [[99, false], [100, true]] as const) {
    const nodes = Array.from({ length: count + 1 }, (_, i) => fakePeer(i));
    const peers = new Map(nodes.map(({ peer }) => [peer.id, peer]));
    const router = new Router(peers, () => new Set(peers.keys()), new Announcer(peers));
    const [source] = nodes;
    router.route(source!.peer, frame(Kind.Broadcast, { call: 5, name: 7 }));
    assertEquals(source!.wire.gaveWay, gaveWay);
  }
});

Deno.test("route() tells that a broadcast has no targets", () => {
  const { router, a, offers } = network();
  offers.set(7, new Set([1, 9]));
  router.route(a.peer, frame(Kind.Broadcast, { call: 5, name: 7 }));
  router.route(a.peer, frame(Kind.Broadcast, { call: 6, name: 8 }));
  assertEquals(a.wire.sent.map(({ payload }) => decodeTargets(payload)), [[], []]);
});

Deno.test("route() tells the targets of no broadcast that wants no answer", () => {
  const { router, a, b, offers } = network();
  offers.set(7, new Set([2]));
  const flags = Flag.NoReply;
  router.route(a.peer, frame(Kind.Broadcast, { call: 5, name: 7, flags }));
  assertEquals([a.wire.sent, b.wire.sent], [[], [
    frame(Kind.Call, { call: 5, name: 7, flags, peer: 1 }),
  ]]);
});

Deno.test("route() sends back the part of a broadcast that one target cannot take", () => {
  const { router, a, b, c, offers } = network({ 2: 100 });
  offers.set(7, new Set([2, 3]));
  const payload = new Uint8Array(200);
  router.route(a.peer, frame(Kind.Broadcast, { call: 5, name: 7, payload }));
  assertEquals([b.wire.sent.length, c.wire.sent.length], [0, 1]);
  assertEquals(a.wire.told, ["TARGETS 0 5", "UNDELIVERED 2 5"]);
});

Deno.test("route() counts what waits for nodes that take it in time as well, unless it is little", () => {
  const { router, a, b } = network();
  const send = (kind: Kind, peer: number) =>
    router.route(a.peer, frame(kind, { peer, call: 5, name: 7 }));
  b.wire.queuedBytes = MIN_COUNTED_BYTES;
  send(Kind.Item, 2);
  assertEquals(b.peer.backlog.bytes, 0);
  b.wire.queuedBytes++;
  send(Kind.Item, 2);
  assertEquals(b.peer.backlog.bytes, MIN_COUNTED_BYTES + 1);
  assertEquals([a.wire.told, b.wire.told], [[], ["ITEM 1 5", "ITEM 1 5"]]);
  a.wire.queuedBytes = 100_000;
  send(Kind.Broadcast, 0);
  assertEquals(a.peer.backlog.bytes, 100_000, "what it is answered");
});

Deno.test("route() slows down whoever sends to a congested node", () => {
  const { router, a, b, c } = network();
  b.wire.congested = true;
  router.route(a.peer, frame(Kind.Item, { peer: 2, call: 5 }));
  router.route(a.peer, frame(Kind.Item, { peer: 3, call: 5 }));
  assertEquals([a.wire.told, c.wire.told], [["PAUSE 2 0"], ["ITEM 1 5"]]);
});

Deno.test("route() forwards parts as they come, and drops those for a process that is gone", () => {
  const { router, a, b } = network();
  const part = { call: 5, stream: 1, payload: new Uint8Array(MAX_PART_BYTES) };
  router.route(a.peer, frame(Kind.Part, { ...part, peer: 2 }));
  router.route(a.peer, frame(Kind.Part, { ...part, peer: 9 }));
  assertEquals(b.wire.sent, [frame(Kind.Part, { ...part, peer: 1 })]);
  assertEquals([a.wire.told, router.counts.dropped], [[], 1]);
  const larger = { ...part, payload: new Uint8Array(MAX_PART_BYTES + 1), peer: 2 };
  assertThrows(() => router.route(a.peer, frame(Kind.Part, larger)), ProtocolError, "PART");
});

Deno.test("route() goes by the size that is announced for a payload in parts", () => {
  const { router, a, b } = network({ 2: 1000 });
  const head = (bytes: number, kind: Kind = Kind.Call) => {
    const payload = announcementOf(bytes);
    return frame(kind, { flags: Flag.InParts, peer: 2, call: 5, payload });
  };
  router.route(a.peer, head(1000 - HEADER_BYTES));
  assertEquals(b.wire.told, ["CALL 1 5"]);
  router.route(a.peer, head(1000 - HEADER_BYTES + 1));
  assertEquals(a.wire.sent, [
    frame(Kind.Undelivered, { call: 5, peer: 2, value: Undelivered.TooLarge }),
  ]);
  router.route(a.peer, head(1000 - HEADER_BYTES + 1, Kind.Result));
  assertEquals(
    b.wire.sent[1],
    frame(Kind.Undelivered, { call: 5, peer: 1, value: Undelivered.AnswerTooLarge }),
  );
});

Deno.test("route() drops the parts of what its target cannot take: they were sent back with their announcement", () => {
  const { router, a, b } = network({ 2: 1000 });
  const payload = new Uint8Array(1000);
  for (const stream of [0, 1]) {
    router.route(a.peer, frame(Kind.Part, { call: 5, stream, peer: 2, payload }));
  }
  assertEquals([a.wire.told, b.wire.told, router.counts.dropped], [[], [], 2]);
});

Deno.test("route() counts a payload in parts once for a node that is congested", () => {
  const announced = UNDER_WAY_BYTES / 2;
  const { router, a, b } = network();
  b.wire.congested = true;
  b.wire.queuedBytes = MAX_QUEUED_BYTES + 1;
  const head = { flags: Flag.InParts, peer: 2, call: 5, payload: announcementOf(announced) };
  for (let i = 0; i < 3; i++) router.route(a.peer, frame(Kind.Call, { ...head }));
  assertEquals(a.wire.held, false);
  const part = { call: 5, payload: new Uint8Array(MAX_PART_BYTES) };
  const send = () => router.route(a.peer, frame(Kind.Part, { ...part, peer: 2 }));
  for (let bytes = 0; bytes + 2 * MAX_PART_BYTES < UNDER_WAY_BYTES; bytes += MAX_PART_BYTES) send();
  assertEquals(a.wire.held, false);
  send();
  send();
  assertEquals(a.wire.held, true);
});

Deno.test("route() refuses announcements of kinds that cannot come in parts", () => {
  for (
    const kind of [Kind.Task, Kind.TaskFailed, Kind.Broadcast, Kind.Cancel, Kind.Credit, Kind.End]
  ) {
    const { router, a, offers } = network();
    offers.set(1, new Set([2]));
    const wrong = frame(kind, {
      flags: Flag.InParts,
      peer: 2,
      name: 1,
      payload: new Uint8Array(4),
    });
    assertThrows(() => router.route(a.peer, wrong), ProtocolError, "cannot come in parts");
  }
});

Deno.test("route() refuses kinds that no node may send", () => {
  const allowed = new Set<number>([...FORWARDED, Kind.Broadcast, Kind.Part]);
  for (const kind of Object.values(Kind)) {
    if (allowed.has(kind)) continue;
    const { router, a } = network();
    assertThrows(
      () => router.route(a.peer, frame(kind, { peer: 2 })),
      ProtocolError,
      kindName(kind),
    );
  }
});

Deno.test("route() drops what is too large and of no call, for nobody waits for it", () => {
  for (const kind of [Kind.Result, Kind.Error, Kind.End, Kind.Credit, Kind.TaskFailed]) {
    const { router, a, b } = network({ 2: 1000 });
    router.route(a.peer, frame(kind, { peer: 2, payload: new Uint8Array(1000) }));
    assertEquals([a.wire.sent, b.wire.sent, router.counts.dropped], [[], [], 1]);
  }
});

Deno.test("Router leaves those out of a broadcast about whom nothing was decided", () => {
  const { router, a, b, c, offers } = network();
  offers.set(7, new Set([2, 3]));
  a.peer.gate = { allowsBroadcast: (id: number) => id === 2 ? true : undefined } as Gate;
  router.route(a.peer, frame(Kind.Broadcast, { call: 5, name: 7 }));
  assertEquals(a.wire.told, ["TARGETS 0 5"]);
  assertEquals(decodeTargets(a.wire.sent[0]!.payload), [2]);
  assertEquals([b.wire.told, c.wire.told], [["CALL 1 5"], []]);
});

Deno.test("Router holds a source back that sends many empty frames to a slow node", () => {
  const { router, a, b } = network({ 2: 1000 });
  b.wire.congested = true;
  b.wire.queuedBytes = MAX_QUEUED_BYTES + 1;
  const cancel = () => frame(Kind.Cancel, { peer: 2, call: 5 });
  for (let bytes = 0; bytes <= MAX_UNDER_WAY_BYTES + 1000 + HEADER_BYTES; bytes += HEADER_BYTES) {
    router.route(a.peer, cancel());
  }
  assertEquals(a.wire.held, true);
});

Deno.test("route() slows down who makes others be told of what is too large, or itself", () => {
  const payload = new Uint8Array(200);
  const { router, a, b } = network({ 1: 100, 2: 100 });
  b.wire.congested = true;
  router.route(a.peer, frame(Kind.Result, { peer: 2, call: 5, payload }));
  assertEquals(a.wire.told, ["PAUSE 2 0"]);
  assertEquals(a.wire.held, false);
  a.wire.congested = true;
  a.wire.queuedBytes = 1;
  router.route(a.peer, frame(Kind.Fail, { peer: 2, call: 5, stream: 1, payload }));
  assertEquals(a.wire.held, true);
});
