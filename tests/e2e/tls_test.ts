import { assert, assertEquals } from "@std/assert";
import { makeAuthority, makeCertificate } from "../../examples/tls/make_certificates.ts";
import type { GlobalOptions } from "../../mod.ts";
import { Program } from "../helpers/processes.ts";
import { until, within } from "../helpers/soon.ts";
import { joinHere, NODE, type Place, startNode, tcpPlace } from "./network.ts";
import { PREFACE } from "./raw_peer.ts";

const authority = await makeAuthority();
const stranger = await makeAuthority("Somebody else");
const certificate = await makeCertificate(authority);
const trusting: GlobalOptions = { tls: { caCerts: [authority.pem] } };

function test(name: string, run: (place: Place) => Promise<void>): void {
  Deno.test(`${name}, over TLS`, async () => {
    await using place = tcpPlace();
    await within(name, run(place), 90_000);
  });
}

test("processes join, call and come back after their controller", async (place) => {
  const options = { tls: certificate, initController: true, initNode: false };
  const controller = await startNode(place, "controller", options);
  await using here = await joinHere(place, trusting);
  await using there = await startNode(place, "there", trusting);
  await here.g.waitProcess("there");
  assertEquals(await here.g.call.add(1, 2), 3);
  const large = new Uint8Array(3_000_000).fill(7);
  assertEquals(await here.g.call.echo(large), large);
  await controller.kill();
  await there.event("disconnect");
  await using again = await startNode(place, "controller", options);
  await here.g.waitProcess("there");
  assertEquals(await here.g.call.add(3, 4).fg({ timeout: "20s" }), 7);
  await there.endGracefully();
  await again.endGracefully();
});

test("a secret is proved within TLS too", async (place) => {
  await using here = await joinHere(place, { secret: "s", tls: certificate, initController: true });
  await using there = await startNode(place, "there", { secret: "s", ...trusting });
  await here.g.waitProcess("there");
  await using wrong = new Program(NODE, { ...place.options, secret: "t", ...trusting });
  assertEquals((await wrong.event("failed")).name, "AuthenticationError");
  await there.endGracefully();
});

const distrusting: [what: string, tls: GlobalOptions["tls"], host: string][] = [
  ["that its node's machine does not know", {}, "127.0.0.1"],
  ["of another authority", { caCerts: [stranger.pem] }, "127.0.0.1"],
  ["for another host", { caCerts: [authority.pem] }, "127.0.0.2"],
];

for (const [what, tls, host] of distrusting) {
  test(`a controller with a certificate ${what} is refused at once for good`, async (place) => {
    await using here = await joinHere(place, {
      tls: certificate,
      initController: true,
      host: "0.0.0.0",
      insecure: true,
    });
    await using program = new Program(NODE, { ...place.options, host, tls });
    const failed = await program.event("failed");
    assertEquals(failed.name, "AuthenticationError");
    assert(String(failed.message).includes("certificate"), String(failed.message));
    assert(!program.stderr.includes("trying again"), program.stderr);
    await until(() => here.g.stats.refusedConnections === 1, 10_000);
    assertEquals(here.g.registeredCallbacks, {});
  });
}

test("a plain node and other strangers are turned away", async (place) => {
  await using here = await joinHere(place, { tls: certificate, initController: true });
  await using plain = new Program(NODE, { processName: "plain", ...place.options });
  assertEquals((await plain.event("failed")).name, "ProtocolError");
  let turnedAway = 1;
  for (const bytes of [PREFACE, new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")]) {
    using conn = await place.dial();
    await conn.write(bytes);
    const drain = async () => {
      while (await conn.read(new Uint8Array(100)).catch(() => null) !== null);
    };
    await within("the end of the connection", drain());
    turnedAway++;
  }
  await until(() => here.g.stats.refusedConnections === turnedAway, 10_000);
  await using there = await startNode(place, "there", trusting);
  await here.g.waitProcess("there");
  await there.endGracefully();
});

test("a connection that never begins is cut off", async (place) => {
  await using here = await joinHere(place, { tls: certificate, initController: true });
  using conn = await place.dial();
  assertEquals(await within("the end", conn.read(new Uint8Array(1)).catch(() => null)), null);
  await until(() => here.g.stats.refusedConnections === 1, 10_000);
});

test("a node does not speak TLS to a plain controller, and is turned away", async (place) => {
  await using here = await joinHere(place, { initController: true });
  await using program = new Program(NODE, { ...place.options, ...trusting });
  assertEquals((await program.event("failed")).name, "ProtocolError");
  await until(() => here.g.stats.refusedConnections === 1, 10_000);
});

test("a controller lacks no permission without saying so", async (place) => {
  const { port } = place.options;
  const options = { host: "localhost", port, tls: certificate, initController: true };
  const start = (...hosts: string[]) => {
    const flags = [`--allow-net=${hosts.map((host) => `${host}:${port}`).join()}`];
    return new Program(NODE, { processName: "controller", ...options }, { flags });
  };
  await using lacking = start("localhost");
  const { name, message } = await lacking.event("failed");
  assertEquals(name, "ConnectionError");
  const address = /net permission is missing for (\S+): grant --allow-net=localhost,/.exec(
    String(message),
  )
    ?.[1];
  assert(address !== undefined, String(message));
  await using permitted = start("localhost", address);
  await permitted.event("ready");
  await permitted.endGracefully();
});
