import fc from "fast-check";
import { encodeControl } from "../../src/wire/control.ts";
import { type Frame, frame, Kind } from "../../src/wire/frame.ts";
import { PREFACE } from "../../src/wire/preface.ts";
import { cryptoTest } from "../link/crypto_work.ts";
import { concat, toBytes } from "../wire/frames.ts";
import { anyFrame, conversation } from "./conversation.ts";
import { fuzz } from "./fuzz.ts";
import { attackController, attackGuardedController } from "./live_controller.ts";
import { attackFromTheStart, attackNode, WELCOME } from "./live_node.ts";
import { mutated } from "./mutated.ts";

const auth = { version: 1, nonce: new Uint8Array(32).fill(7) };

function helloFrame(process: string, callbacks: string[], more = {}): Frame {
  const fields = { process, instance: "i", maxFrameBytes: 1 << 20, callbacks, ...more };
  return frame(Kind.Hello, { payload: encodeControl(fields) });
}

const refused = (code: string) =>
  frame(Kind.Refused, { payload: encodeControl({ code, message: "no" }) });

/** What the sides of a handshake say first. */
const hellos = fc.constantFrom(
  helloFrame("three", ["add", "three"]),
  helloFrame("three", []),
  helloFrame("one", []), // which is there
  helloFrame("three", ["add"], { auth }),
);
const proof = frame(Kind.Proof, { payload: encodeControl({ mac: new Uint8Array(32).fill(9) }) });
const answers = fc.constantFrom(
  WELCOME,
  ...["DUPLICATE_PROCESS", "OVERLOADED", "PROTOCOL", "nonsense"].map(refused),
);

/** A handshake with a few frames after it, as it should be and with bytes changed. */
function handshake(first: fc.Arbitrary<Frame>): fc.Arbitrary<Uint8Array> {
  const bytes = fc.tuple(first, fc.array(anyFrame, { maxLength: 3 }))
    .map(([opening, frames]) => concat([PREFACE, ...[opening, ...frames].map(toBytes)]));
  return fc.oneof({ arbitrary: mutated(bytes), weight: 4 }, bytes);
}

const joined = conversation().map((bytes) =>
  concat([PREFACE, toBytes(helloFrame("three", ["add", "three"])), bytes])
);

Deno.test("a controller and its nodes survive any bytes of a stranger", async () => {
  await fuzz(fc.asyncProperty(handshake(hellos), attackController), 80);
});

Deno.test("a controller and its nodes survive whatever a joined node says", async () => {
  await fuzz(fc.asyncProperty(joined, attackController), 200);
});

cryptoTest(
  "a controller with a secret lets in nobody who does not know it, with any bytes",
  async () => {
    const guess = fc.tuple(
      hellos,
      fc.array(fc.oneof(anyFrame, fc.constant(proof)), { maxLength: 4 }),
    )
      .map(([hello, frames]) => concat([PREFACE, ...[hello, ...frames].map(toBytes)]));
    const bytes = fc.oneof(guess, mutated(guess));
    await fuzz(fc.asyncProperty(bytes, attackGuardedController), 100);
  },
);

Deno.test("a node survives any bytes of what it took for a controller", async () => {
  await fuzz(fc.asyncProperty(handshake(answers), attackFromTheStart), 80);
});

Deno.test("a node survives whatever its controller says", async () => {
  await fuzz(fc.asyncProperty(conversation(), attackNode), 200);
});
