import { assertEquals, assertRejects } from "@std/assert";
import { ConnectionError, ProtocolError } from "../../src/errors.ts";
import { Inbox } from "../../src/transport/inbox.ts";
import { MessageStream } from "../../src/transport/message_stream.ts";
import { MAX_MESSAGE_BYTES, MESSAGE_WINDOW_BYTES } from "../../src/wire/limits.ts";
import { FakeTime } from "../helpers/fake_time.ts";
import { collectGarbage } from "../helpers/garbage.ts";
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

Deno.test("MessageStream tells soon who holds back, each time", async () => {
  using time = new FakeTime();
  const carrier = new RecordingCarrier();
  const stream = new MessageStream(carrier, { holdsBack: true });
  for (const [round, bytes] of [3, 4, 5].entries()) {
    stream.onBytes(new Uint8Array(bytes));
    await stream.read(new Uint8Array(10));
    await time.tickAsync(10);
    assertEquals(carrier.credits.length, round + 1);
  }
  assertEquals(carrier.credits, [3, 4, 5]);
  stream.close();
});

Deno.test("MessageStream tells nothing of what is read after the other side's end", async () => {
  using time = new FakeTime();
  for (const holdsBack of [true, false]) {
    const carrier = new RecordingCarrier();
    const stream = new MessageStream(carrier, { holdsBack });
    for (let at = 0; at < MESSAGE_WINDOW_BYTES; at += MAX_MESSAGE_BYTES) {
      stream.onBytes(new Uint8Array(MAX_MESSAGE_BYTES));
    }
    stream.onEnd();
    const into = new Uint8Array(MESSAGE_WINDOW_BYTES);
    assertEquals(await stream.read(into), MESSAGE_WINDOW_BYTES);
    assertEquals(await stream.read(into), null);
    await time.tickAsync(10);
    assertEquals(carrier.credits, []);
  }
});

Deno.test("MessageStream goes on after each credit, and waits again", async () => {
  const carrier = new RecordingCarrier();
  const stream = new MessageStream(carrier);
  let { waiting } = await fill(stream);
  for (const credit of [7, MAX_MESSAGE_BYTES, 1]) {
    stream.onCredit(credit);
    assertEquals(await waiting, credit);
    waiting = stream.write(new Uint8Array(MAX_MESSAGE_BYTES));
    waiting.catch(() => {});
    await settled();
    assertEquals(carrier.sent.at(-1), credit);
  }
  stream.close();
  await assertRejects(() => waiting, ConnectionError);
});

Deno.test("MessageStream keeps the reason of what it has refused, and tells the other side", async () => {
  const carrier = new RecordingCarrier();
  const stream = new MessageStream(carrier);
  stream.onText("hello");
  assertEquals(carrier.closed?.refusal, { status: 1003, reason: "a text message is a credit" });
  stream.onEnd(new ConnectionError("torn"));
  await assertRejects(() => stream.read(new Uint8Array(1)), ProtocolError, "broke the rules");
});

Deno.test("MessageStream takes nothing behind the other side's end, and does not close what has ended", async () => {
  const carrier = new RecordingCarrier();
  const stream = new MessageStream(carrier);
  stream.onBytes(Uint8Array.of(1));
  stream.onEnd();
  stream.onBytes(Uint8Array.of(2, 3));
  assertEquals(await stream.read(new Uint8Array(9)), 1);
  assertEquals(await stream.read(new Uint8Array(9)), null);
  stream.close();
  assertEquals(carrier.closed, undefined);
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
  "a credit for less than a byte": [1003, (stream) => {
    stream.write(new Uint8Array(2));
    stream.onCredit(1.5);
  }],
  ...Object.fromEntries(
    ["", "01", "1.0", "1e0", "+1", " 1", "1\n", "0x1", "one", "\u0661"].map((words) => [
      `the text ${JSON.stringify(words)}`,
      [1003, (stream: MessageStream) => {
        stream.write(new Uint8Array(2));
        stream.onText(words);
      }],
    ]),
  ),
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

Deno.test("MessageStream keeps nothing of what has come once it is closed", async () => {
  const stream = new MessageStream(new RecordingCarrier());
  const memory = (() => {
    const bytes = new Uint8Array(MAX_MESSAGE_BYTES);
    stream.onBytes(bytes);
    return new WeakRef(bytes);
  })();
  stream.close();
  await new Promise((resolve) => setTimeout(resolve)); // a WeakRef keeps its target until then
  collectGarbage();
  assertEquals(memory.deref(), undefined);
  await assertRejects(() => stream.read(new Uint8Array(1)), ConnectionError, "is closed");
});

Deno.test("Inbox.clear() forgets everything", () => {
  const inbox = new Inbox();
  for (const size of [5, 20_000]) inbox.add(new Uint8Array(size));
  inbox.clear();
  assertEquals([inbox.bytes, inbox.buffers, inbox.take(new Uint8Array(9))], [0, 0, 0]);
  inbox.add(Uint8Array.of(7));
  assertEquals([inbox.bytes, inbox.take(new Uint8Array(9))], [1, 1]);
});

Deno.test("Inbox keeps nothing of what was taken, also if it is never empty", () => {
  const inbox = new Inbox();
  const taken: WeakRef<ArrayBufferLike>[] = [];
  const into = new Uint8Array(20_000);
  inbox.add(new Uint8Array(1));
  for (let i = 0; i < 3_000; i++) {
    const bytes = new Uint8Array(20_000);
    if (i < 1_000) taken.push(new WeakRef(bytes.buffer));
    inbox.add(bytes);
    inbox.take(into);
  }
  return new Promise((resolve) => setTimeout(resolve)).then(() => { // a WeakRef keeps its target until then
    collectGarbage();
    assertEquals([inbox.bytes, inbox.buffers], [1, 1]);
    assertEquals(taken.filter((reference) => reference.deref() !== undefined).length, 0);
  });
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
