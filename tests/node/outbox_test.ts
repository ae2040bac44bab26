import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ConnectionError, OverloadedError } from "../../mod.ts";
import { type FrameOwner, Outbox } from "../../src/node/outbox.ts";
import { largePayloads } from "../../src/wire/large_payloads.ts";
import { frame, Kind } from "../../src/wire/frame.ts";
import { MAX_WAITING_BYTES } from "../../src/wire/limits.ts";
import { FakeConnection } from "../helpers/fake_connection.ts";
import { settled, soon } from "../helpers/soon.ts";

class Owner implements FrameOwner {
  claimed = 0;
  lost = 0;

  constructor(readonly wanted = true) {}

  claim(): boolean {
    this.claimed++;
    return this.wanted;
  }

  dropped(): void {
    this.lost++;
  }
}

function made(): { wire: FakeConnection; outbox: Outbox } {
  const wire = new FakeConnection();
  return { wire, outbox: new Outbox(wire.connection) };
}

const call = (peer: number, id: number, payload = new Uint8Array(0)) =>
  frame(Kind.Call, { peer, call: id, payload });

Deno.test("post() sends at once, after claiming the call", () => {
  const { wire, outbox } = made();
  const owner = new Owner();
  outbox.post(call(1, 1), owner);
  outbox.post(call(2, 2));
  assertEquals([wire.told, owner.claimed], [["CALL 1 1", "CALL 2 2"], 1]);
});

Deno.test("post() does not send a call that is not wanted any more", () => {
  const { wire, outbox } = made();
  outbox.post(call(1, 1), new Owner(false));
  outbox.pause(1);
  outbox.post(call(1, 2), new Owner(false));
  outbox.post(call(1, 3));
  outbox.resume(1);
  assertEquals(wire.told, ["CALL 1 3"]);
});

Deno.test("pause() keeps the frames of one process back and lets the others pass", () => {
  const { wire, outbox } = made();
  outbox.pause(1);
  outbox.post(call(1, 1));
  outbox.post(call(2, 2));
  outbox.post(call(1, 3));
  assertEquals(wire.told, ["CALL 2 2"]);
  outbox.resume(1);
  outbox.post(call(1, 4));
  assertEquals(wire.told.slice(1), ["CALL 1 1", "CALL 1 3", "CALL 1 4"]);
});

Deno.test("post() keeps a copy of a payload that has to wait", () => {
  const { wire, outbox } = made();
  const payload = new Uint8Array([1, 2, 3]);
  outbox.pause(1);
  outbox.post(call(1, 1, payload));
  payload.fill(9);
  outbox.resume(1);
  assertEquals(wire.sent[0]!.payload, new Uint8Array([1, 2, 3]));
});

Deno.test("Outbox keeps everything back while the connection is congested", () => {
  const { wire, outbox } = made();
  wire.congested = true;
  const owner = new Owner();
  outbox.post(call(1, 1), owner);
  outbox.post(call(2, 2));
  assertEquals([wire.told, owner.claimed], [[], 0]);
  wire.congested = false;
  outbox.post(call(1, 3));
  assertEquals(wire.told, []);
  outbox.drained();
  assertEquals(wire.told.sort(), ["CALL 1 1", "CALL 1 3", "CALL 2 2"]);
  assertEquals(owner.claimed, 1);
});

Deno.test("resume() sends only until the connection is congested, and goes on when it drains", () => {
  const { wire, outbox } = made();
  outbox.pause(1);
  for (let id = 1; id <= 5; id++) outbox.post(call(1, id));
  const send = wire.send.bind(wire);
  wire.send = (frame) => {
    send(frame);
    if (frame.call === 2) wire.congested = true;
  };
  outbox.resume(1);
  assertEquals(wire.told, ["CALL 1 1", "CALL 1 2"]);
  wire.congested = false;
  outbox.drained();
  assertEquals(wire.sent.map(({ call }) => call), [1, 2, 3, 4, 5]);
});

Deno.test("drained() leaves paused processes in peace", () => {
  const { wire, outbox } = made();
  outbox.pause(1);
  outbox.post(call(1, 1));
  outbox.drained();
  assertEquals(wire.told, []);
});

Deno.test("ready() resolves when frames leave at once again", async () => {
  const { outbox, wire } = made();
  assertEquals(outbox.ready(1), undefined);
  outbox.pause(1);
  let ready = false;
  outbox.ready(1)!.then(() => ready = true);
  await settled();
  assertEquals(ready, false);
  outbox.resume(1);
  await settled();
  assertEquals([ready, outbox.ready(1)], [true, undefined]);
  wire.congested = true;
  const drained = outbox.ready(2)!;
  wire.congested = false;
  outbox.drained();
  await drained;
});

