import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ConnectionError, ProtocolError } from "../../src/errors.ts";
import { acceptNode, Refused } from "../../src/link/accept_node.ts";
import { sha256 } from "../../src/internal/digest.ts";
import { AUTH_VERSION, newNonce, Secret } from "../../src/link/secret.ts";
import { decodeChallenge, encodeControl } from "../../src/wire/control.ts";
import { Kind } from "../../src/wire/frame.ts";
import { memoryPipe } from "../../src/transport/memory.ts";
import { soon } from "../helpers/soon.ts";
import { cryptoTest } from "../link/crypto_work.ts";
import { hello, idle } from "../link/handshake_frames.ts";
import { framed, RawLink } from "../link/raw_link.ts";
import { mutated } from "./mutated.ts";

const secret = new Secret("what both know");
const nonce = newNonce();
const helloSent = encodeControl({ ...hello, auth: { version: AUTH_VERSION, nonce } });

/** A handshake of one who knows the secret, whose payloads somebody changes under way. */
async function joins(helloReceived: Uint8Array, changeProof: (proof: Uint8Array) => Uint8Array) {
  const [near, far] = memoryPipe();
  let admitted = 0;
  const outcome = acceptNode(far, 1 << 20, () => {
    admitted++;
    return idle;
  }, { secret });
  const failure = outcome.then(() => undefined, (error) => error);
  const link = new RawLink(near);
  link.send(framed(Kind.Hello, helloReceived));
  const answer = await link.next();
  if (answer?.kind === Kind.Challenge) {
    const { node: mac } = await secret.proofs({
      nodeNonce: nonce,
      controllerNonce: decodeChallenge(answer.payload).nonce,
      hello: await sha256(helloSent),
      challenge: await sha256(answer.payload),
    });
    link.send(framed(Kind.Proof, changeProof(encodeControl({ mac }))));
    await Promise.race([link.next(), outcome.catch(() => {})]);
  }
  link.connection.close();
  return { admitted, error: await soon(failure, 20_000) };
}

const isAllowed = (error: unknown) =>
  error instanceof Refused || error instanceof ProtocolError || error instanceof ConnectionError;

cryptoTest("whoever knows the secret joins when nothing is changed", async () => {
  const { admitted, error } = await joins(helloSent, (proof) => proof);
  assertEquals([admitted, error], [1, undefined]);
});

cryptoTest("nobody joins by a HELLO that was changed under way", async () => {
  await fc.assert(
    fc.asyncProperty(mutated(fc.constant(helloSent)), async (received) => {
      fc.pre(received.toHex() !== helloSent.toHex());
      const { admitted, error } = await joins(received, (proof) => proof);
      assertEquals(admitted, 0);
      assert(isAllowed(error), String(error));
    }),
    { numRuns: 300 },
  );
});

cryptoTest("nobody joins by a PROOF that was changed under way", async () => {
  const change = fc.tuple(fc.nat({ max: 4 }), fc.nat(), fc.integer({ min: 1, max: 255 }));
  await fc.assert(
    fc.asyncProperty(change, async ([kind, place, bits]) => {
      const { admitted, error } = await joins(helloSent, (proof) => {
        if (kind === 0) return proof.subarray(0, place % proof.length);
        const changed = proof.slice();
        // The key and the lengths come first; a map may have more than what is read of it.
        changed[kind === 1 ? place % proof.length : proof.length - 1 - place % 32]! ^= bits;
        return changed;
      });
      assertEquals(admitted, 0);
      assert(isAllowed(error), String(error));
    }),
    { numRuns: 300 },
  );
});
