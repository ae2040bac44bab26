import { assertEquals, assertRejects } from "@std/assert";
import { ConnectionError, ProtocolError } from "../../src/errors.ts";
import { Inbox } from "../../src/transport/inbox.ts";
import { MessageStream } from "../../src/transport/message_stream.ts";
import { MAX_MESSAGE_BYTES, MESSAGE_WINDOW_BYTES } from "../../src/wire/limits.ts";
import { FakeTime } from "../helpers/fake_time.ts";
import { RecordingCarrier } from "../helpers/message_pair.ts";
import { settled } from "../helpers/soon.ts";

/** Writes until the window is full, and gives the write that waits. */
async function fill(stream: MessageStream): Promise<{ waiting: Promise<number> }> {
  const bytes = new Uint8Array(MESSAGE_WINDOW_BYTES);
  let written = 0;
  while (written < MESSAGE_WINDOW_BYTES) written += await stream.write(bytes);
  const waiting = stream.write(bytes);
  waiting.catch(() => {});
  return { waiting };
}

Deno.test("MessageStream writes large pieces in messages that are not too large", async () => {
  const carrier = new RecordingCarrier();
  const stream = new MessageStream(carrier);
  assertEquals(await stream.write(new Uint8Array(5)), 5);
  assertEquals(await stream.write(new Uint8Array(3 * MAX_MESSAGE_BYTES)), MAX_MESSAGE_BYTES);
  assertEquals(carrier.sent, [5, MAX_MESSAGE_BYTES]);
});

Deno.test("MessageStream writes no more than the window until it gets credit", async () => {
  const carrier = new RecordingCarrier();
  const stream = new MessageStream(carrier);
  const { waiting } = await fill(stream);
  await settled();
  const sent = () => carrier.sent.reduce((sum, bytes) => sum + bytes);
  assertEquals(sent(), MESSAGE_WINDOW_BYTES);
  stream.onCredit(7);
  assertEquals(await waiting, 7);
  assertEquals(sent(), MESSAGE_WINDOW_BYTES + 7);
});

Deno.test("MessageStream tells of half a window that was read, and not of what waits", async () => {
  const carrier = new RecordingCarrier();
  const stream = new MessageStream(carrier);
  const half = MESSAGE_WINDOW_BYTES / 2;
  for (let at = 0; at < MESSAGE_WINDOW_BYTES; at += MAX_MESSAGE_BYTES) {
    stream.onBytes(new Uint8Array(MAX_MESSAGE_BYTES));
  }
  await settled();
  assertEquals(carrier.credits, []);
  assertEquals(await stream.read(new Uint8Array(half - 1)), half - 1);
  assertEquals(carrier.credits, []);
  assertEquals(await stream.read(new Uint8Array(1)), 1);
  assertEquals(carrier.credits, [half]);
});

Deno.test("MessageStream tells soon who holds back, when nothing else is sent", async () => {
  using time = new FakeTime();
  const carrier = new RecordingCarrier();
  const stream = new MessageStream(carrier, { holdsBack: true });
  const into = new Uint8Array(10);
  stream.onBytes(new Uint8Array(3));
  await stream.read(into);
  await time.tickAsync(10);
  assertEquals(carrier.credits, [3]);
  stream.onBytes(new Uint8Array(4));
  await stream.read(into);
  await stream.write(into); // an answer tells as well
  await time.tickAsync(10);
  assertEquals(carrier.credits, [3]);
  stream.onBytes(new Uint8Array(5));
  await stream.read(into);
  stream.close();
  assertEquals(time.pending, 0);
});

Deno.test("MessageStream tells at once who holds the rest back, and nobody else", async () => {
  using time = new FakeTime();
  for (const holdsBack of [true, false]) {
    const carrier = new RecordingCarrier();
    const stream = new MessageStream(carrier, { holdsBack });
    const into = new Uint8Array(10_000);
    for (const bytes of [1023, 1024, 1025, 1024]) {
      stream.onBytes(new Uint8Array(bytes));
      await stream.read(into);
    }
    assertEquals(carrier.credits, holdsBack ? [2047, 2049] : []);
    stream.close();
  }
  assertEquals(time.pending, 0);
});

