import { assert, assertEquals } from "@std/assert";
import { encode } from "@msgpack/msgpack";
import { later, within } from "../../helpers/soon.ts";
import { joinHere, overBoth, type Place, startController, startNode } from "../network.ts";
import { KIND, PREFACE, type RawFrame, rawFrame, RawPeer } from "../raw_peer.ts";

const ALL_KINDS = Array.from({ length: 256 }, (_, kind) => kind);

const TASK = 0x20;
const TASK_FAILED = 0x21;
const TRANSFER = 0x22;

/** What a joined node may send at any time, whatever is in it. */
const OF_A_NODE = new Set<number>([
  ...[KIND.PING, KIND.PONG, KIND.CALL, KIND.BROADCAST, KIND.RESULT, KIND.ERROR, KIND.CANCEL],
  ...[KIND.STREAM, KIND.ITEM, KIND.END, KIND.FAIL, KIND.CREDIT, KIND.STOP, KIND.PART],
  ...[TASK, TASK_FAILED, TRANSFER],
]);

/** What a controller may send to a node that has joined: control frames with what belongs in them. */
const OF_A_CONTROLLER = new Map<number, Partial<RawFrame>>([
  ...[...OF_A_NODE].filter((kind) => kind !== KIND.BROADCAST)
    .map((kind): [number, Partial<RawFrame>] => [kind, {}]),
  [KIND.UNDELIVERED, { value: 1 }],
  [KIND.TARGETS, { payload: encode([]) }],
  [KIND.DIRECTORY, { payload: encode({ type: "withdraw", id: 2, callbacks: [9] }) }],
  [KIND.PAUSE, {}],
  [KIND.RESUME, {}],
]);

const hex = (kind: number) => kind.toString(16).padStart(2, "0");

overBoth("before HELLO, every other kind of frame ends the connection", async (place) => {
  await using _there = await startNode(place, "there", { initController: true });
  await using here = await joinHere(place);
  for (const kind of ALL_KINDS.filter((kind) => kind !== KIND.HELLO)) {
    using peer = await RawPeer.connect(place);
    peer.send(kind, { call: 1, peer: 1, name: 1 }).catch(() => {});
    await within(`the end after ${hex(kind)}`, peer.closed());
  }
  assertEquals(await here.g.call.add(1, 2), 3);
  assertEquals(Object.keys(here.g.registeredCallbacks), ["there"]);
});

overBoth("of a joined node, each kind is taken or ends the connection", async (place) => {
  await using _controller = await startController(place);
  await using _there = await startNode(place, "there");
  await using here = await joinHere(place);
  const { g } = here;
  await g.waitProcess("there");
  const pending = later(g.call.notes("t", 1).fg());
  for (const kind of ALL_KINDS) {
    using peer = await RawPeer.join(place, "peer");
    const fields = { call: 1, peer: peer.idOf("there"), name: 1 };
    const sent = later(peer.send(kind, fields));
    if (OF_A_NODE.has(kind)) {
      await sent;
      await peer.send(KIND.PING, { value: 7 });
      const pong = await within(`life after ${hex(kind)}`, peer.readUntil(KIND.PONG));
      assert([0, 7].includes(pong.value)); // the one that was sent, or the one that was tried
      await peer.send(KIND.LEAVE);
    }
    await within(`the end after ${hex(kind)}`, peer.closed());
  }
  assertEquals(await g.call.add(1, 2), 3);
  await g.call.note({ topic: "t", value: "true" });
  assertEquals(await pending, ["true"]);
});

overBoth("after LEAVE, nothing that a node sends does anything", async (place) => {
  await using _controller = await startController(place);
  await using _there = await startNode(place, "there");
  await using here = await joinHere(place);
  const { g } = here;
  await g.waitProcess("there");
  for (const kind of ALL_KINDS) {
    using peer = await RawPeer.join(place, "peer", ["trap"]);
    const frame = { call: 1, peer: peer.idOf("there"), name: peer.nameOf("there", "note") };
    const said = encode([{ topic: "after", value: kind }]);
    const bytes = [
      rawFrame(KIND.LEAVE),
      rawFrame(kind, { ...frame, payload: said }),
      rawFrame(KIND.CALL, { ...frame, payload: said }),
    ];
    peer.write(new Uint8Array(bytes.flatMap((part) => [...part]))).catch(() => {});
    await within(`the end after ${hex(kind)}`, peer.closed());
  }
  assertEquals(await g.call.countNotes("after"), 0);
  assertEquals(Object.keys(g.registeredCallbacks), ["there"]);
});

