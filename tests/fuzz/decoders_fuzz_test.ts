import fc from "fast-check";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { encodeControl } from "../../src/wire/control.ts";
import { concat } from "../../src/internal/concat.ts";
import { OPCODE } from "../../src/transport/websocket_reader.ts";
import { clientFrame, goodbye, upgradeRequest } from "../transport/client_frames.ts";
import { conversation, failures, taskRequests, userPayload } from "./conversation.ts";
import { DECODERS } from "./decoders.ts";
import { fuzz } from "./fuzz.ts";
import { mutated } from "./mutated.ts";

const codec = new MessagePackCodec();
const encoded = (value: unknown) => codec.encode(value, "args").slice();

/** Bytes in which the heads of MessagePack's types are frequent. */
const heads = fc.array(fc.oneof(
  fc.constantFrom(0xc7, 0xc8, 0xc9, 0xd4, 0xd5, 0xd6, 0xd8, 0x91, 0x81, 0xdc, 0xdf),
  fc.integer({ min: 0, max: 12 }),
  fc.integer({ min: 0, max: 12 }),
  fc.integer({ min: 0, max: 255 }),
)).map((bytes) => Uint8Array.from(bytes));

const noise = fc.uint8Array({ maxLength: 200 });

const entries: [number, string, [number, string][]][] = [[1, "p", [[1, "add"]]], [300, "q", []]];
const hello = { process: "p", instance: "i", maxFrameBytes: 65536, callbacks: ["add", "é"] };
const nonce = new Uint8Array(32).fill(7);
const welcome = { id: 1, controller: "c", maxFrameBytes: 65536, processes: entries };

/** Bytes from which a decoder's mutations begin, and how many cases the suite tries. */
const VALID: Record<string, [valid: fc.Arbitrary<Uint8Array>, runs: number]> = {
  "MessagePackCodec.decode()": [userPayload, 800],
  "decodeHello()": [
    fc.constantFrom(encodeControl(hello), encodeControl({ ...hello, auth: { version: 1, nonce } })),
    800,
  ],
  "decodeChallenge()": [fc.constant(encodeControl({ nonce })), 800],
  "decodeProof()": [fc.constant(encodeControl({ mac: nonce })), 800],
  "decodeWelcome()": [
    fc.constantFrom(encodeControl(welcome), encodeControl({ ...welcome, mac: nonce })),
    800,
  ],
  "decodeRefusal()": [fc.constant(encodeControl({ code: "PROTOCOL", message: "m" })), 800],
  "decodeNames()": [fc.constant(encodeControl(["a", "b"])), 800],
  "decodeTargets()": [fc.constant(encodeControl([1, 70_000])), 800],
  "decodeDirectoryChange()": [
    fc.constantFrom(
      encodeControl({ type: "join", process: [1, "p", [[1, "a"]]] }),
      encodeControl({ type: "withdraw", id: 1, callbacks: [1] }),
      encodeControl({ type: "leave", id: 1, graceful: true }),
    ),
    1_600,
  ],
  "decodeFailure()": [fc.constantFrom(...failures.map(encoded)), 1_500],
  "asTaskRequest()": [fc.constantFrom(...taskRequests.map((one) => encoded([one]))), 1_500],
  "Framer": [conversation(), 400],
  "WebSocketReader": [
    conversation().map((bytes) =>
      concat([
        clientFrame(OPCODE.binary, bytes.subarray(0, 200), { last: false }),
        clientFrame(OPCODE.ping, bytes.subarray(0, 20)),
        clientFrame(OPCODE.more, bytes.subarray(200, 400)),
        clientFrame(OPCODE.text, new TextEncoder().encode("2097152")),
        goodbye(1000, "bye"),
      ])
    ),
    800,
  ],
  "readRequest()": [fc.constant(upgradeRequest("localhost", { origin: "http://localhost" })), 800],
};

for (const [name, decode] of DECODERS) {
  Deno.test(`${name} gives what it should, or the error that it may, for any bytes`, async () => {
    const [valid, runs] = VALID[name]!;
    const bytes = fc.oneof({ arbitrary: mutated(valid), weight: 6 }, valid, noise, heads);
    await fuzz(fc.asyncProperty(bytes, async (bytes) => await decode(bytes)), runs);
  });
}
