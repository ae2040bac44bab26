import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { ConnectionError } from "../../src/errors.ts";
import { Connection } from "../../src/link/connection.ts";
import { Heartbeat } from "../../src/link/heartbeat.ts";
import { NodeHeartbeat } from "../../src/link/node_heartbeat.ts";
import { memoryPipe } from "../../src/transport/memory.ts";
import { type Frame, frame, Kind } from "../../src/wire/frame.ts";
import { HEADER_BYTES } from "../../src/wire/limits.ts";
import { PREFACE } from "../../src/wire/preface.ts";
import { FakeTime } from "../helpers/fake_time.ts";
import { payloadOf, toBytes } from "../wire/frames.ts";
import { FakeStream, turn } from "./fake_stream.ts";

const SECOND = 1000;
const POLICY = { intervalMs: 5 * SECOND, timeoutMs: 15 * SECOND };
/** Most that a loss is noticed too late. */
const TICK_MS = POLICY.intervalMs / 2;
const PING_BYTES = toBytes(frame(Kind.Ping));

/** A connection to another side that says only what the test has it say. */
class Link implements Disposable {
  readonly time = new FakeTime();
  readonly stream = new FakeStream();
  readonly frames: Frame[] = [];
  readonly connection: Connection;
  lostBecause: Error | undefined;

  constructor(heartbeat: Heartbeat = new NodeHeartbeat(POLICY)) {
    this.connection = new Connection(this.stream, 1 << 20, {
      onFrame: (got) => this.frames.push({ ...got }),
      onClose: (error) => this.lostBecause = error,
    });
    this.stream.feed(PREFACE);
    heartbeat.watch(this.connection);
  }

  /** Lets time pass, in steps in which what happens can happen. */
  async pass(ms: number, everySecond: () => void = () => {}): Promise<void> {
    for (let at = 0; at < ms; at += SECOND) {
      everySecond();
      await turn();
      await this.time.tickAsync(Math.min(SECOND, ms - at));
      await turn();
    }
  }

  /** How many `PING`s were written. */
  get pings(): number {
    return (this.stream.written.length - PREFACE.length) / HEADER_BYTES;
  }

  hear(bytes: Uint8Array = PING_BYTES): void {
    this.stream.feed(bytes);
  }

  [Symbol.dispose](): void {
    this.connection.close();
    this.time.restore();
  }
}

Deno.test("Heartbeat pings an idle connection once in each interval", async () => {
  using link = new Link();
  await link.pass(TICK_MS);
  await link.pass(TICK_MS, () => link.hear()); // the other side speaks, this one is silent
  assertEquals(link.pings, 1);
  for (let i = 2; i < 10; i++) {
    await link.pass(POLICY.intervalMs, () => link.hear());
    assertEquals(link.pings, i);
  }
});

Deno.test("Heartbeat sends nothing on a connection that is in use both ways", async () => {
  using link = new Link();
  await link.pass(60 * SECOND, () => {
    link.hear();
    link.connection.send(frame(Kind.Cancel));
  });
  assertEquals(link.pings, 60); // these are the frames above
});

Deno.test("Heartbeat closes a connection on which nothing comes, not before its timeout", async () => {
  using link = new Link();
  await link.pass(TICK_MS + 1);
  link.hear();
  await link.pass(POLICY.timeoutMs - 1);
  assert(!link.connection.closed);
  assertEquals(link.pings, 1 + 3); // one before it was heard, and then one in each interval
  await link.pass(TICK_MS + 1);
  assert(link.connection.closed);
  assertInstanceOf(link.lostBecause, ConnectionError);
  assertEquals(
    link.lostBecause.message,
    "The other side is gone: nothing was received for 15000 ms",
  );
  assertEquals(link.stream.closes, 1);
});

Deno.test("Heartbeat closes nothing before its timeout, which need not be so many half intervals", async () => {
  using link = new Link(new NodeHeartbeat({ intervalMs: 4 * SECOND, timeoutMs: 15 * SECOND }));
  await link.pass(15 * SECOND);
  assert(!link.connection.closed);
  await link.pass(2 * SECOND);
  assert(link.connection.closed);
});

Deno.test("Heartbeat notices a loss within timeout and half an interval", async () => {
  for (const at of [1, 400, 800, 1200, 1600, 2000, 2499]) {
    using link = new Link();
    await link.pass(TICK_MS + at);
    link.hear();
    await link.pass(POLICY.timeoutMs + TICK_MS);
    assert(link.connection.closed, `heard at ${at}`);
  }
});

Deno.test("Heartbeat takes each byte for a sign of life, also within a frame", async () => {
  using link = new Link();
  const bytes = toBytes(frame(Kind.Result, { call: 1, payload: payloadOf(100) }));
  let at = 0;
  await link.pass(120 * SECOND, () => link.hear(bytes.subarray(at, ++at)));
  assert(!link.connection.closed);
  assertEquals(link.frames.length, 0);
});

Deno.test("Heartbeat closes a connection whose queue is full of what is not taken", async () => {
  using link = new Link();
  await turn();
  link.stream.block();
  for (let i = 0; i < 100; i++) {
    link.connection.send(frame(Kind.Call, { payload: payloadOf(100_000) }));
  }
  await link.pass(POLICY.timeoutMs + TICK_MS);
  assert(link.connection.closed);
});

