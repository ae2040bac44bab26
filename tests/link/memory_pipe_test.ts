import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import fc from "fast-check";
import { AsyncLocalStorage } from "node:async_hooks";
import { ProtocolError } from "../../src/errors.ts";
import { Connection } from "../../src/link/connection.ts";
import { type MayPass, memoryPipe } from "../../src/transport/memory.ts";
import { type Frame, frame, Kind } from "../../src/wire/frame.ts";
import { HEADER_BYTES } from "../../src/wire/limits.ts";
import { concat, toBytes } from "../wire/frames.ts";
import { FakeStream, turn } from "./fake_stream.ts";

/** Frames of this kind may pass as they are, others become bytes. */
const PASSED = Kind.Call;
const WRITTEN = Kind.Offer;

const MAX_FRAME_BYTES = 1 << 20;

/** An end of a pipe with what it has got. */
class Side {
  readonly got: number[] = [];
  readonly closes: (Error | undefined)[] = [];
  readonly connection: Connection;
  onFrame: (frame: Frame) => void = () => {};
  onDrain = () => {};

  constructor(stream: ConstructorParameters<typeof Connection>[0]) {
    this.connection = new Connection(stream, MAX_FRAME_BYTES, {
      onFrame: (incoming) => {
        this.got.push(incoming.value);
        this.onFrame(incoming);
      },
      onDrain: () => this.onDrain(),
      onClose: (error) => this.closes.push(error),
    });
  }

  send(value: number, kind: Kind = PASSED, bytes = 0): void {
    this.connection.send(frame(kind, { value, payload: new Uint8Array(bytes) }));
  }
}

/** The two ends, which have begun. */
async function open(mayPass: MayPass = ({ kind }) => kind === PASSED): Promise<[Side, Side]> {
  const [one, other] = memoryPipe(mayPass, mayPass);
  const sides: [Side, Side] = [new Side(one), new Side(other)];
  await turn();
  return sides;
}

Deno.test("a frame that may pass is there before send() returns, any other is not", async () => {
  const [one, other] = await open();
  one.send(1);
  assertEquals(other.got, [1]);
  one.send(2, WRITTEN);
  assertEquals(other.got, [1]);
  await turn();
  assertEquals(other.got, [1, 2]);
  other.send(3);
  assertEquals(one.got, [3]);
});

Deno.test("no frame passes by default", async () => {
  const [one, other] = memoryPipe().map((end) => new Side(end)) as [Side, Side];
  await turn();
  one.send(1);
  assertEquals(other.got, []);
  await turn();
  assertEquals(other.got, [1]);
});

Deno.test("a frame does not pass before the connection has begun, nor when it is over", async () => {
  const [one, other] = memoryPipe(() => true, () => true).map((end) => new Side(end)) as [
    Side,
    Side,
  ];
  one.send(1);
  assertEquals(other.got, []);
  await turn();
  assertEquals(other.got, [1]);
  other.connection.close();
  one.send(2);
  await turn();
  assertEquals(other.got, [1]);
});

Deno.test("a frame does not overtake one that was written", async () => {
  const [one, other] = await open();
  one.send(1, WRITTEN);
  one.send(2);
  assertEquals(other.got, []);
  await turn();
  assertEquals(other.got, [1, 2]);
});

Deno.test("a frame does not overtake what was written and not yet looked at", async () => {
  const [one, other] = await open();
  one.onDrain = () => one.send(99);
  const payload = new Uint8Array(MAX_FRAME_BYTES - HEADER_BYTES);
  const frames = Array.from(
    { length: 9 },
    (_, value) => toBytes(frame(WRITTEN, { value, payload })),
  );
  one.connection.sendShared(concat(frames));
  assert(one.connection.congested);
  while (other.got.length < 10) await turn();
  assertEquals(other.got, [0, 1, 2, 3, 4, 5, 6, 7, 8, 99]);
});

Deno.test("nobody gets an answer while what it sends still passes", async () => {
  const [one, other] = await open();
  let returned = false;
  const seen: boolean[] = [];
  one.onFrame = () => seen.push(returned);
  other.onFrame = ({ value }) => other.send(value + 1);
  one.send(1);
  returned = true;
  await turn();
  assertEquals(one.got, [2]);
  assertEquals(seen, [true]);
});

Deno.test("nothing more passes before what was sent back is read", async () => {
  const [one, other] = await open();
  const order: string[] = [];
  one.onFrame = () => order.push("asked to pause");
  other.onFrame = ({ value }) => {
    order.push(`got ${value}`);
    if (value === 1) other.send(0, WRITTEN);
  };
  one.send(1);
  one.send(2);
  await turn();
  assertEquals(order, ["got 1", "asked to pause", "got 2"]);
});