const REFUSALS: Record<string, [status: number, (stream: MessageStream) => void]> = {
  "a message that is too large": [
    1009,
    (stream) => stream.onBytes(new Uint8Array(MAX_MESSAGE_BYTES + 1)),
  ],
  "more than the window": [1008, (stream) => {
    for (let sent = 0; sent <= MESSAGE_WINDOW_BYTES; sent += MAX_MESSAGE_BYTES) {
      stream.onBytes(new Uint8Array(MAX_MESSAGE_BYTES));
    }
  }],
  "credit for what was not sent": [1003, (stream) => stream.onCredit(1)],
  "a credit of nothing": [1003, (stream) => stream.onCredit(0)],
  "a credit that is no number": [1003, (stream) => stream.onCredit(NaN)],
};

for (const [what, [status, attack]] of Object.entries(REFUSALS)) {
  Deno.test(`MessageStream refuses ${what}`, async () => {
    const carrier = new RecordingCarrier();
    const stream = new MessageStream(carrier);
    attack(stream);
    assertEquals(carrier.closed?.refusal?.status, status);
    await assertRejects(() => stream.write(new Uint8Array(1)), ProtocolError, "broke the rules");
    const read = async () => {
      while (await stream.read(new Uint8Array(MAX_MESSAGE_BYTES)) !== null);
    };
    await assertRejects(read, ProtocolError, "broke the rules");
  });
}

Deno.test("MessageStream gives what came before a break, and then its reason", async () => {
  const stream = new MessageStream(new RecordingCarrier());
  stream.onBytes(Uint8Array.of(1, 2));
  stream.onEnd(new ConnectionError("torn"));
  assertEquals(await stream.read(new Uint8Array(9)), 2);
  await assertRejects(() => stream.read(new Uint8Array(9)), ConnectionError, "torn");
});

Deno.test("MessageStream ends a waiting write with the reason of the break", async () => {
  const stream = new MessageStream(new RecordingCarrier());
  const { waiting } = await fill(stream);
  stream.onEnd(new ConnectionError("torn"));
  await assertRejects(() => waiting, ConnectionError, "torn");
});

Deno.test("MessageStream ignores what comes after its end, and closes once", async () => {
  const carrier = new RecordingCarrier();
  const stream = new MessageStream(carrier);
  stream.close();
  assertEquals(carrier.closed, { refusal: undefined });
  carrier.closed = undefined;
  stream.onBytes(new Uint8Array(MAX_MESSAGE_BYTES + 1));
  stream.onCredit(5);
  stream.refuse(1003, "late");
  stream.close();
  assertEquals(carrier.closed, undefined);
  await assertRejects(() => stream.read(new Uint8Array(1)));
});

Deno.test("Inbox keeps tiny messages in buffers that they share", () => {
  const inbox = new Inbox();
  for (let i = 0; i < 100_000; i++) inbox.add(Uint8Array.of(i & 0xff));
  assertEquals(inbox.bytes, 100_000);
  assertEquals(inbox.buffers, 8); // the first message is one
  const into = new Uint8Array(100_001);
  assertEquals(inbox.take(into), 100_000);
  assertEquals(into.every((byte, i) => i === 100_000 || byte === (i & 0xff)), true);
  assertEquals([inbox.bytes, inbox.buffers, inbox.take(into)], [0, 0, 0]);
});

Deno.test("Inbox gives large messages in any portions, in order", () => {
  const inbox = new Inbox();
  const whole: number[] = [];
  for (let i = 0; i < 50; i++) {
    const bytes = Uint8Array.from({ length: i % 3 === 0 ? 20_000 : i }, (_, at) => (at * i) & 0xff);
    whole.push(...bytes);
    inbox.add(bytes);
  }
  const read: number[] = [];
  const into = new Uint8Array(7_777);
  for (let count = inbox.take(into); count > 0; count = inbox.take(into)) {
    read.push(...into.subarray(0, count));
  }
  assertEquals(read, whole);
});
