import { assertEquals } from "@std/assert";
import { encode } from "@msgpack/msgpack";
import { ProtocolError } from "../mod.ts";
import type { Place } from "./e2e/network.ts";
import { KIND, RawPeer } from "./e2e/raw_peer.ts";
import { assertRejectsLater, soon } from "./helpers/soon.ts";
import { TestNetwork } from "./helpers/test_network.ts";

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
