import { Buffer } from "node:buffer";
import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { ProtocolError } from "../../src/errors.ts";
import { type Frame, frame, Kind, ownFrame } from "../../src/wire/frame.ts";
import { Framer, MAX_READ_BYTES } from "../../src/wire/framer.ts";
import { HEADER_BYTES, LARGE_PAYLOAD_BYTES } from "../../src/wire/limits.ts";
import { anyFrame, concat, payloadOf, toBytes } from "./frames.ts";

const MAX = 1 << 20;

/** Feeds bytes in chunks of at most the given sizes, over and over; copies what comes out. */
function feed(framer: Framer, bytes: Uint8Array, chunks: readonly number[] = [Infinity]): Frame[] {
  const frames: Frame[] = [];
  let at = 0;
  for (let turn = 0; at < bytes.length; turn++) {
    const space = framer.space();
    assert(space.length > 0, "space() is empty");
    const count = Math.min(space.length, bytes.length - at, chunks[turn % chunks.length]!);
    space.set(bytes.subarray(at, at + count));
    at += count;
    framer.advance(count, (got) => frames.push(ownFrame(got)));
  }
  return frames;
}

Deno.test("Framer gives the same frames however the bytes are cut (property)", () => {
  const sizes = fc.array(
    fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 70_000 })),
    { minLength: 1, maxLength: 8 },
  );
  const sequence = fc.array(anyFrame, { maxLength: 12 });
  fc.assert(
    fc.property(sequence, sizes, (frames, chunks) => {
      const bytes = concat(frames.map(toBytes));
      const framer = new Framer(MAX);
      // Tiny chunks of huge payloads take long and show nothing new.
      const step = bytes.length > 50_000 ? chunks.map((size) => size * 50) : chunks;
      assertEquals(feed(framer, bytes, step), frames);
      assertEquals(framer.bufferedBytes, 0);
    }),
    { numRuns: 100 },
  );
});

Deno.test("Framer gives the same frames when every byte comes alone", () => {
  const frames = [0, 1, 300, 0, 4072, 9000].map((size, i) =>
    frame(Kind.Item, { call: i + 1, payload: payloadOf(size, i) })
  );
  assertEquals(feed(new Framer(MAX), concat(frames.map(toBytes)), [1]), frames);
});

for (const size of [0, 4072, LARGE_PAYLOAD_BYTES - 1, LARGE_PAYLOAD_BYTES, 200_000]) {
  Deno.test(`Framer gives frames of ${size} bytes in reads of every awkward size`, () => {
    const frames = [1, 2, 3].map((call) =>
      frame(Kind.Call, { call, payload: payloadOf(size, call) })
    );
    const bytes = concat(frames.map(toBytes));
    for (const chunk of [HEADER_BYTES, HEADER_BYTES - 1, 4095, 4096, 4097, 262_144, Infinity]) {
      assertEquals(feed(new Framer(MAX), bytes, [chunk]), frames);
    }
  });
}

Deno.test("Framer gives the same frames when they come faster than its buffer is large", () => {
  const frames = Array.from(
    { length: 5000 },
    (_, i) => frame(Kind.Item, { call: i + 1, payload: payloadOf(i % 517, i) }),
  );
  assertEquals(feed(new Framer(MAX), concat(frames.map(toBytes))), frames);
});

Deno.test("Framer reuses the memory of large payloads, and gives it back after a while", () => {
  let now = 1;
  const framer = new Framer(MAX, () => now);
  const receive = (sent: Frame, chunk = 10_000): Uint8Array => {
    let got: Uint8Array | undefined;
    const bytes = toBytes(sent);
    for (let at = 0; at < bytes.length;) {
      const space = framer.space();
      const count = Math.min(space.length, bytes.length - at, chunk);
      space.set(bytes.subarray(at, at += count));
      framer.advance(count, ({ payload }) => {
        got = payload;
        assertEquals(payload, sent.payload);
      });
    }
    return got!;
  };
  const large = (size: number) => frame(Kind.Result, { call: 1, payload: payloadOf(size, size) });
  const { buffer } = receive(large(900_000));
  assertStrictEquals(receive(large(300_000)).buffer, buffer);
  assertStrictEquals(receive(large(900_000)).buffer, buffer);
  now += 1_001;
  receive(frame(Kind.Ping));
  assert(framer.space().length <= 4 * 1024);
  const next = receive(large(300_000), 1_000).buffer; // no read fills the buffer for small frames
  assert(next !== buffer);
  now += 1_001;
  receive(frame(Kind.Ping));
  assert(receive(large(300_000)).buffer !== next);
});

