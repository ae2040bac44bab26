import { assert, assertEquals } from "@std/assert";
import { encode } from "@msgpack/msgpack";
import { later, until, within } from "../helpers/soon.ts";
import { joinHere, overAll, type Place, startController, startNode } from "./network.ts";
import { KIND, NO_REPLY, rawFrame, RawPeer } from "./raw_peer.ts";
import { concat } from "../wire/frames.ts";
import { stalls } from "./stalls.ts";
import {
  DEFAULT_MAX_FRAME_BYTES,
  MAX_UNDER_WAY_BYTES,
  PAUSE_AT_BYTES,
} from "../../src/wire/limits.ts";
import { residentBytes } from "../helpers/resident_bytes.ts";

const MiB = 1024 * 1024;

/** What the controller queues for a process before it holds a sender back. */
const QUEUED_BYTES = PAUSE_AT_BYTES + MAX_UNDER_WAY_BYTES + DEFAULT_MAX_FRAME_BYTES;
/** As much as both ends of a UNIX socket hold, generously, and of a TCP connection where little memory is allowed. */
const SOCKETS_BYTES = 16 * MiB;
const TCP_SOCKETS_BYTES = await tcpSocketsBytes();
/** What a process may grow by: what it queues, and what it wrote and has not collected. */
const GROWTH_BYTES = 3 * QUEUED_BYTES;

/** Some of the peers here do not even answer a `PING`. */
const PATIENT = { heartbeat: false };

overAll(
  "callers of a process that does not read are slowed down, and nothing is lost",
  async (place) => {
    await using _controller = await startController(place, PATIENT);
    await using _there = await startNode(place, "there");
    using sloth = await RawPeer.join(place, "sloth", ["sink"]);
    await using here = await joinHere(place);
    const { call } = here.g;
    await here.g.waitProcess("there");

    const payload = new Uint8Array(100_000);
    let sent = 0;
    let waiting: Promise<void>;
    do {
      waiting = call.sink(sent, payload).noReturn();
      sent++;
      assert(
        sent * payload.length < boundBytes(place),
        "noReturn() never waits for the slow process",
      );
    } while (!await stalls(waiting));

    const busy = later(call.sink("asked").fg());
    assertEquals(await call.add(1, 2).fg({ timeout: "10s" }), 3);
    assertEquals(await call.invoke({ how: "fg", name: "add", args: [3, 4] }), { value: 7 });
    assertEquals(await stalls(waiting), true);

    for (let i = 0; i < sent; i++) await sloth.readUntil(KIND.CALL);
    await within("noReturn() to settle", waiting);
    const { call: callId, peer } = await sloth.readUntil(KIND.CALL);
    await sloth.send(KIND.RESULT, { call: callId, peer, payload: encode("answered") });
    assertEquals(await busy, "answered");
    assertEquals(here.g.stats.droppedCalls, 0);
  },
);

overAll("a stream to a process that does not read keeps within its credits", async (place) => {
  await using _controller = await startController(place, PATIENT);
  await using _there = await startNode(place, "there");
  using sloth = await RawPeer.join(place, "sloth", ["sink"]);
  await using here = await joinHere(place);
  const stalled = Promise.withResolvers<void>();
  let taken = 0;
  const items = function* () {
    for (; taken < 100_000; taken++) yield new Uint8Array(10_000);
  };
  const streaming = later(here.g.call.sink(items()).stream({ to: "sloth" }));
  streaming.catch(() => {}).finally(() => stalled.resolve());

  const { call, peer } = await sloth.readUntil(KIND.CALL);
  assertEquals(taken <= 1, true, "items leave without credit");
  await sloth.send(KIND.CREDIT, { call, peer, stream: 1, value: 256 });
  // An item of this size costs three credits; the last one may overdraw.
  for (let i = 0; i < 86; i++) assertEquals((await sloth.readUntil(KIND.ITEM)).stream, 1);
  assertEquals(await stalls(sloth.readUntil(KIND.ITEM).catch(() => {})), true);
  assert(taken <= 88, `${taken} items were taken from the source`);
  assertEquals(await here.g.call.add(1, 2), 3);
  await sloth.send(KIND.STOP, { call, peer, stream: 1 });
  await sloth.send(KIND.RESULT, { call, peer, payload: encode(null) });
  await streaming;
  await stalled.promise;
});

overAll(
  "a sender that ignores PAUSE is not read from while the target's queue is full",
  async (place) => {
    await using controller = await startController(place, PATIENT);
    await using _there = await startNode(place, "there");
    using sloth = await RawPeer.join(place, "sloth", ["sink"]);
    await using here = await joinHere(place);
    const { call } = here.g;
    await here.g.waitProcess("there");
    const before = await residentBytes(controller.pid);

    using flooder = await RawPeer.join(place, "flooder");
    const peer = flooder.idOf("sloth");
    const name = flooder.nameOf("sloth", "sink");
    const payload = encode([new Uint8Array(100_000)]);
    let sent = 0;
    let writing: Promise<void>;
    do {
      writing = later(
        flooder.send(KIND.CALL, { flags: NO_REPLY, call: ++sent, peer, name, payload }),
      );
      assert(sent * payload.length < boundBytes(place), "the controller takes more and more");
    } while (!await stalls(writing));

    assertEquals(await call.add(1, 2).fg({ timeout: "10s" }), 3);
    assertEquals(await call.invoke({ how: "fg", name: "add", args: [3, 4] }), { value: 7 });
    const grown = await residentBytes(controller.pid) - before;
    assert(grown < GROWTH_BYTES, `the controller has grown by ${grown} bytes`);

    await Promise.all([
      writing,
      (async () => {
        for (let call = 1; call <= sent; call++) {
          assertEquals((await sloth.readUntil(KIND.CALL)).call, call);
        }
      })(),
    ]);
    await flooder.write(rawFrame(KIND.PING, { value: 7 }));
    assertEquals((await flooder.readUntil(KIND.PONG)).value, 7);
  },
);

