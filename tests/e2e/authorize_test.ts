import { assertEquals } from "@std/assert";
import { makeAuthority, makeCertificate } from "../../examples/tls/make_certificates.ts";
import type { GlobalOptions } from "../../mod.ts";
import { Program } from "../helpers/processes.ts";
import { until, within } from "../helpers/soon.ts";
import { joinHere, NODE, overBoth, startNode, tcpPlace } from "./network.ts";
import { KIND, RawPeer } from "./raw_peer.ts";

const DENIED = "AuthenticationError";

overBoth("processes do what they may, and nothing else", async (place) => {
  const authorize: GlobalOptions["authorize"] = async (request) => {
    await Promise.resolve();
    switch (request.action) {
      case "join":
        return request.processName !== "stranger";
      case "call":
        return request.callbackName === "invoke" || request.callbackName === "add";
      default:
        return false;
    }
  };
  await using here = await joinHere(place, { initController: true, authorize });
  await using stranger = new Program(NODE, { processName: "stranger", ...place.options });
  assertEquals((await stranger.event("failed")).name, DENIED);
  await using there = await startNode(place, "there");
  await here.g.waitProcess("there");
  const at = (name: string, args: unknown[]) =>
    here.g.call.invoke({ how: "fg", name, args, options: { to: "here" } });
  assertEquals(await at("add", [1, 2]), { value: 3 });
  const answer = await at("echo", [1]) as { error?: { name: string; executed: string } };
  assertEquals([answer.error?.name, answer.error?.executed], [DENIED, "never"]);
  await there.endGracefully();
});

overBoth("who asks for what it may not can do no harm by it", async (place) => {
  const authorize: GlobalOptions["authorize"] = ({ action }) => action === "join";
  await using here = await joinHere(place, { initController: true, authorize });
  using outlaw = await RawPeer.join(place, "outlaw");
  const [peer, name] = [outlaw.idOf("here"), outlaw.nameOf("here", "add")];
  const kinds = [KIND.CALL, KIND.BROADCAST, 0x20, 0x22];
  for (let call = 1; call <= 400; call++) {
    await outlaw.send(kinds[call % 4]!, { call, peer, name, payload: Uint8Array.of(0x90) });
  }
  for (let call = 1; call <= 400; call++) {
    const { call: answered, value } = await outlaw.readUntil(KIND.UNDELIVERED);
    assertEquals([answered, value], [call, 5]);
  }
  assertEquals(here.g.stats.forwardedFrames, 0);
  await using there = await startNode(place, "there");
  await here.g.waitProcess("there");
  assertEquals(await here.g.call.add(1, 2), 3);
  await there.endGracefully();
});

Deno.test("a controller with TLS that decides who joins may be reached by all", async () => {
  await using place = tcpPlace();
  const authority = await makeAuthority();
  await using here = await joinHere(place, {
    host: "0.0.0.0",
    initController: true,
    tls: await makeCertificate(authority),
    authorize: (request) => request.action !== "join" || request.address === "127.0.0.1",
  });
  await using there = await startNode(place, "there", { tls: { caCerts: [authority.pem] } });
  await within("the process", here.g.waitProcess("there"));
  assertEquals(await here.g.call.add(1, 2), 3);
  await until(() => here.g.stats.deniedActions === 0);
  await there.endGracefully();
});