Deno.test("Framer takes no more than a large payload where a larger one was, and goes on behind it", () => {
  const frames = [900_000, 300_000, 10].map((size, i) =>
    frame(Kind.Item, { call: i + 1, payload: payloadOf(size, i) })
  );
  assertEquals(feed(new Framer(MAX), concat(frames.map(toBytes))), frames);
});

Deno.test("Framer waits for a length of which a part has come behind a frame", () => {
  const ping = toBytes(frame(Kind.Ping));
  for (const cut of [1, 2, 3]) {
    const framer = new Framer(MAX);
    assertEquals(feed(framer, concat([ping, ping.subarray(0, cut)])), [frame(Kind.Ping)]);
    assertEquals(feed(framer, ping.subarray(cut)), [frame(Kind.Ping)]);
  }
});

Deno.test("Framer gives large payloads that come slowly when much else came fast before", () => {
  const framer = new Framer(MAX);
  const small = frame(Kind.Item, { payload: payloadOf(1_000) });
  feed(framer, concat(Array(1_000).fill(toBytes(small))));
  assert(framer.space().length > LARGE_PAYLOAD_BYTES);
  const large = frame(Kind.Item, { call: 1, payload: payloadOf(LARGE_PAYLOAD_BYTES) });
  assertEquals(feed(framer, toBytes(large), [1_000]), [large]);
});

Deno.test("Framer reads 256 KiB at a time while much comes, and less when it has not for a while", () => {
  let now = 1;
  const framer = new Framer(MAX, () => now);
  const { length } = framer.space();
  const sent = frame(Kind.Item, { payload: payloadOf(3_000) });
  const bytes = toBytes(sent);
  feed(framer, concat(Array(400).fill(bytes)));
  assertEquals(framer.space().length, MAX_READ_BYTES);
  now += 1_001;
  assertEquals(feed(framer, bytes.subarray(0, 2_000)), []); // which are more than there was room for at first
  assertEquals(feed(framer, bytes.subarray(2_000)), [sent]);
  assertEquals(framer.space().length, length);
});

Deno.test("Framer has all of its buffer for what comes next once nothing is left in it", () => {
  const framer = new Framer(MAX);
  const { length } = framer.space();
  feed(framer, toBytes(frame(Kind.Ping)));
  assertEquals(framer.space().length, length);
});

Deno.test("Framer takes memory as a large payload comes, not as it is announced", () => {
  const framer = new Framer(1 << 26);
  const bytes = toBytes(
    frame(Kind.Call, { call: 1, payload: payloadOf((1 << 26) - HEADER_BYTES) }),
  );
  let payload: Uint8Array | undefined;
  for (let at = 0; at < bytes.length;) {
    const space = framer.space();
    assert(space.buffer.byteLength <= LARGE_PAYLOAD_BYTES + 2 * at, `after ${at} bytes`);
    const count = Math.min(space.length, bytes.length - at, 100_000);
    space.set(bytes.subarray(at, at += count));
    framer.advance(count, (got) => payload = got.payload);
  }
  assertEquals(Buffer.compare(payload!, bytes.subarray(HEADER_BYTES)), 0);
});

Deno.test("Framer reads the rest of a large payload straight into the buffer that it is delivered in", () => {
  const framer = new Framer(MAX);
  const size = LARGE_PAYLOAD_BYTES;
  const bytes = toBytes(frame(Kind.Call, { call: 1, payload: payloadOf(size) }));
  framer.space().set(bytes.subarray(0, 1000));
  framer.advance(1000, () => {});
  assertEquals(framer.space().length, bytes.length - 1000);
  const { buffer } = framer.space();
  framer.space().set(bytes.subarray(1000));
  let payload: Uint8Array | undefined;
  framer.advance(bytes.length - 1000, (got) => payload = got.payload);
  assertStrictEquals(payload?.buffer, buffer);
  assertEquals(payload, payloadOf(size));
});

