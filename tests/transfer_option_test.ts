import { decode, encode } from "@msgpack/msgpack";
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { RemoteCallError, TransferError } from "../mod.ts";
import type { Place } from "./e2e/network.ts";
import { KIND, RawPeer } from "./e2e/raw_peer.ts";
import { soon } from "./helpers/soon.ts";
import { TestNetwork } from "./helpers/test_network.ts";

const LONG = 20_000;

Deno.test('`transfer` "deny" runs nothing, and the sender is told', async () => {
  await using network = await TestNetwork.start(undefined, { transfer: "deny" });
  const g = await network.join("caller");
  const mark = () => void Object.assign(globalThis, { marked: true });
  const error = await assertRejects(() => soon(g.transferAndCall("hub", mark)), TransferError);
  assertMatch(error.message, /transfer is "deny"/);
  assertEquals([error.executed, error.processName], ["never", "hub"]);
  assertEquals("marked" in globalThis, false);
});

Deno.test('`transfer` "inline" runs functions in the node\'s own realm', async () => {
  await using network = await TestNetwork.start(undefined, { transfer: "inline" });
  const g = await network.join("caller");
  try {
    await soon(g.transferAndCall("hub", (n: number) => void Object.assign(globalThis, { n }), 5));
    assertEquals((globalThis as { n?: number }).n, 5);
  } finally {
    Reflect.deleteProperty(globalThis, "n");
  }
  const outer = 1;
  await assertRejects(
    () => soon(g.transferAndCall("hub", () => outer)),
    TransferError,
    "uses outer",
  );
});

Deno.test("`transfer` with a time ends a loop, and the node serves others meanwhile", async () => {
  await using network = await TestNetwork.start(
    (callback) => callback("add", (a: number, b: number) => a + b),
    { transfer: { timeout: "1s" } },
  );
  const g = await network.join("caller");
  const other = await network.join("other");
  const loop = g.transferAndCall("hub", function spin() {
    for (;;);
  });
  const ended = assertRejects(() => soon(loop, LONG), TransferError);
  ended.catch(() => {});
  let calls = 0;
  let isOver = false;
  loop.catch(() => isOver = true);
  while (!isOver) {
    assertEquals(await soon(g.call.add(1, calls)), 1 + calls);
    calls++;
  }
  const error = await ended;
  assertMatch(error.message, /spin did not finish.*1000 ms/);
  assertEquals(error.executed, "maybe");
  assert(calls > 10);
  assertEquals(await soon(other.transferAndCall("hub", () => 1), LONG), 1);
  assertEquals(await soon(g.transferAndCall("hub", () => 2), LONG), 2);
});

Deno.test("`transfer` with a memory limit ends a hog, and the node goes on", async () => {
  await using network = await TestNetwork.start(undefined, { transfer: { memoryLimitMb: 64 } });
  const g = await network.join("caller");
  const hog = (pieces: number, ms: number) => {
    const all: unknown[] = [];
    const end = Date.now() + ms;
    while (Date.now() < end) {
      if (all.length < pieces) all.push(new Uint8Array(16 * 1024 * 1024).fill(1));
    }
  };
  const error = await assertRejects(
    () => soon(g.transferAndCall("hub", hog, 50, 4000), LONG),
    TransferError,
  );
  assertMatch(error.message, /more memory than its limit of 64 MiB/);
  assertEquals(await soon(g.transferAndCall("hub", () => 1), LONG), 1);
});

Deno.test("`transfer` with permissions grants what they name", async () => {
  const file = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(file, "granted");
    const transfer = { permissions: { read: [file] } };
    await using network = await TestNetwork.start(undefined, { transfer });
    const g = await network.join("caller");
    const read = (path: string) => Deno.readTextFileSync(path);
    assertEquals(await soon(g.transferAndCall("hub", read, file), LONG), "granted");
    const error = await assertRejects(
      () => soon(g.transferAndCall("hub", read, `${file}_`), LONG),
      RemoteCallError,
    );
    assertEquals(error.remoteName, "NotCapable");
  } finally {
    await Deno.remove(file);
  }
});

/** Arguments of a frame TRANSFER as no sender of ours would send them. */
const HOSTILE: Record<string, unknown[]> = {
  "nothing": [],
  "numbers": [1, 2, 3],
  "a source alone": ["() => 1"],
  "a source that is too long": [`() => "${"x".repeat(1024 * 1024)}"`, "f", Uint8Array.of(0x90)],
  "arguments that are no bytes": ["() => 1", "f", [1]],
  "arguments that cannot be decoded": ["() => 1", "f", Uint8Array.of(0xc1)],
  "arguments that are no list": ["() => 1", "f", Uint8Array.of(5)],
  "a source that is no function": ["5", "f", Uint8Array.of(0x90)],
  "a source that cannot be compiled": ["() =>", "f", Uint8Array.of(0x90)],
  "a source that leaves its place": ["1)\n;globalThis.broken = 1;(", "f", Uint8Array.of(0x90)],
};
const TRANSFER = 0x22;

/** What a raw peer needs to know of where to connect. */
function dialler(port: number): Place {
  return { dial: () => Deno.connect({ hostname: "localhost", port }) } as unknown as Place;
}

for (const transfer of ["sandbox", "inline", "deny"] as const) {
  Deno.test(`a hostile TRANSFER gets an error when the option is "${transfer}"`, async (t) => {
    await using network = await TestNetwork.start(undefined, { transfer });
    using peer = await RawPeer.join(dialler(network.hub.port!), "peer");
    const ask = async (payload: Uint8Array) => {
      await peer.send(TRANSFER, { call: 1, peer: peer.idOf("hub"), payload });
      return decode((await peer.readUntil(KIND.ERROR)).payload) as { code: string };
    };
    for (const [what, args] of Object.entries(HOSTILE)) {
      await t.step(what, async () => {
        const { code } = await ask(encode(args));
        assert(["TRANSFER", "REMOTE_CALL", "PROTOCOL"].includes(code), code);
        assertEquals("broken" in globalThis, false);
      });
    }
    await t.step("a payload that cannot be decoded", async () => {
      assertEquals((await ask(Uint8Array.of(0xc1))).code, "PROTOCOL");
    });
  });
}
