import { WriteQueue } from "../../src/link/write_queue.ts";
import { frame, Kind } from "../../src/wire/frame.ts";
import { writeHeader } from "../../src/wire/frame_codec.ts";
import { Framer } from "../../src/wire/framer.ts";
import { DEFAULT_MAX_FRAME_BYTES, HEADER_BYTES } from "../../src/wire/limits.ts";

const MANY = 64;
const SIZES = { "small frames": 3, "frames of 4 KiB": 4 * 1024, "frames of 64 KiB": 64 * 1024 };

for (const [name, payloadBytes] of Object.entries(SIZES)) {
  const one = frame(Kind.Call, { call: 1, peer: 2, payload: new Uint8Array(payloadBytes) });
  const queue = new WriteQueue();
  Deno.bench(`WriteQueue: ${MANY} ${name} to bytes`, { group: name }, () => {
    for (let n = 0; n < MANY; n++) queue.add(one);
    for (let piece = queue.next(); piece !== undefined; piece = queue.next()) queue.written(piece);
  });

  const frameBytes = HEADER_BYTES + payloadBytes;
  const bytes = new Uint8Array(frameBytes * MANY);
  for (let n = 0; n < MANY; n++) writeHeader(bytes, n * frameBytes, one);
  const framer = new Framer(DEFAULT_MAX_FRAME_BYTES);
  Deno.bench(`Framer: bytes to ${MANY} ${name}`, { group: name }, () => {
    for (let from = 0; from < bytes.length;) {
      const space = framer.space();
      const count = Math.min(space.length, bytes.length - from);
      space.set(bytes.subarray(from, from + count));
      from += count;
      framer.advance(count, () => {});
    }
  });
}
