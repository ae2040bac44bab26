import { assertEquals, assertInstanceOf } from "@std/assert";
import { encode, ExtData } from "@msgpack/msgpack";
import { CallCancelledError, ProtocolError } from "../mod.ts";
import type { Place } from "./e2e/network.ts";
import { IN_PARTS, KIND, NO_REPLY, RawPeer } from "./e2e/raw_peer.ts";
import { assertRejectsLater, soon, until } from "./helpers/soon.ts";
import { TestNetwork } from "./helpers/test_network.ts";

const TASK = 0x20;
const TRANSFER = 0x22;

async function stranger({ hub }: TestNetwork, ...callbacks: string[]): Promise<RawPeer> {
  const place = { dial: () => Deno.connect({ hostname: "localhost", port: hub.port! }) };
  const peer = await RawPeer.join(place as unknown as Place, "stranger", callbacks);
  await hub.waitProcess("stranger");
  return peer;
}

Deno.test("a stream that is also answered by a value breaks, and leaves nobody waiting", async () => {
  await using net = await TestNetwork.start();
  using peer = await stranger(net, "count");
  const items: unknown[] = [];
  const read = async () => {
    for await (const item of net.hub.call.count()) items.push(item);
  };
  const broken = assertRejectsLater(() => soon(read()), ProtocolError);
  const { call, peer: hub } = await peer.readUntil(KIND.CALL);
  await peer.send(KIND.STREAM, { call, peer: hub });
  await peer.readUntil(KIND.CREDIT);
  await peer.send(KIND.ITEM, { call, peer: hub, payload: encode(1) });
  await peer.send(KIND.RESULT, { call, peer: hub, payload: encode("and this") });
  const { processName } = await broken;
  assertEquals([items, processName], [[1], "stranger"]);
});

for (const kind of ["ITEM", "END", "FAIL"] as const) {
  Deno.test(`a call of which ${kind} comes before its STREAM fails at once`, async () => {
    await using net = await TestNetwork.start();
    using peer = await stranger(net, "count");
    const failed = assertRejectsLater(() => soon(net.hub.call.count().fg()), ProtocolError);
    const { call, peer: hub } = await peer.readUntil(KIND.CALL);
    await peer.send(KIND[kind], { call, peer: hub, payload: encode(1) });
    await peer.send(KIND.STREAM, { call, peer: hub });
    await peer.send(KIND.END, { call, peer: hub });
    const { message, processName } = await failed;
    assertEquals([message, processName], [`${kind} is not allowed here`, "stranger"]);
  });
}

Deno.test("who sends a stream with an item that cannot be read is told to stop", async () => {
  await using net = await TestNetwork.start();
  using peer = await stranger(net, "count");
  const failed = assertRejectsLater(async () => {
    for await (const _ of net.hub.call.count());
  }, ProtocolError);
  const { call, peer: hub } = await peer.readUntil(KIND.CALL);
  await peer.send(KIND.STREAM, { call, peer: hub });
  await peer.readUntil(KIND.CREDIT);
  await peer.send(KIND.ITEM, { call, peer: hub, payload: Uint8Array.of(0xc1) });
  await failed;
  assertEquals((await soon(peer.readUntil(KIND.CANCEL))).call, call);
});

Deno.test("a stream is no answer to a request about tasks, nor to a function that was sent", async () => {
  await using net = await TestNetwork.start();
  using peer = await stranger(net, "due");
  const asked: [kind: number, ask: () => Promise<unknown>][] = [
    [TASK, () => net.hub.getScheduledTasks("stranger")],
    [TASK, async () => await net.hub.call.due().period({ interval: "1h" })],
    [TRANSFER, () => net.hub.transferAndCall("stranger", () => 1)],
  ];
  for (const [kind, ask] of asked) {
    const refused = assertRejectsLater(() => soon(ask()), ProtocolError, "streams as results");
    const { call, peer: hub } = await peer.readUntil(kind);
    for (const other of [KIND.STREAM, KIND.ITEM, KIND.END]) {
      await peer.send(other, { call, peer: hub, payload: encode(1) });
    }
    const { processName } = await refused;
    assertEquals(processName, "stranger");
  }
  assertEquals(net.hub.stats.pendingCalls, 0);
});

Deno.test("an answer to no call, announced as too large, harms nobody", async () => {
  await using net = await TestNetwork.start((callback) => callback("add", (a, b) => a + b));
  const other = await net.join("other");
  using peer = await stranger(net);
  for (const process of ["hub", "other"]) {
    const payload = new Uint8Array(4).fill(0xff);
    await peer.send(KIND.RESULT, { flags: IN_PARTS, peer: peer.idOf(process), payload });
  }
  await peer.send(KIND.PING);
  await peer.readUntil(KIND.PONG);
  assertEquals(await soon(other.call.add(1, 2).fg()), 3);
  assertEquals([net.hub.stats.lostConnections, other.stats.lostConnections], [0, 0]);
});

for (const start of ["", "x"]) {
  Deno.test(`a task with a long time zone of emoji after "${start}" is refused`, async () => {
    await using net = await TestNetwork.start((callback) => callback("due", () => {}));
    using peer = await stranger(net);
    const timezone = start + "\u{1f600}".repeat(10_000); // a message is cut within one of them
    const trigger = { type: "cron", expression: "* * * * *", timezone };
    const spec = { callbackName: "due", args: encode([]), overlap: "skip", catchUpMs: 0, trigger };
    const payload = encode([{ op: "create", spec }]);
    await peer.send(TASK, { call: 1, peer: peer.idOf("hub"), payload });
    const { call } = await peer.readUntil(KIND.ERROR);
    assertEquals([call, net.hub.stats.lostConnections], [1, 0]);
  });
}

Deno.test("a callback that nobody waits for gets no more of a stream whose sender has left", async () => {
  const ended = Promise.withResolvers<unknown>();
  const begun = Promise.withResolvers<void>();
  await using net = await TestNetwork.start((callback) => {
    callback("eat", async (items: AsyncIterable<unknown>) => {
      begun.resolve();
      try {
        for await (const _ of items);
      } catch (error) {
        ended.resolve(error);
      }
    });
  });
  const peer = await stranger(net);
  const name = peer.processes.get("hub")![2].find(([, name]) => name === "eat")![0];
  const payload = encode([new ExtData(9, new Uint8Array([0, 1]))]);
  await peer.send(KIND.CALL, { flags: NO_REPLY, call: 1, peer: peer.idOf("hub"), name, payload });
  await soon(begun.promise);
  peer[Symbol.dispose]();
  assertInstanceOf(await soon(ended.promise), CallCancelledError);
  await until(() => net.hub.stats.runningCalls === 0);
});
