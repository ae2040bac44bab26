import {
  assert,
  assertEquals,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { createHmac } from "node:crypto";
import { InitializationError } from "../../src/errors.ts";
import { sha256 } from "../../src/internal/digest.ts";
import { isSameProof, newNonce, Secret } from "../../src/link/secret.ts";
import { turn } from "./fake_stream.ts";

const filled = (byte: number) => new Uint8Array(32).fill(byte);
const transcript = {
  nodeNonce: filled(1),
  controllerNonce: filled(2),
  hello: filled(3),
  challenge: filled(4),
};

/** As section 4a of the protocol says, by another implementation. */
function mac(secret: string, role: string): string {
  const parts = [filled(1), filled(2), filled(3), filled(4)];
  const hmac = createHmac("sha256", secret).update(`daffi/1 ${role}\0`);
  for (const part of parts) hmac.update(part);
  return hmac.digest("hex");
}

Deno.test("Secret.proofs() are the MACs of the protocol's document", async () => {
  for (const secret of ["s", "sécret 🔑", "x".repeat(1000)]) {
    const { node, controller } = await new Secret(secret).proofs(transcript);
    assertEquals(node.toHex(), mac(secret, "node"));
    assertEquals(controller.toHex(), mac(secret, "controller"));
  }
  const { node } = await new Secret("a shared secret").proofs(transcript);
  assertEquals(node.toHex(), "364214316a1452a2660274a6ca532ab99539b8da1faef76dd147a91d12304bd4");
});

Deno.test("Secret.proofs() depend on the role, the secret and everything in the transcript", async () => {
  const secret = new Secret("s");
  const { node, controller } = await secret.proofs(transcript);
  assertNotEquals(node, controller);
  assertNotEquals((await new Secret("t").proofs(transcript)).node, node);
  for (const key of Object.keys(transcript)) {
    const other = await secret.proofs({ ...transcript, [key]: filled(9) });
    assertNotEquals(other.node, node);
    assertNotEquals(other.controller, controller);
  }
});

Deno.test("sha256() is of the payload as it was when it was called", async () => {
  const payload = Uint8Array.of(1, 2, 3);
  const digesting = sha256(payload);
  payload.fill(0);
  assertEquals(
    (await digesting).toHex(),
    "039058c6f2c0cb492c533b0a4d14ef77cc0f78abccced5287d84a1a2011cfb81",
  );
});

Deno.test("isSameProof() is true for the same 32 bytes only", () => {
  const proof = newNonce();
  assert(isSameProof(proof, proof.slice()));
  for (let bit = 0; bit < 256; bit++) {
    const other = proof.slice();
    other[bit >> 3]! ^= 1 << (bit & 7);
    assert(!isSameProof(proof, other));
  }
  assert(!isSameProof(proof, proof.subarray(0, 31)));
  assert(!isSameProof(new Uint8Array(0), new Uint8Array(0)));
});

Deno.test("newNonce() never gives the same twice", () => {
  const nonces = Array.from({ length: 1000 }, () => newNonce().toHex());
  assertEquals(new Set(nonces).size, 1000);
});

type ImportKey = (...args: unknown[]) => Promise<CryptoKey>;

/** Makes secrets with another way of importing keys. */
async function importing(by: (real: ImportKey) => ImportKey, run: () => Promise<void>) {
  const { subtle } = crypto;
  const real = subtle.importKey.bind(subtle) as ImportKey;
  Object.defineProperty(subtle, "importKey", { value: by(real), configurable: true });
  try {
    await run();
  } finally {
    Reflect.deleteProperty(subtle, "importKey");
  }
}

Deno.test("Secret cannot be read back", async () => {
  const keys: CryptoKey[] = [];
  const spy = (real: ImportKey) => async (...args: unknown[]) => {
    const key = await real(...args);
    keys.push(key);
    return key;
  };
  await importing(spy, async () => void await new Secret("s").proofs(transcript));
  assertEquals(keys.length, 1);
  await assertRejects(() => crypto.subtle.exportKey("raw", keys[0]!));
});

Deno.test("Secret fails where it is needed, and nowhere else, when its key cannot be made", async () => {
  const cause = new Error("no such key");
  await importing(() => () => Promise.reject(cause), async () => {
    const secret = new Secret("s");
    await turn(); // nobody has asked yet: that is no unhandled rejection
    assertStrictEquals(await assertRejects(() => secret.proofs(transcript)), cause);
  });
});

Deno.test("Secret says what it needs where pages have no Web Crypto", () => {
  const real = Object.getOwnPropertyDescriptor(globalThis, "crypto")!;
  const insecure = { getRandomValues: crypto.getRandomValues.bind(crypto) };
  for (const value of [insecure, undefined]) {
    Object.defineProperty(globalThis, "crypto", { value, configurable: true });
    try {
      assertThrows(() => new Secret("s"), InitializationError, "secure contexts");
    } finally {
      Object.defineProperty(globalThis, "crypto", real);
    }
  }
});
