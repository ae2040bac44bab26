/**
 * The shared secret, and the proofs of knowing it (`docs/protocol.md`, section 4a).
 *
 * @module
 */

import { InitializationError } from "../errors.ts";
import { concat } from "../internal/concat.ts";
import { sameBytes } from "../internal/digest.ts";
import { PROOF_BYTES } from "../wire/limits.ts";

/** Version of the proofs. Part of what is proved, so that nobody can talk two sides into another. */
export const AUTH_VERSION = 1;

const utf8 = new TextEncoder();

/** What a handshake's proofs are made over. */
export interface Transcript {
  readonly nodeNonce: Uint8Array;
  readonly controllerNonce: Uint8Array;
  /** SHA-256 of the payload of `HELLO`, as it was sent or received. */
  readonly hello: Uint8Array;
  /** SHA-256 of the payload of `CHALLENGE`, as it was sent or received. */
  readonly challenge: Uint8Array;
}

/** What both sides of one handshake have to send. */
export interface Proofs {
  readonly node: Uint8Array;
  readonly controller: Uint8Array;
}

/** A secret as a key that cannot be read back. */
export class Secret {
  readonly #key: Promise<CryptoKey>;

  /**
   * @param secret As the user gave it.
   * @throws {InitializationError} when this runtime has no Web Crypto.
   */
  constructor(secret: string) {
    if (globalThis.crypto?.subtle === undefined) {
      throw new InitializationError(
        "Cannot start: secret needs Web Crypto, which browsers have in secure contexts only",
      );
    }
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    this.#key = crypto.subtle.importKey("raw", utf8.encode(secret), algorithm, false, ["sign"]);
    this.#key.catch(() => {}); // whoever proves something sees it
  }

  /**
   * Both proofs of a handshake: each side sends its own and compares the other's. They differ by
   * role, so that neither can be sent back as the other.
   */
  async proofs(transcript: Transcript): Promise<Proofs> {
    const [node, controller] = await Promise.all([
      this.#mac("node", transcript),
      this.#mac("controller", transcript),
    ]);
    return { node, controller };
  }

  async #mac(role: "node" | "controller", transcript: Transcript): Promise<Uint8Array> {
    const { nodeNonce, controllerNonce, hello, challenge } = transcript;
    const label = utf8.encode(`daffi/${AUTH_VERSION} ${role}\0`);
    const parts = [label, nodeNonce, controllerNonce, hello, challenge];
    const input = concat(parts) as Uint8Array<ArrayBuffer>;
    return new Uint8Array(await crypto.subtle.sign("HMAC", await this.#key, input));
  }
}

/** A number that was never used before. */
export function newNonce(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(PROOF_BYTES));
}

/** Compares two proofs, in the same time wherever they differ. */
export function isSameProof(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === PROOF_BYTES && sameBytes(one, other);
}
