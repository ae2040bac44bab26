import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { AuthenticationError, Global } from "../../mod.ts";
import { until } from "../helpers/soon.ts";
import { joinHere, NODE, overBoth, startNode } from "./network.ts";
import { Program } from "../helpers/processes.ts";
import { hello, KIND, RawPeer } from "./raw_peer.ts";

const secret = crypto.getRandomValues(new Uint8Array(32)).toHex();

overBoth("processes that know the secret join, call and come back", async (place) => {
  const options = { secret, initController: true, initNode: false };
  const controller = await startNode(place, "controller", options);
  await using here = await joinHere(place, { secret });
  await using there = await startNode(place, "there", { secret });
  await here.g.waitProcess("there");
  assertEquals(await here.g.call.add(1, 2), 3);
  await controller.kill();
  await there.event("disconnect");
  await using again = await startNode(place, "controller", options);
  await here.g.waitProcess("there");
  assertEquals(await here.g.call.add(3, 4).fg({ timeout: "20s" }), 7);
  await there.endGracefully();
  await again.endGracefully();
});

overBoth("a node without the secret, or with another, fails at once for good", async (place) => {
  await using here = await joinHere(place, { secret, initController: true });
  for (const [name, options] of [["none", {}], ["wrong", { secret: `${secret}!` }]] as const) {
    const { failedAuthentications } = here.g.stats;
    await using program = new Program(NODE, { processName: name, ...place.options, ...options });
    const failed = await program.event("failed");
    assertEquals(failed.name, "AuthenticationError");
    assert(String(failed.message).includes("secret"), String(failed.message));
    assert(!program.stderr.includes("trying again"), program.stderr);
    await until(() => here.g.stats.failedAuthentications === failedAuthentications + 1, 10_000);
    assertEquals((await program.ended()).code, 0);
  }
  const logged = await here.logged.until("message", 2);
  assert(logged.every((line) => String(line).includes("secret")), logged.join("\n"));
  assert(!logged.join().includes(secret));
  assertEquals(here.g.registeredCallbacks, {});
});

overBoth("a node with a secret refuses a controller without", async (place) => {
  await using here = await joinHere(place, { initController: true });
  const g = new Global({ ...place.options, secret, logger: { warn() {}, error() {} } });
  const error = await g.ready.catch((error) => error);
  assertInstanceOf(error, AuthenticationError);
  await g.stop();
  await until(() => here.g.stats.failedAuthentications === 1, 10_000);
});

overBoth("many who do not know the secret keep nobody else out", async (place) => {
  await using here = await joinHere(place, { secret, initController: true });
  const strangers = await Promise.all(Array.from({ length: 50 }, async (_, i) => {
    const peer = await RawPeer.connect(place);
    const auth = { version: 1, nonce: crypto.getRandomValues(new Uint8Array(32)) };
    await peer.send(KIND.HELLO, { payload: hello(`stranger ${i}`, { auth }) });
    return peer;
  }));
  for (const peer of strangers) {
    assertEquals((await peer.read())?.kind, KIND.CHALLENGE);
    const mac = crypto.getRandomValues(new Uint8Array(32));
    await peer.send(KIND.PROOF, { payload: mapOf("mac", mac) });
  }
  for (const peer of strangers) {
    assertEquals((await peer.read())?.kind, KIND.REFUSED);
    peer[Symbol.dispose]();
  }
  await using there = await startNode(place, "there", { secret });
  await here.g.waitProcess("there");
  await until(() => here.g.stats.failedAuthentications === 50, 10_000);
  assertEquals(Object.keys(here.g.registeredCallbacks), ["there"]);
  await there.endGracefully();
});

/** A MessagePack map of one key to 32 bytes. */
function mapOf(key: string, bytes: Uint8Array): Uint8Array {
  const name = new TextEncoder().encode(key);
  return Uint8Array.of(0x81, 0xa0 | name.length, ...name, 0xc4, bytes.length, ...bytes);
}
