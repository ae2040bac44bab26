import { assert, assertEquals, assertRejects } from "@std/assert";
import { createPrivateKey } from "node:crypto";
import { makeAuthority, makeCertificate } from "../../examples/tls/make_certificates.ts";
import { Global, InitializationError } from "../../mod.ts";
import { tcpTransport } from "../../src/transport/tcp.ts";
import type { TlsSettings } from "../../src/transport/places.ts";
import { registry } from "../helpers/test_network.ts";
import { RecordingLogger } from "../helpers/recording_logger.ts";

const authority = await makeAuthority();
const [ec, otherEc] = [await makeCertificate(authority), await makeCertificate(authority)];

async function makeRsa() {
  const hash = { name: "RSA-PSS", hash: "SHA-256" };
  const size = { modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) };
  const keys = await crypto.subtle.generateKey({ ...hash, ...size }, true, ["sign", "verify"]);
  return await makeCertificate(authority, ["localhost"], keys);
}

const [rsa, otherRsa] = [await makeRsa(), await makeRsa()];

/** The same key in the format that openssl wrote in former times. */
function former(key: string, type: "pkcs1" | "sec1"): string {
  return createPrivateKey(key).export({ type, format: "pem" }).toString();
}

const listen = (tls: TlsSettings) => tcpTransport("localhost", 0, tls).listen();

const fitting: [what: string, cert: string, key: string][] = [
  ["an EC key", ec.cert, ec.key],
  ["an EC key by itself", ec.cert, former(ec.key, "sec1")],
  ["an RSA key", rsa.cert, rsa.key],
  ["an RSA key by itself", rsa.cert, former(rsa.key, "pkcs1")],
  ["the key of the first of several", `A text\n${rsa.cert}\n${authority.pem}${ec.cert}`, rsa.key],
];

for (const [what, cert, key] of fitting) {
  Deno.test(`a controller starts with a certificate and ${what}`, async () => {
    (await listen({ cert, key })).close();
  });
}

const wrong: [what: string, cert: string, key: string][] = [
  ["another EC key", ec.cert, otherEc.key],
  ["another RSA key", rsa.cert, otherRsa.key],
  ["a key of another kind", rsa.cert, ec.key],
  ["the key of the second of several", `${authority.pem}${ec.cert}`, ec.key],
  ["a key that cannot be read", ec.cert, ec.key.replace(/\n.{8}/, "\nAAAAAAAA")],
];

for (const [what, cert, key] of wrong) {
  Deno.test(`a controller does not start with a certificate and ${what}`, async () => {
    const error = await assertRejects(() => listen({ cert, key }), InitializationError);
    assert(error.message.includes("tls.cert") && error.message.includes("tls.key"), error.message);
    assert(!error.message.includes(key.split("\n")[1]!));
  });
}

Deno.test("`Global.ready` tells that the key is not that of the certificate", async () => {
  const logger = new RecordingLogger();
  const g = new Global({
    ...{ initController: true, host: "localhost", logger, callbacks: registry(() => {}) },
    tls: { cert: ec.cert, key: otherEc.key },
  });
  await assertRejects(() => g.ready, InitializationError, "tls.key is not the private key of");
  await g.stop();
  assertEquals(logger.lines.length, 1);
});