/** A controller that says one wrong thing after `WELCOME`, or instead of it. */
class FalseController implements Disposable {
  readonly #listener: Deno.Listener;

  constructor(place: Place) {
    this.#listener = place.occupy();
  }

  /** Welcomes the next node, as this process's only other one. */
  async welcome(other: string): Promise<Deno.Conn> {
    const conn = await this.accept();
    const processes = [[1, "here", []], [2, other, [[1, "trap"]]]];
    const payload = encode({ id: 1, controller: "c", maxFrameBytes: 1 << 20, processes });
    await conn.write(new Uint8Array([...PREFACE, ...rawFrame(KIND.WELCOME, { payload })]));
    return conn;
  }

  /** Takes the next connection, and reads the node's preface and `HELLO`. */
  async accept(): Promise<Deno.Conn> {
    const conn = await within("a connection", this.#listener.accept());
    const chunk = new Uint8Array(65_536);
    for (let got = 0; got < PREFACE.length + 24;) got += (await conn.read(chunk))!;
    return conn;
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}

overBoth(
  "of its controller, a node takes each kind or comes back by a new connection",
  async (place) => {
    using controller = new FalseController(place);
    const joining = later(joinHere(place));
    let conn = await controller.welcome("process 0");
    const kinds = ALL_KINDS.filter((kind) => kind !== KIND.SHUTDOWN); // upon which it would stop
    await using here = await joining;
    try {
      for (const [i, kind] of kinds.entries()) {
        await within(`the process before ${hex(kind)}`, here.g.waitProcess(`process ${i}`));
        await conn.write(rawFrame(kind, { peer: 2, call: 1, ...OF_A_CONTROLLER.get(kind) }));
        if (OF_A_CONTROLLER.has(kind)) {
          await conn.write(rawFrame(KIND.PING, { value: 77 }));
          await within(`life after ${hex(kind)}`, answered(conn, 77));
          conn.close();
        } else {
          await within(`the end after ${hex(kind)}`, ended(conn));
        }
        conn = await controller.welcome(`process ${i + 1}`);
      }
      const call = later(here.g.call.trap().fg({ timeout: "20s" }));
      await here.g.waitProcess(`process ${kinds.length}`);
      const answer = rawFrame(KIND.RESULT, {
        peer: 2,
        call: await called(conn),
        payload: encode(1),
      });
      await conn.write(answer);
      assertEquals(await call, 1);
    } finally {
      closeQuietly(conn);
    }
  },
);

overBoth("instead of WELCOME, a node takes no kind of frame for one", async (place) => {
  using controller = new FalseController(place);
  for (const kind of ALL_KINDS) {
    if (kind === KIND.WELCOME || kind === KIND.REFUSED) continue; // with their payloads, elsewhere
    const joining = later(joinHere(place));
    using conn = await controller.accept();
    await conn.write(new Uint8Array([...PREFACE, ...rawFrame(kind, { peer: 1, call: 1 })]));
    const error = await within("the refusal", joining.then(() => undefined, (error) => error));
    assertEquals((error as Error)?.name, "ProtocolError", hex(kind));
  }
});

/** Reads until a `PONG` with this value. */
async function answered(conn: Deno.Conn, value: number): Promise<void> {
  await frameOf(conn, (kind, view) => kind === KIND.PONG && view.getUint32(20) === value);
}

/** Reads until a `CALL`, and gives its number. */
async function called(conn: Deno.Conn): Promise<number> {
  return (await frameOf(conn, (kind) => kind === KIND.CALL)).getUint32(8);
}

async function frameOf(
  conn: Deno.Conn,
  wanted: (kind: number, view: DataView) => boolean,
): Promise<DataView> {
  let seen = new Uint8Array(0);
  const chunk = new Uint8Array(65_536);
  while (true) {
    const count = await conn.read(chunk);
    if (count === null) throw new Error("the node has closed the connection");
    seen = new Uint8Array([...seen, ...chunk.subarray(0, count)]);
    while (seen.length >= 24) {
      const view = new DataView(seen.buffer, seen.byteOffset);
      const size = view.getUint32(0) + 4;
      if (seen.length < size) break;
      if (wanted(view.getUint8(4), view)) return view;
      seen = seen.slice(size);
    }
  }
}

async function ended(conn: Deno.Conn): Promise<void> {
  const chunk = new Uint8Array(65_536);
  while (await conn.read(chunk).catch(() => null) !== null);
  closeQuietly(conn);
}

function closeQuietly(conn: Deno.Conn): void {
  try {
    conn.close();
  } catch {
    // It is closed already.
  }
}