Deno.test("Framer reuses the frame, and one without payload has none of the one before", () => {
  const framer = new Framer(MAX);
  const first = frame(Kind.Call, { call: 1, flags: 1, name: 3, payload: payloadOf(10) });
  const bytes = concat([toBytes(first), toBytes(frame(Kind.End, { call: 2 }))]);
  framer.space().set(bytes);
  const seen: Frame[] = [];
  const copies: Frame[] = [];
  framer.advance(bytes.length, (got) => {
    seen.push(got);
    copies.push(ownFrame(got));
  });
  assertStrictEquals(seen[0], seen[1]);
  assertEquals(copies, [first, frame(Kind.End, { call: 2 })]);
});

for (const length of [0, 19, MAX - 3, 0xffffffff]) {
  Deno.test(`Framer refuses a frame of length ${length} by its first four bytes`, () => {
    const framer = new Framer(MAX);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setUint32(0, length);
    assertEquals(feed(framer, bytes.subarray(0, 3)), []);
    assertThrows(() => feed(framer, bytes.subarray(3)), ProtocolError);
  });
}

Deno.test("Framer takes a frame of exactly maxFrameBytes", () => {
  const largest = frame(Kind.Item, { payload: payloadOf(MAX - HEADER_BYTES) });
  assertEquals(feed(new Framer(MAX), toBytes(largest)), [largest]);
});

Deno.test("Framer goes by a maxFrameBytes that is changed in between", () => {
  const framer = new Framer(1000);
  const small = frame(Kind.Ping, { payload: payloadOf(900) });
  const larger = frame(Kind.Ping, { payload: payloadOf(2000) });
  assertEquals(feed(framer, toBytes(small)), [small]);
  framer.maxFrameBytes = 5000;
  assertEquals(feed(framer, toBytes(larger)), [larger]);
  framer.maxFrameBytes = 1000;
  assertThrows(() => feed(framer, toBytes(larger)), ProtocolError);
});

const damages: [what: string, at: number, byte: number][] = [
  ["an unknown kind", 4, 0xff],
  ["unknown flags", 5, 8],
  ["a call id out of range", 8, 0x80],
];

for (const [what, at, byte] of damages) {
  for (const size of [0, LARGE_PAYLOAD_BYTES]) {
    Deno.test(`Framer refuses ${what} before a payload of ${size}, after the frames before it`, () => {
      const good = frame(Kind.Ping, { value: 1 });
      const bytes = toBytes(frame(Kind.Call, { call: 1, payload: payloadOf(size) }));
      bytes[at] = byte;
      const whole = concat([toBytes(good), bytes.subarray(0, HEADER_BYTES)]);
      const framer = new Framer(MAX);
      framer.space().set(whole);
      const seen: number[] = [];
      assertThrows(
        () => framer.advance(whole.length, ({ value }) => seen.push(value)),
        ProtocolError,
      );
      assertEquals(seen, [1]);
    });
  }
}

Deno.test("Framer.bufferedBytes is above zero exactly when a frame is incomplete", () => {
  for (const size of [0, 10, LARGE_PAYLOAD_BYTES]) {
    const bytes = toBytes(frame(Kind.Item, { call: 1, payload: payloadOf(size) }));
    const cuts = [1, 4, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 1, bytes.length - 1];
    for (const cut of cuts.filter((cut) => cut < bytes.length)) {
      const framer = new Framer(MAX);
      assertEquals(framer.bufferedBytes, 0);
      feed(framer, bytes.subarray(0, cut));
      assert(framer.bufferedBytes > 0, `${cut} of ${bytes.length} bytes`);
      feed(framer, bytes.subarray(cut));
      assertEquals(framer.bufferedBytes, 0);
    }
  }
});

Deno.test("Framer gives frames or a ProtocolError for any bytes (fuzz)", () => {
  const noise = fc.array(fc.oneof(fc.constantFrom(0, 0, 0, 0x14, 0x10), fc.nat({ max: 255 })), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(noise, fc.integer({ min: 1, max: 50 }), (bytes, chunk) => {
      try {
        feed(new Framer(100_000), Uint8Array.from(bytes), [chunk]);
      } catch (error) {
        if (!(error instanceof ProtocolError)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
});