Deno.test("forget() tells those whose call was not sent, once", async () => {
  const { wire, outbox } = made();
  const [lost, kept] = [new Owner(), new Owner()];
  outbox.pause(1);
  outbox.pause(2);
  outbox.post(call(1, 1), lost);
  outbox.post(call(2, 2), kept);
  const ready = outbox.ready(1)!;
  outbox.forget(1);
  outbox.forget(1);
  await ready;
  outbox.resume(1);
  outbox.resume(2);
  assertEquals([lost.lost, lost.claimed, kept.lost, kept.claimed], [1, 0, 0, 1]);
  assertEquals(wire.told, ["CALL 2 2"]);
});

Deno.test("clear() drops everything that waits", () => {
  const { wire, outbox } = made();
  const owners = [new Owner(), new Owner()];
  wire.congested = true;
  owners.forEach((owner, peer) => outbox.post(call(peer, peer), owner));
  outbox.clear();
  wire.congested = false;
  outbox.drained();
  assertEquals([owners.map((owner) => owner.lost), wire.told], [[1, 1], []]);
});

Deno.test("leave() takes what waits of a call away, and makes room", () => {
  const { wire, outbox } = made();
  const half = new Uint8Array(MAX_WAITING_BYTES / 2 - 1024);
  const over = new Owner();
  outbox.pause(1);
  outbox.pause(2);
  outbox.post(call(1, 1, half), over);
  outbox.post(call(2, 1, half), over);
  outbox.post(call(1, 2), new Owner());
  assertEquals(outbox.hasRoom(call(1, 3, half)), false);
  outbox.leave(over);
  outbox.leave(over);
  assertEquals(outbox.hasRoom(call(1, 3, half)), true);
  outbox.resume(1);
  outbox.resume(2);
  assertEquals([wire.told, over.claimed], [["CALL 1 2"], 0]);
  assertEquals(outbox.isFree, true);
});

Deno.test("resume() sends calls that have waited with the time that they have left then", () => {
  const { wire, outbox } = made();
  let now = 0;
  let asked = 0;
  const owner = Object.assign(new Owner(), { waited: () => void (asked = now) });
  Object.defineProperty(owner, "timeLeft", { get: () => 100 - asked });
  const value = 100;
  outbox.pause(1);
  outbox.post({ ...call(1, 1), value }, owner);
  outbox.post({ ...call(1, 2), value: 7 }, new Owner());
  now = 60;
  outbox.resume(1);
  assertEquals(wire.sent.map(({ value }) => value), [40, 7]);
});

Deno.test("drained() lets those go first for whom nothing was sent the last time", () => {
  const { wire, outbox } = made();
  wire.congested = true;
  for (let id = 1; id <= 3; id++) for (const peer of [1, 2, 3]) outbox.post(call(peer, id));
  const send = wire.send.bind(wire);
  wire.send = (frame) => {
    send(frame);
    wire.congested = true; // one frame fills it
  };
  for (let i = 0; i < 9; i++) {
    wire.congested = false;
    outbox.drained();
  }
  const rounds = [1, 2, 3].flatMap((id) => [1, 2, 3].map((peer) => `CALL ${peer} ${id}`));
  assertEquals(wire.told, rounds);
});

Deno.test("post() refuses a call when too much waits, but never an answer", () => {
  const { wire, outbox } = made();
  const quarter = new Uint8Array(MAX_WAITING_BYTES / 4 - 512);
  outbox.pause(1);
  for (let id = 1; id <= 4; id++) outbox.post(call(1, id, quarter), new Owner());
  const refused = new Owner();
  const error = assertThrows(
    () => outbox.post(call(1, 5, new Uint8Array(1)), refused),
    OverloadedError,
  );
  assertEquals([error.code, error.executed, refused.claimed], ["OVERLOADED", "never", 0]);
  outbox.post(frame(Kind.Result, { peer: 1, call: 6, payload: quarter }));
  outbox.post(call(2, 7, quarter), new Owner());
  outbox.forget(1);
  outbox.pause(1);
  outbox.post(call(1, 8, quarter), new Owner());
  outbox.resume(1);
  assertEquals(wire.told, ["CALL 2 7", "CALL 1 8"]);
});

Deno.test("post() closes a connection that does not take the answers that wait for it", () => {
  const { wire, outbox } = made();
  const half = new Uint8Array(MAX_WAITING_BYTES);
  outbox.pause(1);
  for (let id = 1; id <= 3; id++) outbox.post(call(1, id, half));
  assertEquals(wire.closedBecause, undefined, "for who is paused they may wait");
  wire.congested = true;
  outbox.post(call(2, 4));
  assertInstanceOf(wire.closedBecause, ConnectionError);
  outbox.clear();
  wire.congested = false;
  outbox.post(call(1, 5));
  assertEquals(wire.told, ["CALL 1 5"]);
});

Deno.test("post() refuses a call when too many wait, however small they are", () => {
  const { outbox } = made();
  outbox.pause(1);
  const post = () => {
    for (let id = 1; id <= 1_000_000; id++) outbox.post(call(1, id), new Owner());
  };
  assertThrows(post, OverloadedError);
});

