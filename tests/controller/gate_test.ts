import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { ProtocolError } from "../../mod.ts";
import { Authorizer } from "../../src/controller/authorizer.ts";
import { Gate } from "../../src/controller/gate.ts";
import type { AuthorizationRequest } from "../../src/internal/authorization.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { encodeControl } from "../../src/wire/control.ts";
import { type Frame, frame, Kind } from "../../src/wire/frame.ts";
import {
  AUTHORIZE_TIMEOUT_MS,
  MAX_CONTROL_BYTES,
  MAX_VERDICTS_PER_NODE,
} from "../../src/wire/limits.ts";
import { FakeTime } from "../helpers/fake_time.ts";
import { RecordingLogger } from "../helpers/recording_logger.ts";
import { settled } from "../helpers/soon.ts";
import { fakePeer, UNDER_WAY_BYTES } from "./peers.ts";

/** Peer 1 behind a gate, and peers 2 and 3, of which each offers every name from 1 on. */
function setUp(authorize: (request: AuthorizationRequest) => unknown) {
  const nodes = [1, 2, 3].map((id) => fakePeer(id));
  const peers = new Map(nodes.map(({ peer }) => [peer.id, peer]));
  const logger = new RecordingLogger();
  const asked: AuthorizationRequest[] = [];
  const authorizer = new Authorizer((request) => {
    asked.push(request);
    return authorize(request) as boolean;
  }, logger);
  const passed: Frame[] = [];
  const denied: Frame[] = [];
  const verdicts: unknown[] = [];
  const { peer, wire } = nodes[0]!;
  const names = new Map<number, string>();
  const gate = new Gate(peer, {
    authorizer,
    codec: new MessagePackCodec(),
    peers,
    nameOf: (process, name) =>
      name > 0 && (process > 1 || names.has(name))
        ? (names.get(name) ?? `name${name}`) || undefined
        : undefined,
    providersOf: () => new Set([1, ...peers.keys()]),
    pass: (one) => {
      if (one.kind === Kind.Hello) throw new ProtocolError("not here");
      passed.push(structuredClone(one));
      if (one.kind === Kind.Broadcast) {
        verdicts.push([2, 3, 4].map((target) => gate.allowsBroadcast(target)));
      }
    },
    deny: (one) => denied.push(structuredClone(one)),
  });
  return { gate, peer, peers, names, wire, asked, passed, denied, verdicts, authorizer, logger };
}

const call = (peer: number, name: number) => frame(Kind.Call, { call: 1, peer, name });
const calls = (frames: Frame[]) => frames.map(({ peer, name }) => [peer, name]);

Deno.test("Gate passes what is decided, or is no question, at once and without asking", async () => {
  const { gate, passed, asked, names } = setUp(() => true);
  const free = [Kind.Result, Kind.Ping, Kind.Leave, Kind.Withdraw, Kind.Cancel, Kind.Item];
  for (const kind of free) gate.onFrame(frame(kind, { peer: 2 }));
  gate.onFrame(call(9, 1)); // not there
  gate.onFrame(call(2, 0)); // not offered
  assertEquals([passed.length, asked.length], [free.length + 2, 0]);
  names.set(7, "");
  gate.onFrame(call(2, 7)); // offered no more, but perhaps its process does not know that yet
  assertEquals(calls(passed).at(-1), [2, 0]);
  gate.onFrame(call(2, 1));
  await settled();
  gate.onFrame(call(2, 1));
  assertEquals([passed.length, asked.length], [free.length + 5, 1]);
});

Deno.test("Gate keeps what comes meanwhile as it was, and does not read on", async () => {
  for (const size of [1, 100_000]) {
    const decided = Promise.withResolvers<boolean>();
    const { gate, passed, wire } = setUp(() => decided.promise);
    const payload = new Uint8Array(size).fill(1);
    const reused = frame(Kind.Call, { call: 1, peer: 2, name: 1, payload });
    gate.onFrame(reused);
    assertEquals(wire.held, true);
    for (let i = 2; i <= 4; i++) {
      reused.call = i;
      payload[0] = i;
      gate.onFrame(reused);
    }
    payload.fill(99);
    await settled();
    assertEquals(passed, []);
    decided.resolve(true);
    await settled();
    assertEquals(passed.map((one) => [one.call, one.payload[0]]), [[1, 1], [2, 2], [3, 3], [4, 4]]);
    assertEquals(wire.held, false);
  }
});