overAll("a caller that does not read its answers is not read from", async (place) => {
  await using _controller = await startController(place, PATIENT);
  await using there = await startNode(place, "there");
  using greedy = await RawPeer.join(place, "greedy");
  await using here = await joinHere(place);
  await here.g.waitProcess("there");
  const before = await residentBytes(there.pid);

  const [peer, name] = [greedy.idOf("there"), greedy.nameOf("there", "echo")];
  const payload = encode(["x".repeat(900)]); // whose answer is a small one
  const batch = 100;
  let sent = 0;
  const calls = () => {
    const frames: Uint8Array[] = [];
    while (frames.length < batch) {
      frames.push(rawFrame(KIND.CALL, { call: ++sent, peer, name, payload }));
    }
    return concat(frames);
  };
  let writing: Promise<void>;
  do {
    writing = later(greedy.write(calls()));
    const grown = sent % 10_000 === 0 ? await residentBytes(there.pid) - before : 0;
    assert(grown < GROWTH_BYTES, `the callee has grown by ${grown} bytes`);
  } while (!await stalls(writing));
  for (let n = 0; n < sent; n++) await greedy.readUntil(KIND.RESULT);
  await writing;
  assertEquals(await here.g.call.add(1, 2).fg({ timeout: "10s", to: "there" }), 3);
});

overAll("processes that wait for a slow one go on when it is killed", async (place) => {
  await using _controller = await startController(place, PATIENT);
  await using sloth = await startNode(place, "sloth");
  await using here = await joinHere(place);
  await here.g.waitProcess("sloth");
  sloth.signal("SIGSTOP");

  const value = new Uint8Array(100_000);
  let sent = 0;
  let waiting: Promise<void>;
  do {
    waiting = here.g.call.note({ topic: "t", value }).noReturn();
    sent++;
    assert(
      sent * value.length < boundBytes(place),
      "noReturn() never waits for the stopped process",
    );
  } while (!await stalls(waiting));
  sloth.signal("SIGKILL");
  await within("noReturn() to settle", waiting);
  await sloth.ended();
}, { needsPosix: true });

overAll("calls to a process that was stopped are answered when it goes on", async (place) => {
  await using _controller = await startController(place, PATIENT);
  await using sloth = await startNode(place, "sloth");
  await using here = await joinHere(place);
  await here.g.waitProcess("sloth");
  sloth.signal("SIGSTOP");
  const payload = new Uint8Array(100_000);
  const calls = Array.from(
    { length: 300 },
    (_, i) => later<[number]>(here.g.call.echo([i, payload]).fg()),
  );
  assertEquals(await stalls(Promise.race(calls)), true);
  sloth.signal("SIGCONT");
  const answers = await within("the answers", Promise.all(calls));
  assertEquals(answers.map(([i]) => i), Array.from({ length: 300 }, (_, i) => i));
}, { needsPosix: true });

overAll(
  "who sends a large value to a process that is stopped is not held back from calling others",
  async (place) => {
    await using hub = await joinHere(place, { initController: true, processName: "hub" });
    await using sloth = await startNode(place, "sloth");
    await using one = await joinHere(place, { processName: "one" });
    await using two = await joinHere(place, { processName: "two" });
    await Promise.all([one.g.waitProcess("sloth"), two.g.waitProcess("sloth")]);
    const { forwardedFrames } = hub.g.stats;
    sloth.signal("SIGSTOP");
    const value = new Uint8Array(60 * MiB); // two of them are more than is queued for who does not read
    const large = later(
      Promise.all([one, two].map(({ g }) => g.call.echo(value).fg({ to: "sloth" }))),
    );
    await until(() => hub.g.stats.forwardedFrames >= forwardedFrames + 2, 30_000);

    const small = value.subarray(0, 100_000);
    const calls = Array.from({ length: 150 }, () => two.g.call.echo(small).fg({ to: "hub" }));
    const others = later(Promise.all([...calls, one.g.call.add(1, 2).fg({ to: "hub" })]));
    const answers = await within("the answers of others", others) as Uint8Array[];
    assertEquals(answers.filter(({ length }) => length === small.length).length, 150);
    assertEquals(await stalls(large), true);
    sloth.signal("SIGCONT");
    const echoes = await within("the answers of who was stopped", large) as Uint8Array[];
    assertEquals(echoes.map(({ length }) => length), [value.length, value.length]);
    for (const { logged } of [hub, one, two]) assertEquals(await logged.until("message", 0), []);
  },
  { needsPosix: true },
);

/** What the controller queues, and what the system's sockets hold before and behind it. */
function boundBytes({ transport }: Place): number {
  return QUEUED_BYTES + 2 * (transport === "a UNIX socket" ? SOCKETS_BYTES : TCP_SOCKETS_BYTES);
}

/** As much as both ends of a TCP connection may hold, where the system tells it. */
async function tcpSocketsBytes(): Promise<number> {
  if (Deno.build.os !== "linux") return SOCKETS_BYTES;
  const buffers = ["tcp_rmem", "tcp_wmem"].map(async (name) => {
    const sizes = await Deno.readTextFile(`/proc/sys/net/ipv4/${name}`);
    return Number(sizes.trim().split(/\s+/).at(-1)); // least, default and most
  });
  return Math.max(SOCKETS_BYTES, (await Promise.all(buffers)).reduce((sum, bytes) => sum + bytes));
}
