import { Decoder, Encoder } from "@msgpack/msgpack";
import { MessagePackCodec } from "../../src/wire/codec.ts";

const codec = new MessagePackCodec();
// Kept like the codec above: making one for each value is most of what a small value costs.
const encoder = new Encoder();
const decoder = new Decoder();

const VALUES: Readonly<Record<string, unknown>> = {
  "two numbers": [10, 3],
  "a record": [{ id: 4711, name: "Ada Lovelace", tags: ["a", "b", "c"], score: 0.5, active: true }],
  "1,000 numbers": [Array.from({ length: 1000 }, (_, i) => i * 1.5)],
  "1 MiB of bytes": [new Uint8Array(1024 * 1024)],
};

for (const [name, value] of Object.entries(VALUES)) {
  const encoded = codec.encode(value, "args").slice();
  Deno.bench(`encode() ${name}`, { group: `encode ${name}`, baseline: true }, () => {
    codec.encode(value, "args");
  });
  Deno.bench(`@msgpack/msgpack encode() ${name}`, { group: `encode ${name}` }, () => {
    encoder.encodeSharedRef(value);
  });
  Deno.bench(`decode() ${name}`, { group: `decode ${name}`, baseline: true }, () => {
    codec.decode(encoded);
  });
  Deno.bench(`@msgpack/msgpack decode() ${name}`, { group: `decode ${name}` }, () => {
    decoder.decode(encoded);
  });
}