Deno.test("Gate reads on only when nobody else holds its process", async () => {
  const { gate, peer, peers, wire } = setUp(() => true);
  const full = peers.get(2)!;
  Object.defineProperty(full.connection, "queuedBytes", { value: Infinity });
  for (let i = 0; i < 2; i++) full.slowDown(peer, UNDER_WAY_BYTES + 1);
  gate.onFrame(call(2, 1));
  await settled();
  assertEquals(wire.held, true);
  full.drained();
  assertEquals(wire.held, false);
});

Deno.test("Gate denies when authorize says nothing in time, and asks again the next time", async () => {
  using time = new FakeTime();
  let answer: unknown = new Promise(() => {});
  const { gate, passed, denied, authorizer, logger } = setUp(() => answer);
  gate.onFrame(call(2, 1));
  gate.onFrame(frame(Kind.Ping));
  await time.tickAsync(AUTHORIZE_TIMEOUT_MS - 1);
  assertEquals([passed, denied], [[], []]);
  await time.tickAsync(1);
  assertEquals([passed.length, calls(denied), authorizer.denied], [1, [[2, 1]], 1]);
  assert(logger.has(`${AUTHORIZE_TIMEOUT_MS} ms`));
  answer = true;
  gate.onFrame(call(2, 1));
  await time.runMicrotasks();
  assertEquals([passed.length, denied.length, time.pending], [2, 1, 0]);
});

Deno.test("Gate closes the connection when something that waited is malformed", async () => {
  for (const bad of [frame(Kind.Hello), frame(Kind.Offer, { payload: Uint8Array.of(0xc1) })]) {
    const { gate, wire } = setUp(() => true);
    gate.onFrame(call(2, 1));
    gate.onFrame(bad);
    await settled();
    assertInstanceOf(wire.closedBecause, ProtocolError);
  }
});

Deno.test("Gate does nothing more after its end", async () => {
  const decided = Promise.withResolvers<boolean>();
  const { gate, passed, denied } = setUp(() => decided.promise);
  gate.onFrame(call(2, 1));
  gate.onFrame(call(2, 2));
  gate.end();
  decided.resolve(true);
  await settled();
  assertEquals([passed, denied], [[], []]);
});

Deno.test("Gate decides about each target of a broadcast, and passes it once", async () => {
  const { gate, names, passed, asked, verdicts, authorizer } = setUp((one) =>
    "processName" in one && one.processName !== "p3"
  );
  names.set(7, "name7"); // its own process offers that too, but does not get it
  const broadcast = frame(Kind.Broadcast, { call: 1, name: 7 });
  gate.onFrame(broadcast);
  await settled();
  assertEquals(passed.map(({ kind }) => kind), [Kind.Broadcast]);
  gate.onFrame(broadcast);
  assertEquals(verdicts, [[true, false, undefined], [true, false, undefined]]);
  assertEquals(authorizer.denied, 2);
  gate.onFrame(call(3, 7));
  assertEquals([asked.length, passed.length], [2, 2]);
});

Deno.test("Gate asks again after a process has left, for its number is never used twice", async () => {
  const { gate, asked, peers } = setUp(() => true);
  gate.onFrame(call(2, 1));
  await settled();
  gate.forget(2);
  gate.onFrame(call(2, 1));
  await settled();
  assertEquals(asked.length, 2);
  // Left while it was decided: nothing is remembered of it.
  gate.forget(2);
  gate.onFrame(call(2, 1));
  peers.delete(2);
  await settled();
  peers.set(2, fakePeer(2).peer);
  gate.onFrame(call(2, 1));
  await settled();
  assertEquals(asked.length, 4);
});