Deno.test("nothing passes to a connection that is held", async () => {
  const [one, other] = await open();
  other.connection.hold();
  for (let value = 1; value <= 5; value++) {
    one.send(value);
    await turn();
  }
  assert(other.got.length <= 1, "more than the read that was under way");
  other.connection.release();
  await turn();
  assertEquals(other.got, [1, 2, 3, 4, 5]);
});

Deno.test("no more than a MiB passes before others have their turn, and then goes on as bytes", async () => {
  const [one, other] = await open();
  for (let value = 0; value < 2_500; value++) one.send(value, PASSED, 1_000);
  assertEquals(other.got.length, 1_024);
  while (other.got.length < 2_500) await turn();
  assertEquals(other.got, Array.from({ length: 2_500 }, (_, value) => value));
  one.send(2_500, PASSED, 1_000);
  assertEquals(other.got.length, 2_501);
});

Deno.test("what is thrown for a frame that passes closes who was to take it, and not the sender's call", async () => {
  const [one, other] = await open();
  const error = new ProtocolError("no");
  other.onFrame = () => {
    throw error;
  };
  one.send(1);
  await turn();
  assertEquals(other.closes, [error]);
  assertEquals(one.closes, [undefined]);
});

Deno.test("who sends with a full stack gets that error, and nobody's connection ends", async () => {
  const [one, other] = await open();
  other.onFrame = function recurse(): void {
    recurse();
  };
  assertThrows(() => one.send(1), RangeError);
  other.onFrame = () => {};
  other.send(3);
  assertEquals(one.got, [3]); // nothing is passing any more
  one.send(2);
  await turn();
  assertEquals([other.got, other.closes, one.closes], [[1, 2], [], []]);
});

Deno.test("a frame that is too large does not pass", async () => {
  const [one, other] = await open();
  one.send(1, PASSED, MAX_FRAME_BYTES - HEADER_BYTES);
  assertEquals(other.got, [1]);
  await turn(); // so much does not pass twice in a turn
  one.send(2, PASSED, MAX_FRAME_BYTES - HEADER_BYTES + 1);
  await turn();
  assertEquals(other.got, [1]);
  assertInstanceOf(other.closes[0], ProtocolError);
});

Deno.test("a connection that is released within a call reads on as part of no call", async () => {
  const storage = new AsyncLocalStorage<string>();
  const stream = new FakeStream();
  const contexts: (string | undefined)[] = [];
  const side = new Side(stream);
  side.onFrame = () => contexts.push(storage.getStore());
  const sender = new FakeStream();
  const connection = new Connection(sender, MAX_FRAME_BYTES, { onFrame() {}, onClose() {} });
  for (let value = 1; value <= 3; value++) connection.send(frame(PASSED, { value }));
  await turn();
  side.connection.hold();
  stream.feed(sender.written); // for the read that was under way
  await turn();
  storage.run("a call", () => side.connection.release());
  await turn();
  stream.feed(sender.written.subarray(sender.written.length - HEADER_BYTES));
  await turn();
  assertEquals(contexts, [undefined, undefined, undefined, undefined]);
});

const STEP = fc.record({
  from: fc.constantFrom(0, 1),
  what: fc.constantFrom("send", "send", "send", "write", "write large", "ask", "hold", "release"),
  /** Microtasks before the next step. */
  pause: fc.constantFrom(0, 0, 0, 1, 2, 3, 5, 20),
});

Deno.test("both ends get all that was sent in its order, whatever passes and whatever is written", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(STEP, { maxLength: 60 }), async (steps) => {
      const sides = await open();
      const sent: [number[], number[]] = [[], []];
      const send = (from: number, kind: Kind, bytes: number) => {
        const value = sent[from]!.push(sent[from]!.length) - 1;
        sides[from]!.send(value, kind, bytes);
      };
      // Asked by a name of 1, it sends something back from within the frame.
      sides.forEach((side, from) => {
        side.onFrame = ({ payload }) => {
          if (payload.length === 1) send(from, PASSED, 0);
        };
      });
      for (const { from, what, pause } of steps) {
        const { connection } = sides[from]!;
        if (what === "hold") connection.hold();
        else if (what === "release") connection.release();
        else if (what === "ask") send(from, PASSED, 1);
        else if (what === "write large") send(from, WRITTEN, 300_000);
        else send(from, what === "send" ? PASSED : WRITTEN, 2);
        for (let n = 0; n < pause; n++) await undefined;
      }
      for (const { connection } of sides) connection.release();
      while (sides.some(({ got }, at) => got.length < sent[1 - at]!.length)) await turn();
      assertEquals(sides[0].got, sent[1]);
      assertEquals(sides[1].got, sent[0]);
      for (const { connection } of sides) connection.close();
    }),
    { numRuns: 100 },
  );
});
