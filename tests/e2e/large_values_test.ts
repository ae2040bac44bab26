import { assertEquals, assertRejects } from "@std/assert";
import { encode } from "@msgpack/msgpack";
import { AuthenticationError, PeerLostError } from "../../mod.ts";
import { within } from "../helpers/soon.ts";
import { payloadOf } from "../wire/frames.ts";
import { joinHere, overAll, overBoth, startController, startNode } from "./network.ts";
import { IN_PARTS, KIND, RawPeer } from "./raw_peer.ts";

const MIB = 1024 * 1024;

function announcement(...numbers: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(numbers.length * 4));
  numbers.forEach((number, i) => view.setUint32(i * 4, number));
  return new Uint8Array(view.buffer);
}

overAll("large values come back as what they were", async (place) => {
  await using _controller = await startController(place);
  await using _there = await startNode(place, "there");
  await using here = await joinHere(place);
  const { call, waitProcess } = here.g;
  await waitProcess.call(here.g, "there");
  const values = [
    payloadOf(5 * MIB + 3),
    "äöü".repeat(400_000),
    { rows: Array.from({ length: 20_000 }, (_, id) => ({ id, name: `row ${id}` })) },
    [
      new Float64Array(100_000).fill(0.5),
      new Map([["a", payloadOf(200_000)]]),
      payloadOf(MIB, 2).buffer,
    ],
  ];
  for (const value of values) assertEquals(await call.echo(value).fg({ timeout: "30s" }), value);
  const at = await Promise.all(values.map((value) => call.echo(value).fg({ timeout: "60s" })));
  assertEquals(at, values);
  const results = await call.echo(values).broadcast({ returnResult: true, timeout: "60s" });
  assertEquals(results.there, values);
  const lengths: number[] = [];
  for await (const chunk of call.chunks([MIB, 10, 3 * MIB])) lengths.push(chunk.length);
  assertEquals(lengths, [MIB, 10, 3 * MIB]);
});

overBoth(
  "a large argument may be changed once the call was made, and keeps its turn",
  async (place) => {
    await using _controller = await startController(place);
    await using there = await startNode(place, "there");
    await using here = await joinHere(place);
    const { g } = here;
    await g.waitProcess("there");
    const bytes = payloadOf(2 * MIB);
    const noted = [];
    for (const value of [bytes, 1, bytes, 2]) {
      noted.push(g.call.note({ topic: "order", value }).bg());
      bytes.fill(noted.length);
    }
    await Promise.all(noted.map((result) => result.get({ timeout: "30s" })));
    const order = await g.call.notes("order", 4).fg({ timeout: "30s" });
    assertEquals(order.map((value: unknown) => value instanceof Uint8Array ? value[9] : value), [
      ...[payloadOf(10)[9], 1, 2, 2],
    ]);
    await there.kill();
  },
);

overAll("a node sends parts as large as suits where its controller is", async (place) => {
  await using _controller = await startController(place);
  using other = await RawPeer.join(place, "other", ["sink"]);
  await using here = await joinHere(place);
  await here.g.call.sink(payloadOf(MIB)).noReturn();
  const { payload } = await other.readUntil(KIND.PART);
  assertEquals(payload.length, place.transport === "a UNIX socket" ? 105_448 : 65_512);
});

overBoth("a process that stalls within a large payload holds nobody up", async (place) => {
  await using _controller = await startController(place);
  await using _there = await startNode(place, "there");
  await using here = await joinHere(place);
  const { g } = here;
  await g.waitProcess("there");
  using slow = await RawPeer.join(place, "slow");
  const value = payloadOf(100_000);
  const payload = encode([{ topic: "slow", value }]);
  const to = { call: 5, peer: slow.idOf("there") };
  await slow.send(KIND.CALL, {
    ...to,
    flags: IN_PARTS,
    name: slow.nameOf("there", "note"),
    payload: announcement(payload.length),
  });
  await slow.send(KIND.PART, { ...to, payload: payload.subarray(0, 60_000) });
  assertEquals(await g.call.add(1, 2), 3);
  assertEquals(await g.call.echo(payloadOf(MIB)).fg({ timeout: "30s" }), payloadOf(MIB));
  assertEquals(await g.call.countNotes("slow"), 0);
  await slow.send(KIND.PART, { ...to, payload: payload.subarray(60_000) });
  const answer = await slow.readUntil(KIND.RESULT);
  assertEquals(answer.call, 5);
  assertEquals(await g.call.notes("slow", 1), [value]);
});

overBoth("a payload that is not what was announced fails its call alone", async (place) => {
  await using _controller = await startController(place);
  await using _there = await startNode(place, "there");
  await using here = await joinHere(place);
  await here.g.waitProcess("there");
  using peer = await RawPeer.join(place, "peer");
  const there = peer.idOf("there");
  const begin = (call: number, ...announced: number[]) =>
    peer.send(KIND.CALL, {
      ...{ call, peer: there, flags: IN_PARTS, name: peer.nameOf("there", "add") },
      payload: announcement(...announced),
    });
  const part = (call: number, ...bytes: number[]) =>
    peer.send(KIND.PART, { call, peer: there, payload: Uint8Array.from(bytes) });
  await begin(1, 2);
  await part(1, 0x92, 1, 2); // a byte more than announced
  await begin(2, 3); // never finished
  await begin(3, 3, 1, 3); // an attachment that does not fit in
  await begin(4, 3, 1, 1); // one that is not an array of bytes
  await part(4, 0x92, 1, 2);
  await begin(5, 3);
  await part(5, 0x92);
  await part(5, 1, 2);
  const failed = [];
  for (let i = 0; i < 4; i++) failed.push((await peer.readUntil(KIND.ERROR)).call);
  assertEquals(failed, [1, 2, 3, 4]);
  const good = await peer.readUntil(KIND.RESULT);
  assertEquals([good.call, [...good.payload]], [5, [3]]);
  assertEquals(await here.g.call.add(1, 2), 3);
});

overBoth("a large call that is not allowed runs nowhere, and others go on", async (place) => {
  await using controller = await joinHere(place, {
    initController: true,
    authorize: (request) => request.action !== "call" || request.callbackName !== "note",
  });
  await using _there = await startNode(place, "there");
  await using outsider = await joinHere(place, { processName: "outsider" });
  const { g } = outsider;
  await g.waitProcess("there");
  const large = { topic: "large", value: payloadOf(3 * MIB) };
  await assertRejects(
    () => g.call.note(large).fg({ to: "there", timeout: "30s" }),
    AuthenticationError,
  );
  const echoed = await g.call.echo(payloadOf(MIB)).fg({ to: "there", timeout: "30s" });
  assertEquals(echoed, payloadOf(MIB));
  assertEquals(await controller.g.call.countNotes("large").fg({ to: "there" }), 0);
});

overBoth("a process that is killed within a large answer is lost", async (place) => {
  await using _controller = await startController(place);
  await using here = await joinHere(place);
  using peer = await RawPeer.join(place, "peer", ["answer"]);
  await here.g.waitFunction("answer");
  const pending = here.g.call.answer().bg();
  const asked = await peer.readUntil(KIND.CALL);
  const to = { call: asked.call, peer: asked.peer };
  await peer.send(KIND.RESULT, { ...to, flags: IN_PARTS, payload: announcement(MIB) });
  await peer.send(KIND.PART, { ...to, payload: payloadOf(50_000) });
  peer[Symbol.dispose]();
  await within("the loss", assertRejects(() => pending.get(), PeerLostError));
});