Deno.test("Gate decides about names, and not about their numbers, which may be used again", async () => {
  const { gate, names, passed, denied } = setUp((one) =>
    one.action !== "call" || one.callbackName === "free"
  );
  names.set(5, "free");
  gate.onFrame(call(2, 5));
  await settled();
  names.set(5, "guarded");
  gate.onFrame(call(2, 5));
  await settled();
  assertEquals([passed.length, denied.length], [1, 1]);
});

Deno.test("Gate remembers a limited number of decisions", async () => {
  const { gate, asked } = setUp(() => true);
  gate.onFrame(call(2, 1));
  await settled();
  gate.forget(2); // and with it the one decision
  for (let name = 1; name <= MAX_VERDICTS_PER_NODE; name++) gate.onFrame(call(2, name));
  while (asked.length <= MAX_VERDICTS_PER_NODE) await settled();
  await settled();
  const { length } = asked;
  for (const [target, more] of [[2, 0], [3, 1], [3, 1], [2, 2], [3, 2]] as const) {
    gate.onFrame(call(target, 1)); // that of 3 is one too many, and takes the place of all
    await settled();
    assertEquals(asked.length - length, more);
  }
});

Deno.test("Gate sends a broadcast to whom it may be sent, however much it has to forget meanwhile", async () => {
  const { gate, asked, verdicts } = setUp(() => true);
  for (let name = 1; name <= MAX_VERDICTS_PER_NODE; name++) gate.onFrame(call(2, name));
  while (asked.length < MAX_VERDICTS_PER_NODE) await settled();
  await settled();
  gate.onFrame(frame(Kind.Broadcast, { call: 1, name: 1 }));
  await settled();
  assertEquals(verdicts, [[true, true, undefined]]);
});

Deno.test("Gate leaves out of a broadcast who comes while it is decided", async () => {
  const decided = Promise.withResolvers<boolean>();
  const { gate, peers, verdicts, authorizer } = setUp(() => decided.promise);
  gate.onFrame(frame(Kind.Broadcast, { call: 1, name: 1 }));
  peers.set(4, fakePeer(4).peer);
  decided.resolve(true);
  await settled();
  gate.onFrame(frame(Kind.Broadcast, { call: 1, name: 1 }));
  await settled();
  assertEquals(verdicts, [[true, true, undefined], [true, true, true]]);
  assertEquals(authorizer.denied, 0);
});

Deno.test("Gate asks about nothing that waited when its process left", async () => {
  const decided = Promise.withResolvers<boolean>();
  const { gate, asked } = setUp(() => decided.promise);
  for (const name of [1, 2, 3]) gate.onFrame(call(2, name));
  await settled();
  gate.end();
  decided.resolve(true);
  await settled();
  assertEquals(asked.length, 1);
});

Deno.test("Gate denies a TASK that it cannot read, without asking", async () => {
  const codec = new MessagePackCodec();
  const uuid = crypto.randomUUID();
  const requests: unknown[] = [
    [],
    [null],
    [{}],
    [{ op: "destroy", uuid }],
    [{ op: "constructor" }],
    [{ op: "cancel" }],
    [{ op: "cancel", uuid: "u".repeat(1_000_000) }],
    [{ op: "create" }],
    [{ op: "create", spec: { callbackName: 5 } }],
    [{ op: "create", spec: { callbackName: "x".repeat(300) } }],
  ];
  const payloads = requests.map((one) => codec.encode(one, "request").slice());
  for (const payload of [...payloads, new Uint8Array(0), new Uint8Array(5000).fill(0x91)]) {
    const { gate, denied, passed, asked } = setUp(() => true);
    gate.onFrame(frame(Kind.Task, { call: 1, peer: 2, payload }));
    await settled();
    assertEquals([denied.length, passed.length, asked.length], [1, 0, 0]);
  }
  const { gate, asked, passed } = setUp(() => true);
  for (const request of [{ op: "run", uuid }, { op: "list" }]) {
    const payload = codec.encode([request], "request").slice();
    gate.onFrame(frame(Kind.Task, { call: 1, peer: 2, payload }));
    gate.onFrame(frame(Kind.Task, { call: 1, peer: 9, payload })); // not there
  }
  await settled();
  const common = { action: "schedule", caller: "p1", processName: "p2" } as const;
  assertEquals(asked, [{ ...common, operation: "run", uuid }, { ...common, operation: "list" }]);
  assertEquals(passed.length, 4);
});

