import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { ProtocolError } from "../../src/errors.ts";
import {
  decodeChallenge,
  decodeDirectoryChange,
  decodeHello,
  decodeNames,
  decodeProof,
  decodeRefusal,
  decodeTargets,
  decodeWelcome,
  encodeControl,
} from "../../src/wire/control.ts";
import { mutated } from "./mutated.ts";

const hello = { process: "p", instance: "i", maxFrameBytes: 65536, callbacks: ["add", "é"] };

const payloads: [what: string, decode: (bytes: Uint8Array) => unknown, valid: Uint8Array][] = [
  ["decodeHello()", decodeHello, encodeControl(hello)],
  [
    "decodeHello() with auth",
    decodeHello,
    encodeControl({ ...hello, auth: { version: 1, nonce: new Uint8Array(32) } }),
  ],
  ["decodeChallenge()", decodeChallenge, encodeControl({ nonce: new Uint8Array(32) })],
  ["decodeProof()", decodeProof, encodeControl({ mac: new Uint8Array(32) })],
  [
    "decodeWelcome()",
    decodeWelcome,
    encodeControl({
      id: 1,
      controller: "c",
      maxFrameBytes: 65536,
      processes: [[1, "p", [[1, "add"]]], [300, "q", []]],
    }),
  ],
  ["decodeRefusal()", decodeRefusal, encodeControl({ code: "VERSION", message: "m" })],
  ["decodeNames()", decodeNames, encodeControl(["a", "b"])],
  ["decodeTargets()", decodeTargets, encodeControl([1, 70_000])],
  [
    "decodeDirectoryChange()",
    decodeDirectoryChange,
    encodeControl({ type: "join", process: [1, "p", [[1, "a"]]] }),
  ],
  [
    "decodeDirectoryChange()",
    decodeDirectoryChange,
    encodeControl({ type: "withdraw", id: 1, callbacks: [1] }),
  ],
];

for (const [what, decode, valid] of payloads) {
  Deno.test(`${what} gives a value or a ProtocolError for mutated and for random bytes`, () => {
    const bytes = fc.oneof(
      { arbitrary: mutated(fc.constant(valid)), weight: 5 },
      fc.uint8Array({ maxLength: 60 }),
    );
    fc.assert(
      fc.property(bytes, (bytes) => {
        try {
          decode(bytes);
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
        }
        assertEquals(Object.keys(Object.prototype), []);
      }),
      { numRuns: 1000 },
    );
    decode(valid);
  });
}