Deno.test("post() sends large frames in parts, also those that have waited, with what they had then", () => {
  const wire = new FakeConnection();
  const outbox = new Outbox(wire.connection, largePayloads.divide);
  const bytes = new Uint8Array(200_000).fill(1);
  const large = frame(Kind.Call, { peer: 1, call: 5, attachments: [{ at: 0, bytes }] });
  outbox.post(large, new Owner());
  const parts = ["CALL 1 5", "PART 1 5", "PART 1 5", "PART 1 5", "PART 1 5"];
  assertEquals(wire.told, parts);
  outbox.pause(1);
  outbox.post(large, new Owner());
  bytes.fill(2);
  outbox.resume(1);
  assertEquals(wire.told, [...parts, ...parts]);
  assertEquals(wire.sent.at(-1)!.payload[0], 1);
});

Deno.test("Outbox keeps the order for each process, whatever pauses and drains", () => {
  const peer = fc.integer({ min: 1, max: 3 });
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ what: fc.constant("post" as const), peer }) },
    fc.record({ what: fc.constantFrom("pause" as const, "resume" as const), peer }),
    fc.record({ what: fc.constantFrom("congest" as const, "drain" as const), peer }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const { wire, outbox } = made();
    const paused = new Set<number>();
    const send = wire.send.bind(wire);
    wire.send = (frame) => {
      assert(!paused.has(frame.peer) && !wire.congested);
      send(frame);
    };
    let posted = 0;
    const setters = {
      post: (peer: number) => outbox.post(call(peer, ++posted)),
      pause: (peer: number) => void (paused.add(peer), outbox.pause(peer)),
      resume: (peer: number) => void (paused.delete(peer), outbox.resume(peer)),
      congest: () => void (wire.congested = true),
      drain: () => void (wire.congested = false, outbox.drained()),
    };
    for (const { what, peer } of steps) setters[what](peer);
    setters.drain();
    for (const peer of [1, 2, 3]) setters.resume(peer);
    assertEquals(wire.sent.length, posted);
    for (const peer of [1, 2, 3]) {
      const ids = wire.sent.filter((frame) => frame.peer === peer).map((frame) => frame.call);
      assertEquals(ids, ids.toSorted((a, b) => a - b));
    }
  }));
});

Deno.test("flushed() resolves when all that waits has left", async () => {
  const { wire, outbox } = made();
  let flushed = false;
  outbox.pause(1);
  outbox.post(call(1, 1));
  const done = outbox.flushed().then(() => flushed = true);
  await settled();
  assertEquals([flushed, wire.told], [false, []]);
  outbox.resume(1);
  await done;
  assertEquals(wire.told, ["CALL 1 1"]);
});

Deno.test("flushed() waits for nobody for whom nothing waits any more", async () => {
  const { outbox } = made();
  const owner = new Owner();
  outbox.pause(1);
  const ready = outbox.ready(1);
  outbox.pause(2);
  outbox.post(call(2, 1), owner);
  outbox.leave(owner);
  await soon(outbox.flushed());
  assert(ready !== undefined);
});

Deno.test("leave() lets those look again who wait until it has left", async () => {
  const { wire, outbox } = made();
  const owner = new Owner();
  outbox.pause(1);
  outbox.post(call(1, 1), owner);
  const ready = outbox.ready(1);
  outbox.leave(owner);
  await soon(ready!);
  outbox.post(call(1, 2));
  assertEquals(wire.told, []); // it is asked for peace still
  outbox.resume(1);
  assertEquals(wire.told, ["CALL 1 2"]);
});

Deno.test("resume() makes room again for what has left", () => {
  const outbox = new Outbox(new FakeConnection().connection);
  const half = new Uint8Array(MAX_WAITING_BYTES / 2);
  for (let id = 1; id <= 3; id++) {
    outbox.pause(1);
    outbox.post(call(1, id, half), new Owner());
    outbox.resume(1);
  }
});

Deno.test("ready() waits for who is paused, also when what waited for it has left", async () => {
  const outbox = new Outbox(new FakeConnection().connection);
  const o = new Owner();
  outbox.pause(1);
  outbox.post(call(1, 1), o);
  outbox.leave(o);
  let again = false;
  outbox.ready(1)!.then(() => again = true);
  await settled();
  assertEquals([again, outbox.isFree], [false, false]);
  outbox.resume(1);
  await settled();
  assertEquals([again, outbox.isFree], [true, true]);
});

Deno.test("isFree is false while somebody is paused, and not when it is gone", () => {
  const outbox = new Outbox(new FakeConnection().connection);
  outbox.pause(1);
  assertEquals(outbox.isFree, false);
  outbox.forget(1);
  assertEquals(outbox.isFree, true);
});