Deno.test("Heartbeat does not blame a connection that is not read from, but lets it know", async () => {
  using link = new Link();
  await turn();
  link.connection.hold();
  await link.pass(10 * 60 * SECOND);
  assert(!link.connection.closed);
  const told = link.pings;
  assert(told >= 10 * 60 * SECOND / POLICY.intervalMs - 1, `${told} in 10 minutes`);
  link.connection.release();
  await link.pass(POLICY.timeoutMs - TICK_MS);
  assert(!link.connection.closed);
  await link.pass(2 * TICK_MS);
  assert(link.connection.closed);
});

Deno.test("Heartbeat does not count the time in which its own process was blocked", async () => {
  using link = new Link();
  await link.pass(POLICY.timeoutMs - TICK_MS); // the next tick would be the last
  link.time.jump(60 * SECOND);
  assert(!link.connection.closed);
  link.hear(); // this was there already, but the timer came first
  await link.pass(POLICY.timeoutMs);
  assert(!link.connection.closed);
  await link.pass(2 * TICK_MS);
  assert(link.connection.closed);
});

Deno.test("Heartbeat asks and waits again after its own process was blocked", async () => {
  using link = new Link();
  await link.pass(POLICY.timeoutMs - TICK_MS);
  link.time.jump(60 * SECOND);
  await turn();
  assert(!link.connection.closed);
  await link.pass(TICK_MS);
  assert(link.connection.closed);
});

Deno.test("Heartbeat notices a loss though its own process is blocked all the time", async () => {
  using link = new Link();
  for (let i = 0; i < 7; i++) {
    assert(!link.connection.closed);
    link.time.jump(6 * SECOND);
    await turn();
  }
  assert(link.connection.closed);
});

Deno.test("Heartbeat closes a connection to a node that speaks but takes nothing", async () => {
  using link = new Link();
  await turn();
  link.stream.block();
  link.connection.send(frame(Kind.Cancel));
  await link.pass(4 * POLICY.timeoutMs - TICK_MS, () => link.hear());
  assert(!link.connection.closed);
  await link.pass(2 * TICK_MS, () => link.hear());
  assertEquals(
    link.lostBecause?.message,
    "The other side is gone: it has taken nothing of what was sent for 60000 ms",
  );
});

Deno.test("Heartbeat lets a node be that takes what it is sent slowly", async () => {
  using link = new Link();
  await turn();
  link.stream.maxWriteBytes = 1;
  link.connection.send(frame(Kind.Call, { payload: payloadOf(40_000) }));
  link.stream.block();
  await link.pass(20 * POLICY.timeoutMs, () => {
    link.hear();
    if (link.time.now % (20 * SECOND) < SECOND) {
      link.stream.unblock();
      link.stream.block();
    }
  });
  assert(!link.connection.closed);
});

Deno.test("Heartbeat lets a controller be that speaks but reads nothing", async () => {
  using link = new Link(new Heartbeat(POLICY));
  await turn();
  link.stream.block();
  link.connection.send(frame(Kind.Cancel));
  await link.pass(20 * POLICY.timeoutMs, () => link.hear());
  assert(!link.connection.closed);
  assertEquals(link.connection.queuedBytes, HEADER_BYTES); // and nothing piles up
});

for (const intervals of [[5, 5], [5, 60], [60, 5]]) {
  Deno.test(`Heartbeat keeps an idle connection: intervals of ${intervals} seconds`, async () => {
    using time = new FakeTime();
    const connections = memoryPipe().map((stream, side) => {
      const connection: Connection = new Connection(stream, 1 << 20, {
        onFrame({ kind }) {
          if (kind === Kind.Ping) connection.send(frame(Kind.Pong));
        },
        onClose() {},
      });
      // One that says nothing by itself but answers will do for the other.
      const intervalMs = intervals[side]! * SECOND;
      new NodeHeartbeat({ intervalMs, timeoutMs: intervalMs + 10 * SECOND }).watch(connection);
      return connection;
    });
    for (let i = 0; i < 600; i++) {
      await time.tickAsync(SECOND);
      await turn();
    }
    assertEquals(connections.map(({ closed }) => closed), [false, false]);
    for (const connection of connections) connection.close();
  });
}

Deno.test("Heartbeat has one timer for all its connections, and none when they are over", async () => {
  using time = new FakeTime();
  const heartbeat = new NodeHeartbeat({ intervalMs: SECOND, timeoutMs: 1e12 });
  const connections = Array.from({ length: 3 }, () => {
    const connection = new Connection(new FakeStream(), 1 << 20, { onFrame() {}, onClose() {} });
    heartbeat.watch(connection);
    return connection;
  });
  assertEquals(time.pending, 1);
  await time.tickAsync(10 * SECOND);
  assertEquals(time.pending, 1);
  for (const [i, connection] of connections.entries()) {
    connection.close();
    await turn();
    assertEquals(time.pending, i === 2 ? 0 : 1);
  }
});

Deno.test("Heartbeat loses each connection by itself", async () => {
  using time = new FakeTime();
  const heartbeat = new NodeHeartbeat(POLICY);
  const [dead, alive] = [1, 2].map(() => {
    const stream = new FakeStream();
    const connection = new Connection(stream, 1 << 20, { onFrame() {}, onClose() {} });
    stream.feed(PREFACE);
    heartbeat.watch(connection);
    return { stream, connection };
  });
  for (let i = 0; i < 20; i++) {
    alive!.stream.feed(PING_BYTES);
    await turn();
    await time.tickAsync(SECOND);
  }
  assertEquals([dead!.connection.closed, alive!.connection.closed], [true, false]);
  alive!.connection.close();
  await turn();
  assertEquals(time.pending, 0);
});