Deno.test("Gate keeps the order of offers, and denies as a whole", async () => {
  const { gate, passed, denied } = setUp((one) =>
    one.action !== "offer" || !one.callbacks.includes("no")
  );
  const offer = (...names: string[]) => frame(Kind.Offer, { payload: encodeControl(names) });
  gate.onFrame(offer("a"));
  gate.onFrame(frame(Kind.Withdraw, { payload: encodeControl(["a"]) }));
  gate.onFrame(offer("b", "no"));
  gate.onFrame(offer("c"));
  await settled();
  assertEquals(passed.map(({ kind }) => kind), [Kind.Offer, Kind.Withdraw, Kind.Offer]);
  assertEquals(denied.length, 1);
});

Deno.test("Gate lets nothing through to a process that has come since it was asked about", async () => {
  const { gate, peers, passed } = setUp(() => true);
  const there: boolean[] = [];
  const push = passed.push.bind(passed);
  passed.push = (...frames) => {
    there.push(peers.has(9));
    return push(...frames);
  };
  const list = new MessagePackCodec().encode([{ op: "list" }], "args").slice();
  gate.onFrame(frame(Kind.Task, { call: 1, peer: 2, payload: list }));
  for (const kind of [Kind.Transfer, Kind.Task]) gate.onFrame(frame(kind, { call: 2, peer: 9 }));
  for (let turn = 0; passed.length < 3; turn++) {
    // In some microtask behind the first decision it joins.
    if (passed.length > 0 && !peers.has(9)) queueMicrotask(() => peers.set(9, fakePeer(9).peer));
    await undefined;
  }
  assertEquals(there, [false, false, false]);
});

Deno.test("Gate asks about the task by its own name, however it is written", async () => {
  const { gate, asked } = setUp(() => true);
  const uuid = crypto.randomUUID();
  const payload = new MessagePackCodec().encode([{ op: "run", uuid: uuid.toUpperCase() }], "args");
  gate.onFrame(frame(Kind.Task, { call: 1, peer: 2, payload: payload.slice() }));
  await settled();
  assertEquals(asked.map((request) => "uuid" in request && request.uuid), [uuid]);
});

Deno.test("Gate decodes nothing of strangers that is slow to make", async () => {
  const { gate, asked, denied, wire } = setUp(() => true);
  const set = new MessagePackCodec().encode([{ op: "list", more: new Set([1]) }], "args").slice();
  const more = Array.from({ length: 3_000 }, () => 0);
  const many = new MessagePackCodec().encode([{ op: "list", more }], "args").slice();
  for (const payload of [set, many]) gate.onFrame(frame(Kind.Task, { call: 1, peer: 2, payload }));
  await settled();
  assertEquals([asked.length, denied.length], [0, 2]);
  const names = new Uint8Array(MAX_CONTROL_BYTES + 1).fill(0x80);
  assertThrows(() => gate.onFrame(frame(Kind.Offer, { payload: names })), ProtocolError, "at most");
  assertEquals(wire.closedBecause, undefined);
});

Deno.test("Gate denies an OFFER and a TASK when authorize fails", async () => {
  for (const kind of [Kind.Offer, Kind.Task] as Kind[]) {
    const { gate, passed, denied } = setUp(() => {
      throw new Error("down");
    });
    const payload = kind === Kind.Offer
      ? encodeControl(["f"])
      : new MessagePackCodec().encode([{ op: "list" }], "args").slice();
    gate.onFrame(frame(kind, { call: 1, peer: 2, payload }));
    await settled();
    assertEquals([passed.length, denied.length], [0, 1]);
  }
});
