import { assert, assertEquals } from "@std/assert";
import { decode, encode } from "@msgpack/msgpack";
import { Global, ProtocolError } from "../mod.ts";
import type { Place } from "./e2e/network.ts";
import { hello, KIND, PREFACE, rawFrame, RawPeer } from "./e2e/raw_peer.ts";
import { RawController } from "./helpers/raw_controller.ts";
import { RecordingLogger } from "./helpers/recording_logger.ts";
import { assertRejectsLater, soon, until } from "./helpers/soon.ts";
import { registry, TestNetwork } from "./helpers/test_network.ts";

const ALL = Array.from({ length: 256 }, (_, kind) => kind);
const ROUTED = [
  ...[KIND.CALL, KIND.BROADCAST, KIND.RESULT, KIND.ERROR, KIND.CANCEL, KIND.STREAM, KIND.ITEM],
  ...[KIND.END, KIND.FAIL, KIND.CREDIT, KIND.STOP, KIND.PART, 0x20, 0x21, 0x22],
];
/** What a joined node may send. */
const FROM_NODE: readonly number[] = [
  ...[KIND.OFFER, KIND.WITHDRAW, KIND.LEAVE, KIND.PING, KIND.PONG],
  ...ROUTED,
];
/** What a joined node may get. */
const FROM_CONTROLLER: readonly number[] = [
  ...[KIND.DIRECTORY, KIND.SHUTDOWN, KIND.PING, KIND.PONG, KIND.PAUSE, KIND.RESUME, KIND.TARGETS],
  ...[KIND.UNDELIVERED, ...ROUTED.filter((kind) => kind !== KIND.BROADCAST)],
];
/** Control payloads that are as they should be, so that it is the kind alone that may be wrong. */
const PAYLOADS: Record<number, unknown> = {
  [KIND.OFFER]: [],
  [KIND.WITHDRAW]: [],
  [KIND.TARGETS]: [],
  [KIND.DIRECTORY]: { type: "join", process: [9, "nine", []] },
  [KIND.REFUSED]: { code: "PROTOCOL", message: "no" },
};

/** A frame of any kind, about a process and a call that do not exist. */
function frameOf(kind: number): Uint8Array<ArrayBuffer> {
  const payload = kind === KIND.HELLO
    ? hello("p")
    : kind === KIND.WELCOME
    ? welcome()
    : encode(PAYLOADS[kind] ?? null);
  return rawFrame(kind, { call: 77, peer: 99, name: 99, payload });
}

function welcome(...others: unknown[]): Uint8Array {
  const processes = [[1, "node", []], ...others];
  return encode({ id: 1, controller: "c", maxFrameBytes: 1 << 20, processes });
}

const placeOf = ({ hub }: TestNetwork): Place => {
  const dial = () => Deno.connect({ hostname: "localhost", port: hub.port! });
  return { dial } as unknown as Place;
};

/** Whether the controller answers a `PING`, or has closed the connection. */
async function isOpen(peer: RawPeer): Promise<boolean> {
  await peer.send(KIND.PING).catch(() => {});
  for (let got = await soon(peer.read()); got !== null; got = await soon(peer.read())) {
    if (got.kind === KIND.PONG) return true;
  }
  return false;
}

Deno.test("a controller closes and counts what a joined node may not send, and nothing else", async () => {
  await using net = await TestNetwork.start((callback) => callback("f", () => 1));
  const a = await net.join("a");
  let errors = 0;
  for (const kind of ALL) {
    using peer = await RawPeer.join(placeOf(net), "outlaw");
    await peer.write(frameOf(kind));
    assertEquals(await isOpen(peer), FROM_NODE.includes(kind) && kind !== KIND.LEAVE, `${kind}`);
    if (!FROM_NODE.includes(kind)) errors++;
    const { protocolErrors, refusedConnections } = net.hub.stats;
    assertEquals([protocolErrors, refusedConnections], [errors, 0], `kind ${kind}`);
    peer[Symbol.dispose]();
    await until(() => !("outlaw" in net.hub.registeredCallbacks));
  }
  assertEquals(await soon(a.call.f().fg()), 1);
  assertEquals(net.hub.stats.lostConnections, 255, "all but the one that has left");
});

Deno.test("a controller turns away and counts whatever comes before HELLO", async () => {
  await using net = await TestNetwork.start((callback) => callback("f", () => 1));
  const a = await net.join("a");
  let errors = 0;
  for (const kind of ALL) {
    if (kind === KIND.HELLO) continue;
    using peer = await RawPeer.connect(placeOf(net));
    await peer.write(frameOf(kind)).catch(() => {});
    await soon(peer.closed());
    errors++;
    await until(() => net.hub.stats.protocolErrors === errors);
  }
  assertEquals(net.hub.stats.refusedConnections, errors);
  assertEquals(await soon(a.call.f().fg()), 1);
});

