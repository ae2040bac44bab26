import { assertEquals } from "@std/assert";
import { encode } from "@msgpack/msgpack";
import { later, within } from "../helpers/soon.ts";
import { type Here, joinHere, overBoth, startController, startNode } from "./network.ts";
import { KIND, NO_REPLY, RawPeer } from "./raw_peer.ts";
import { stalls } from "./stalls.ts";

const MiB = 1024 * 1024;

/** What the controller queues, and generously what the system's sockets hold on both sides. */
const BOUND_BYTES = (64 + 32) * MiB;

/** The peers here read when it suits them. */
const PATIENT = { heartbeat: false };

const NAMES = Array.from({ length: 4_000 }, (_, i) => `${i} `.padEnd(200, "x"));

/** Floods until nothing is taken any more; gives the send that waits, and how much went before it. */
async function flood(
  send: (turn: number) => Promise<void>,
  bytes: number,
): Promise<[waiting: Promise<void>, sent: number]> {
  for (let sent = 1; sent * bytes < BOUND_BYTES; sent++) {
    const waiting = later(send(sent - 1));
    if (await stalls(waiting)) return [waiting, sent];
  }
  throw new Error("the controller takes more and more");
}

async function assertUndisturbed({ g }: Here): Promise<void> {
  assertEquals(await g.call.add(1, 2).fg({ timeout: "20s" }), 3);
  const { value } = await g.call.invoke({ how: "fg", name: "add", args: [3, 4] })
    .fg({ timeout: "20s" }) as { value: number };
  assertEquals(value, 7);
}

overBoth("a node that calls itself and does not read is not read from", async (place) => {
  await using _controller = await startController(place, PATIENT);
  await using _there = await startNode(place, "there");
  await using here = await joinHere(place);
  using flooder = await RawPeer.join(place, "flooder", ["f"]);
  const [peer, name] = [flooder.idOf("flooder"), flooder.nameOf("flooder", "f")];
  const payload = encode([new Uint8Array(200_000)]);
  const [waiting, sent] = await flood(
    (call) => flooder.send(KIND.CALL, { flags: NO_REPLY, call: call + 1, peer, name, payload }),
    payload.length,
  );
  await assertUndisturbed(here);
  for (let i = 1; i <= sent; i++) assertEquals((await flooder.readUntil(KIND.CALL)).call, i);
  await within("the last call to be taken", waiting);
});

overBoth("a node that floods the directory is as fast as who reads it slowest", async (place) => {
  await using _controller = await startController(place, PATIENT);
  await using _there = await startNode(place, "there");
  await using here = await joinHere(place);
  await here.g.waitProcess("there");
  using sloth = await RawPeer.join(place, "sloth");
  using flooder = await RawPeer.join(place, "flooder");
  const drained = drain(flooder);
  const [waiting, sent] = await floodDirectory(flooder);
  await assertUndisturbed(here);
  for (let i = 0; i < sent; i++) await sloth.readUntil(KIND.DIRECTORY);
  await within("the last change to be taken", waiting);
  await flooder.send(KIND.LEAVE);
  await within("the end", drained);
});

overBoth("a node that floods the directory and does not read is not read from", async (place) => {
  await using _controller = await startController(place, PATIENT);
  await using _there = await startNode(place, "there");
  await using here = await joinHere(place);
  await here.g.waitProcess("there");
  using flooder = await RawPeer.join(place, "flooder");
  const [waiting, sent] = await floodDirectory(flooder);
  await assertUndisturbed(here);
  for (let i = 0; i < sent; i++) await flooder.readUntil(KIND.DIRECTORY);
  await within("the last change to be taken", waiting);
});

/** Offers and withdraws the same names until nothing more is taken. */
function floodDirectory(flooder: RawPeer): ReturnType<typeof flood> {
  const payload = encode(NAMES);
  return flood(
    (turn) => flooder.send(turn % 2 === 0 ? KIND.OFFER : KIND.WITHDRAW, { payload }),
    payload.length / 2, // what a withdrawal makes is small
  );
}

async function drain(peer: RawPeer): Promise<void> {
  try {
    while (await peer.read() !== null);
  } catch {
    // It was hung up.
  }
}
