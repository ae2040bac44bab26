import { assertEquals, assertRejects } from "@std/assert";
import { encode } from "@msgpack/msgpack";
import { PeerLostError } from "../../../mod.ts";
import { later, within } from "../../helpers/soon.ts";
import { joinHere, overBoth, type Place, startController, startNode } from "../network.ts";
import { hello, KIND, PREFACE, rawFrame, RawPeer } from "../raw_peer.ts";

/** A place whose connections can be half-closed behind a peer's back. */
function halfClosable(place: Place): { dial(): Promise<Deno.Conn>; last(): Deno.Conn } {
  let last: Deno.Conn;
  const dial = async () => last = await place.dial() as Deno.Conn; // over TCP and UNIX sockets it is
  return { dial, last: () => last };
}

overBoth("a node that has closed its half of the connection is gone", async (place) => {
  await using _controller = await startController(place);
  await using _there = await startNode(place, "there");
  await using here = await joinHere(place);
  const { g } = here;
  await g.waitProcess("there");
  const closable = halfClosable(place);
  using half = await RawPeer.join(closable, "half", ["trap"]);
  await g.waitProcess("half");
  const pending = later(g.call.trap().fg());
  await half.readUntil(KIND.CALL);

  await closable.last().closeWrite();
  const error = await within("the loss", assertRejects(() => pending, PeerLostError));
  assertEquals([error.processName, error.executed], ["half", "maybe"]);
  await half.closed();
  assertEquals(Object.keys(g.registeredCallbacks), ["there"]);
  assertEquals(await g.call.add(1, 2), 3);
});

overBoth("a stranger that closes its half before or within HELLO is turned away", async (place) => {
  await using here = await joinHere(place, { initController: true });
  const whole = new Uint8Array([...PREFACE, ...rawFrame(KIND.HELLO, { payload: hello("x") })]);
  for (const size of [0, 3, PREFACE.length, PREFACE.length + 10, whole.length - 1]) {
    const { refusedConnections } = here.g.stats;
    const closable = halfClosable(place);
    using conn = await closable.dial();
    if (size > 0) await conn.write(whole.subarray(0, size));
    await closable.last().closeWrite();
    await within("the end", drained(conn));
    assertEquals(here.g.stats.refusedConnections, refusedConnections + 1);
  }
  assertEquals(here.g.registeredCallbacks, {});
});

async function drained(conn: Deno.Conn): Promise<void> {
  const chunk = new Uint8Array(4_096);
  while (await conn.read(chunk).catch(() => null) !== null);
}

overBoth("a node whose controller closes its half comes back", async (place) => {
  using listener = place.occupy();
  const joining = later(joinHere(place));
  using first = await welcomed(listener, "first");
  await using here = await joining;
  await within("the process", here.g.waitProcess("first"));
  const pending = later(here.g.call.trap().fg());
  const answer = later(assertRejects(() => pending, PeerLostError));
  await first.closeWrite();
  const { executed } = await within("the loss", answer);
  assertEquals(executed, "maybe");
  using _second = await welcomed(listener, "second");
  await within("the return", here.g.waitProcess("second"));
  assertEquals(Object.keys(here.g.registeredCallbacks), ["second"]);
});

/** Takes the next connection, and welcomes whoever comes. */
async function welcomed(listener: Deno.Listener, other: string): Promise<Deno.Conn> {
  const conn = await within("a connection", listener.accept());
  const processes = [[1, "here", []], [2, other, [[1, "trap"]]]];
  const welcome = { id: 1, controller: "c", maxFrameBytes: 1 << 20, processes };
  const payload = encode(welcome);
  await conn.write(new Uint8Array([...PREFACE, ...rawFrame(KIND.WELCOME, { payload })]));
  return conn;
}