Deno.test("a controller takes nothing from a node that has left", async () => {
  await using net = await TestNetwork.start((callback) => callback("f", () => 1));
  using peer = await RawPeer.join(placeOf(net), "leaver", ["g"]);
  await peer.send(KIND.LEAVE);
  for (const kind of ALL.slice(1, 0x23)) await peer.write(frameOf(kind)).catch(() => {});
  await soon(peer.closed());
  assertEquals(net.hub.registeredCallbacks, {});
  assertEquals(net.hub.stats.forwardedFrames, 0);
});

Deno.test("a node leaves and counts a controller that sends what none may, and nothing else", async () => {
  await using controller = new RawController();
  const logger = new RecordingLogger();
  const g = new Global({
    processName: "node",
    ...controller.address,
    callbacks: registry(() => {}),
    logger,
    reconnect: { minDelayMs: 1, maxDelayMs: 2 },
  });
  let errors = 0;
  for (const kind of ALL) {
    if (kind === KIND.SHUTDOWN) continue; // that one is obeyed
    using link = await soon(controller.accept());
    await link.readUntil(KIND.HELLO);
    await link.write(PREFACE);
    await link.send(KIND.WELCOME, { payload: welcome() });
    await link.write(frameOf(kind));
    const allowed = FROM_CONTROLLER.includes(kind);
    assertEquals(await isOpen(link), allowed, `kind ${kind}`);
    if (!allowed) errors++;
    await until(() => g.stats.protocolErrors === errors);
  }
  assert(logger.has("is not allowed from a controller"));
  await g.stop();
});

Deno.test("a node gives up and counts a controller that sends anything before WELCOME", async () => {
  await using controller = new RawController();
  for (const kind of ALL) {
    if (kind === KIND.WELCOME || kind === KIND.REFUSED) continue;
    const g = new Global({
      processName: "node",
      ...controller.address,
      callbacks: registry(() => {}),
      logger: new RecordingLogger(),
    });
    const failed = assertRejectsLater(() => soon(g.ready), ProtocolError);
    using link = await soon(controller.accept());
    await link.write(PREFACE);
    await link.write(frameOf(kind));
    await failed;
    await soon(link.closed());
    assertEquals(g.stats.protocolErrors, 1);
    await g.stop();
  }
});

Deno.test("a node whose callbacks find no room at the controller logs which, and goes on", async () => {
  await using controller = new RawController();
  const logger = new RecordingLogger();
  const callbacks = registry(() => {});
  const g = new Global({ processName: "node", ...controller.address, callbacks, logger });
  using link = await soon(controller.accept());
  await link.readUntil(KIND.HELLO);
  await link.write(PREFACE);
  await link.send(KIND.WELCOME, { payload: welcome() });
  callbacks.callback("more", () => {});
  const { payload } = await link.readUntil(KIND.OFFER);
  await link.send(KIND.UNDELIVERED, { value: 2, payload });
  assertEquals(await isOpen(link), true);
  assert(logger.has(`the controller has no room to offer: ${decode(payload)}`));
  assertEquals(g.stats.droppedCalls, 0);
  await link.send(KIND.SHUTDOWN);
  await soon(link.readUntil(KIND.LEAVE));
});

Deno.test("a node whose controller contradicts itself in WELCOME is not connected, and calls wait for the next one", async () => {
  await using controller = new RawController();
  const g = new Global({
    processName: "node",
    ...controller.address,
    callbacks: registry(() => {}),
    logger: new RecordingLogger(),
    reconnect: { minDelayMs: 1, maxDelayMs: 2 },
  });
  const join = async (...others: unknown[]) => {
    const link = await soon(controller.accept());
    await link.readUntil(KIND.HELLO);
    await link.write(PREFACE);
    await link.send(KIND.WELCOME, { payload: welcome(...others) });
    return link;
  };
  const there = [2, "there", [[1, "f"]]];
  (await join(there))[Symbol.dispose]();
  using wrong = await join(there, [2, "two at once", []]);
  await soon(wrong.closed());
  assertEquals(g.registeredCallbacks, {});
  const outcome = g.call.f!().fg();
  outcome.catch(() => {});
  using link = await join(there);
  const { call, peer } = await link.readUntil(KIND.CALL);
  await link.send(KIND.RESULT, { call, peer, payload: encode(5) });
  assertEquals(await soon(outcome), 5);
  await link.send(KIND.SHUTDOWN);
  await soon(link.readUntil(KIND.LEAVE));
});
