import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { encode } from "@msgpack/msgpack";
import { later, within } from "../helpers/soon.ts";
import { type Here, joinHere, overAll, type Place, startNode } from "./network.ts";
import type { RawConnection } from "./raw_web_socket.ts";
import { hello, KIND, PREFACE, rawFrame, RawPeer } from "./raw_peer.ts";

const text = (string: string) => new TextEncoder().encode(string);
const concat = (...parts: Uint8Array[]) => new Uint8Array(parts.flatMap((part) => [...part]));

/** A frame that declares another length than it has. */
function declaring(length: number, kind: number = KIND.HELLO): Uint8Array {
  const bytes = rawFrame(kind);
  new DataView(bytes.buffer).setUint32(0, length);
  return bytes;
}

/** The beginning of what a TLS client says. */
const TLS_HELLO = concat(
  new Uint8Array([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]),
  crypto.getRandomValues(new Uint8Array(500)),
);

/** Less than the time that a handshake may take: whoever is cut off then was not seen through. */
const AT_ONCE_MS = 3_000;

const HELLO_AS_IT_SHOULD_BE = () => rawFrame(KIND.HELLO, { payload: hello("stranger") });

/** What strangers send instead of joining. Each has the connection closed. */
const STRANGERS: Record<string, Uint8Array> = {
  "an HTTP request": text("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
  "a TLS hello": TLS_HELLO,
  "noise": crypto.getRandomValues(new Uint8Array(4_096)),
  "zeros": new Uint8Array(4_096),
  "another version's preface": concat(text("DAFFI\0"), new Uint8Array([0, 2])),
  "another version's preface before a good HELLO": concat(
    text("DAFFI\0"),
    new Uint8Array([0, 2]),
    HELLO_AS_IT_SHOULD_BE(),
  ),
  "a good HELLO without preface": HELLO_AS_IT_SHOULD_BE(),
  "a huge length": concat(PREFACE, declaring(0xffffffff)),
  "a length over the limit of a handshake": concat(PREFACE, declaring(16 * 1024 * 1024)),
  "a length below the header's": concat(PREFACE, declaring(19)),
  "the length 0": concat(PREFACE, declaring(0)),
  "an unknown kind": concat(PREFACE, rawFrame(0xff)),
  "an unknown flag": concat(PREFACE, rawFrame(KIND.HELLO, { flags: 0x80 })),
  "a call before HELLO": concat(PREFACE, rawFrame(KIND.CALL, { call: 1, peer: 1, name: 1 })),
  "a WELCOME": concat(PREFACE, rawFrame(KIND.WELCOME, { payload: encode({}) })),
  "a PING before HELLO": concat(PREFACE, rawFrame(KIND.PING)),
  "LEAVE before HELLO": concat(PREFACE, rawFrame(KIND.LEAVE)),
  "a HELLO without payload": concat(PREFACE, rawFrame(KIND.HELLO)),
  "a HELLO of noise": concat(
    PREFACE,
    rawFrame(KIND.HELLO, { payload: crypto.getRandomValues(new Uint8Array(100)) }),
  ),
  "a HELLO of deep nesting": concat(
    PREFACE,
    rawFrame(KIND.HELLO, { payload: new Uint8Array(100_000).fill(0x91) }),
  ),
  "a HELLO with a declared list of 4 billion": concat(
    PREFACE,
    rawFrame(KIND.HELLO, { payload: new Uint8Array([0xdd, 0xff, 0xff, 0xff, 0xff]) }),
  ),
  "a HELLO without a name": concat(PREFACE, rawFrame(KIND.HELLO, { payload: hello("") })),
  "a HELLO with a name of 1 MB": concat(
    PREFACE,
    rawFrame(KIND.HELLO, { payload: hello("n".repeat(1_000_000)) }),
  ),
  "a HELLO with a callback that is a number": concat(
    PREFACE,
    rawFrame(KIND.HELLO, { payload: hello("stranger", { callbacks: [1] }) }),
  ),
  "a HELLO with a tiny maxFrameBytes": concat(
    PREFACE,
    rawFrame(KIND.HELLO, { payload: hello("stranger", { maxFrameBytes: 1 }) }),
  ),
  "a HELLO in another's name": concat(PREFACE, rawFrame(KIND.HELLO, { payload: hello("there") })),
};

/** What joined nodes send that no node may, by why the connection is closed. */
const OUTLAWS: Record<string, (peer: RawPeer) => Uint8Array> = {
  "HELLO is not allowed": HELLO_AS_IT_SHOULD_BE,
  "WELCOME is not allowed": () =>
    rawFrame(KIND.WELCOME, {
      payload: encode({ id: 1, controller: "c", maxFrameBytes: 1 << 20, processes: [] }),
    }),
  "REFUSED is not allowed": () =>
    rawFrame(KIND.REFUSED, { payload: encode({ code: "PROTOCOL", message: "no" }) }),
  "DIRECTORY is not allowed": (peer) =>
    rawFrame(KIND.DIRECTORY, {
      peer: peer.idOf("there"),
      payload: encode({ type: "leave", id: peer.idOf("here"), graceful: true }),
    }),
  "SHUTDOWN is not allowed": (peer) => rawFrame(KIND.SHUTDOWN, { peer: peer.idOf("there") }),
  "PAUSE is not allowed": (peer) => rawFrame(KIND.PAUSE, { peer: peer.idOf("there") }),
  "RESUME is not allowed": (peer) => rawFrame(KIND.RESUME, { peer: peer.idOf("there") }),
  "TARGETS is not allowed": (peer) =>
    rawFrame(KIND.TARGETS, { peer: peer.idOf("there"), call: 1, payload: encode([]) }),
  "UNDELIVERED is not allowed": (peer) =>
    rawFrame(KIND.UNDELIVERED, { peer: peer.idOf("there"), call: 1, value: 1 }),
  "unknown kind 0x0": () => rawFrame(0x00),
  "CHALLENGE is not allowed": () => rawFrame(0x04),
  "unknown kind 0x1e": () => rawFrame(0x1e),
  "unknown kind 0xff": () => rawFrame(0xff),
  "unknown flags 0x8": (peer) =>
    rawFrame(KIND.CALL, { flags: 8, call: 1, peer: peer.idOf("there") }),
  "at most 67108864 are allowed": () => declaring(0xffffffff, KIND.CALL),
  "its length is 3": () => declaring(3, KIND.CALL),
  "it is no MessagePack": () => rawFrame(KIND.OFFER, { payload: new Uint8Array([0xc1, 0xff]) }),
  "callbacks must be a list": () => rawFrame(KIND.OFFER, { payload: encode({ a: 1 }) }),
  "at most 4096 names": () =>
    rawFrame(KIND.OFFER, {
      payload: encode(Array.from({ length: 100_000 }, (_, i) => `callback ${i}`)),
    }),
};

/** A controller here and a node there, which must not notice anything. */
async function withVictims(place: Place, attack: (here: Here) => Promise<void>): Promise<void> {
  await using here = await joinHere(place, { initController: true });
  await using there = await startNode(place, "there");
  const { g } = here;
  await g.waitProcess("there");
  const pending = later(g.call.notes("attack", 1).fg());
  const invocation = { how: "fg", name: "notes", args: ["attack", 1] };
  const pendingThere = later(g.call.invoke(invocation).fg());

  await attack(here);

  await assertUndisturbed(here);
  here.notes.add("attack", "over");
  await g.call.note({ topic: "attack", value: "over" });
  assertEquals(await within("the pending call", pending), ["over"]);
  assertEquals(await within("the pending call there", pendingThere), { value: ["over"] });
  await there.endGracefully();
  assertEquals(there.stderr, "");
}

async function assertUndisturbed({ g }: Here): Promise<void> {
  assertEquals(await g.call.add(1, 2).fg({ timeout: "10s" }), 3);
  assertEquals(
    await g.call.invoke({ how: "fg", name: "add", args: [3, 4] }).fg({ timeout: "10s" }),
    { value: 7 },
  );
  assertEquals(Object.keys(g.registeredCallbacks), ["there"]);
}

overAll("strangers are turned away, counted and logged", async (place, t) => {
  await withVictims(place, async (here) => {
    for (const [what, bytes] of Object.entries(STRANGERS)) {
      await t.step(what, async () => {
        const { refusedConnections } = here.g.stats;
        const told = (await here.logged.until("message", 0)).length;
        using conn = await place.dial();
        writeAll(conn, bytes).catch(() => {});
        await within("the end of the connection", closedOrRefused(conn), AT_ONCE_MS);
        await here.logged.until("message", told + 1);
        assertEquals(here.g.stats.refusedConnections, refusedConnections + 1);
        await assertUndisturbed(here);
      });
    }
  });
});

async function writeAll(conn: RawConnection, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
}

/** Reads until the other side closes or says `REFUSED`, which the node answers by hanging up. */
async function closedOrRefused(conn: RawConnection): Promise<void> {
  const seen: number[] = [];
  const chunk = new Uint8Array(4_096);
  const refused = PREFACE.length + 4;
  while (true) {
    const count = await conn.read(chunk).catch(() => null);
    if (count === null) return;
    seen.push(...chunk.subarray(0, count));
    if (seen[refused] === KIND.REFUSED) return conn.close();
    assert(seen.length <= refused, `the controller answered with ${seen[refused]}`);
  }
}

overAll(
  "a connection that says nothing is cut off, and many of them disturb nobody",
  async (place) => {
    await withVictims(place, async (here) => {
      const { refusedConnections } = here.g.stats;
      const silent = await Promise.all(Array.from({ length: 100 }, () => RawPeer.connect(place)));
      await assertUndisturbed(here);
      await Promise.all(silent.map((peer) => peer.closed()));
      for (const peer of silent) peer[Symbol.dispose]();
      await here.logged.until("message", 100);
      assertEquals(here.g.stats.refusedConnections, refusedConnections + 100);
    });
  },
);

overAll("connections that hang up at once disturb nobody", async (place) => {
  await withVictims(place, async (here) => {
    const { refusedConnections } = here.g.stats;
    for (let i = 0; i < 100; i++) (await place.dial()).close();
    await here.logged.until("message", 100);
    assertEquals(here.g.stats.refusedConnections, refusedConnections + 100);
  });
});

overAll("nodes that send what no node may are cut off and logged", async (place, t) => {
  await withVictims(place, async (here) => {
    for (const [why, bytes] of Object.entries(OUTLAWS)) {
      await t.step(why, async () => {
        const told = (await here.logged.until("message", 0)).length;
        using outlaw = await RawPeer.join(place, "outlaw", ["trap"]);
        outlaw.write(bytes(outlaw)).catch(() => {});
        await outlaw.closed();
        const messages = await here.logged.until("message", told + 1);
        assertStringIncludes(String(messages.at(-1)), `"outlaw" was lost: `);
        assertStringIncludes(String(messages.at(-1)), why);
        await assertUndisturbed(here);
      });
    }
  });
});
