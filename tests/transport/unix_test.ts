import { assert, assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { ConnectionError } from "../../src/errors.ts";
import type { ByteStream, Listener } from "../../src/transport/transport.ts";
import { unixTransport } from "../../src/transport/unix.ts";
import { askedTurns } from "../helpers/asked_turns.ts";

function test(what: string, fn: (directory: string) => Promise<void>): void {
  Deno.test({
    name: `unixTransport() ${what}`,
    ignore: Deno.build.os === "windows",
    async fn() {
      const directory = await Deno.makeTempDir();
      try {
        await fn(directory);
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}

/** A socket that nobody answers, as a killed process leaves it. */
async function leaveStaleSocket(path: string): Promise<void> {
  const listener = Deno.listen({ transport: "unix", path: `${path}.made` });
  await Deno.rename(`${path}.made`, path);
  listener.close();
}

async function isReachable(directory: string, listener: Listener): Promise<void> {
  const { stream, address } = await unixTransport(directory, true).connect();
  const accepted = await listener.accept();
  await stream.write(Uint8Array.of(7));
  const into = new Uint8Array(1);
  assertEquals(await accepted?.read(into), 1);
  assertEquals([into[0], address.socketPath], [7, `${directory}/.sock`]);
  stream.close();
  accepted?.close();
}

async function mode(path: string): Promise<string> {
  return ((await Deno.stat(path)).mode! & 0o777).toString(8);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

test("listens on .sock in its directory", async (directory) => {
  const listener = await unixTransport(directory, true).listen();
  assertEquals(listener.address, { socketPath: `${directory}/.sock` });
  await isReachable(directory, listener);
  listener.close();
});

test("takes a directory with slashes behind it for the same", async (directory) => {
  const listener = await unixTransport(`${directory}//`, true).listen();
  assertEquals(listener.address, { socketPath: `${directory}/.sock` });
  await isReachable(directory, listener);
  listener.close();
});

test("replaces a stale socket", async (directory) => {
  await leaveStaleSocket(`${directory}/.sock`);
  assert((await Deno.lstat(`${directory}/.sock`)).isSocket);
  await assertRejects(() => unixTransport(directory, true).connect(), ConnectionError);
  const listener = await unixTransport(directory, true).listen();
  await isReachable(directory, listener);
  listener.close();
});

test("never steals a live socket, not even one that does not accept", async (directory) => {
  const path = `${directory}/.sock`;
  const live = Deno.listen({ transport: "unix", path });
  const { ino } = await Deno.lstat(path);
  await assertRejects(() => unixTransport(directory, true).listen(), ConnectionError, "another");
  assertEquals((await Deno.lstat(path)).ino, ino);
  live.close();
});

test("refuses to remove what is no socket", async (directory) => {
  const path = `${directory}/.sock`;
  await Deno.writeTextFile(path, "precious");
  await assertRejects(() => unixTransport(directory, true).listen(), ConnectionError, path);
  assertEquals(await Deno.readTextFile(path), "precious");
  await Deno.remove(path);
  await Deno.mkdir(path);
  await assertRejects(() => unixTransport(directory, true).listen(), ConnectionError, path);
  await Deno.remove(path);
  await Deno.symlink(`${directory}/elsewhere`, path);
  await assertRejects(() => unixTransport(directory, true).listen(), ConnectionError, path);
});

for (const stale of [false, true]) {
  const where = stale ? "where a stale socket is" : "where nothing is";
  test(`lets one of several win that start at once ${where}`, async (directory) => {
    if (stale) await leaveStaleSocket(`${directory}/.sock`);
    const starts = await Promise.allSettled(
      Array.from({ length: 8 }, () => unixTransport(directory, true).listen()),
    );
    const won = starts.filter((start) => start.status === "fulfilled");
    const lost = starts.filter((start) => start.status === "rejected");
    assertEquals([won.length, lost.length], [1, 7]);
    for (const { reason } of lost) assert(reason instanceof ConnectionError);
    const listener = won[0]!.value;
    const { stream } = await unixTransport(directory, true).connect();
    await stream.write(Uint8Array.of(7));
    // The losers have asked whether somebody answers, so theirs are accepted first.
    for (let found = false; !found;) {
      const accepted = await listener.accept();
      found = await accepted!.read(new Uint8Array(1)) === 1;
      accepted!.close();
    }
    stream.close();
    listener.close();
  });
}

test("makes a missing directory, and its parents, for its user only", async (directory) => {
  const listener = await unixTransport(`${directory}/a/b`, true).listen();
  assertEquals([await mode(`${directory}/a`), await mode(`${directory}/a/b`)], ["700", "700"]);
  assertEquals(await mode(`${directory}/a/b/.sock`), "600");
  listener.close();
});

test("makes its own directory private even if it exists, and leaves a shared one", async (directory) => {
  await Deno.chmod(directory, 0o755);
  const shared = await unixTransport(directory, true).listen();
  assertEquals([await mode(directory), await mode(`${directory}/.sock`)], ["755", "600"]);
  shared.close();
  const own = await unixTransport(directory, false).listen();
  assertEquals([await mode(directory), await mode(`${directory}/.sock`)], ["700", "600"]);
  own.close();
});

test("does not follow a link to a directory for its own, which anybody could have made", async (directory) => {
  const link = `${directory}/link`;
  await Deno.mkdir(`${directory}/other`, { mode: 0o755 });
  await Deno.symlink(`${directory}/other`, link);
  await assertRejects(() => unixTransport(link, false).listen(), ConnectionError, "is a link");
  assertEquals(await mode(`${directory}/other`), "755");
  const shared = await unixTransport(link, true).listen();
  assert(await exists(`${directory}/other/.sock`));
  shared.close();
});

test("refuses a path that is too long for a socket, and says so", async (directory) => {
  const room = 103 - new TextEncoder().encode(`${directory}//.sock`).length;
  const listener = await unixTransport(`${directory}/${"d".repeat(room)}`, true).listen();
  await isReachable(`${directory}/${"d".repeat(room)}`, listener);
  listener.close();
  const tooLong = unixTransport(`${directory}/${"d".repeat(room + 1)}`, true);
  for (const attempt of [tooLong.listen, tooLong.connect]) {
    await assertRejects(() => attempt(), ConnectionError, "has 104 bytes, at most 103");
  }
  assertEquals(await exists(`${directory}/${"d".repeat(room + 1)}`), false);
  const umlauts = `${directory}/${"ü".repeat(room / 2 + 1)}`; // of two bytes each
  await assertRejects(() => unixTransport(umlauts, true).listen(), ConnectionError, "at most 103");
});

test("removes its socket file on close()", async (directory) => {
  const listener = await unixTransport(directory, true).listen();
  assert(await exists(`${directory}/.sock`));
  listener.close();
  assert(!await exists(`${directory}/.sock`));
  listener.close();
});

test("leaves a successor's socket alone on close()", async (directory) => {
  const path = `${directory}/.sock`;
  const first = await unixTransport(directory, true).listen();
  await Deno.remove(path);
  const second = await unixTransport(directory, true).listen();
  first.close();
  assert(await exists(path));
  await isReachable(directory, second);
  second.close();
});

test("leaves a successor's socket alone on a second close()", async (directory) => {
  const first = await unixTransport(directory, true).listen();
  first.close();
  const second = await unixTransport(directory, true).listen();
  first.close();
  await isReachable(directory, second);
  second.close();
});

test("closes without complaint when its file is gone already", async (directory) => {
  const listener = await unixTransport(directory, true).listen();
  await Deno.remove(`${directory}/.sock`);
  listener.close();
});

test("says why when the directory cannot be made or nobody is there", async (directory) => {
  await Deno.writeTextFile(`${directory}/file`, "");
  const within = unixTransport(`${directory}/file/sub`, true);
  await assertRejects(() => within.listen(), ConnectionError, "Cannot listen on");
  await assertRejects(() => within.connect(), ConnectionError, "Cannot connect");
  const nobody = unixTransport(`${directory}/nobody`, true);
  await assertRejects(() => nobody.connect(), ConnectionError, `${directory}/nobody/.sock`);
  assertEquals(await exists(`${directory}/nobody`), false);
});

test("connects by default only where nobody else can have put the socket", async (directory) => {
  const listener = await unixTransport(directory, false).listen();
  const accepting = listener.accept();
  (await unixTransport(directory, false).connect()).stream.close();
  (await accepting)!.close();
  const transport = unixTransport(directory, false);
  for (const mode of [0o755, 0o710, 0o720, 0o740, 0o701, 0o702]) {
    await Deno.chmod(directory, mode);
    await assertRejects(() => transport.connect(), ConnectionError, "others than its owner");
  }
  listener.close();
});

/** Has connecting fail in another way than for want of somebody who listens. */
async function failing(error: Error, run: () => Promise<void>, then = () => {}): Promise<void> {
  const { connect } = Deno;
  Object.assign(Deno, { connect: () => (then(), Promise.reject(error)) });
  try {
    await run();
  } finally {
    Object.assign(Deno, { connect });
  }
}

test("leaves a socket alone of which it cannot tell whether somebody answers", async (directory) => {
  const live = await unixTransport(directory, true).listen();
  // As where its queue is full, or it is another user's.
  for (const error of [new Error("try again"), new Deno.errors.PermissionDenied("denied")]) {
    await failing(error, async () => {
      const listen = () => unixTransport(directory, true).listen();
      await assertRejects(listen, ConnectionError, `Cannot listen on ${directory}/.sock: `);
    });
  }
  await isReachable(directory, live);
  live.close();
});

test("lets nobody else look or listen while it does, also when what was there is gone then", async (directory) => {
  const { ConnectionRefused, NotFound } = Deno.errors;
  for (const error of [new ConnectionRefused("stale"), new NotFound("gone")]) {
    await leaveStaleSocket(`${directory}/.sock`);
    let isLocked = false;
    const lock = () => {
      using file = Deno.openSync(`${directory}/.sock.lock`, { write: true });
      isLocked = !file.tryLockSync(true);
    };
    const listen = async () => (await unixTransport(directory, true).listen()).close();
    await failing(error, listen, lock);
    assert(isLocked);
  }
});

test("tells why it cannot connect, and what to give where it may not", async (directory) => {
  const transport = unixTransport(directory, true);
  for (
    const [cause, advice] of [
      [new Deno.errors.PermissionDenied("denied"), "give a unixSockPath of your own"],
      [new Deno.errors.ConnectionReset("reset"), "reset"],
    ] as const
  ) {
    await failing(cause, async () => {
      const error = await assertRejects(() => transport.connect(), ConnectionError, cause.message);
      assertStrictEquals(error.cause, cause);
      assert(error.message.endsWith(advice), error.message);
    });
  }
});

test("lets nobody else open the file by which it locks", async (directory) => {
  (await unixTransport(directory, true).listen()).close();
  assertEquals(await mode(`${directory}/.sock.lock`), "600");
});

test("tells of connections that cannot be accepted, and goes on", async (directory) => {
  const told: string[] = [];
  using probe = Deno.listen({ transport: "unix", path: `${directory}/probe` });
  const prototype = Object.getPrototypeOf(probe);
  const { accept } = prototype;
  prototype.accept = () => {
    prototype.accept = accept;
    return Promise.reject(new Error("too many files"));
  };
  try {
    const listener = await unixTransport(directory, true).listen(({ message }) =>
      told.push(message)
    );
    await isReachable(directory, listener);
    assertEquals(told, ["too many files"]);
    listener.close();
  } finally {
    prototype.accept = accept;
  }
});

/** How many turns of the event loop are asked for while one end answers ten small messages of the other. */
async function turnsOfAnswering(stream: ByteStream, other: Deno.Conn): Promise<number> {
  try {
    return await askedTurns(async () => {
      for (let i = 0; i < 10; i++) {
        await other.write(Uint8Array.of(7));
        assertEquals(await stream.read(new Uint8Array(1)), 1);
        stream.came!();
        await stream.write(Uint8Array.of(7));
        assertEquals(await other.read(new Uint8Array(1)), 1);
      }
    });
  } finally {
    stream.close();
    other.close();
  }
}

test("stays awake for a moment after small answers, on both sides", async (directory) => {
  const path = `${directory}/.sock`;
  const ours = await unixTransport(directory, true).listen();
  const [accepted, other] = await Promise.all([
    ours.accept(),
    Deno.connect({ transport: "unix", path }),
  ]);
  assertEquals(await turnsOfAnswering(accepted!, other), 9 * 8); // not yet after the first
  ours.close();

  const theirs = Deno.listen({ transport: "unix", path });
  const [{ stream }, connected] = await Promise.all([
    unixTransport(directory, true).connect(),
    theirs.accept(),
  ]);
  assertEquals(await turnsOfAnswering(stream, connected), 9 * 8);
  theirs.close();
});

Deno.test({
  name: "unixTransport() uses no private directory of another user, whoever may enter it",
  ignore: Deno.build.os === "windows" || Deno.uid() !== 0, // who may
  async fn() {
    const directory = await Deno.makeTempDir();
    try {
      await Deno.chmod(directory, 0o700);
      const mine = await unixTransport(directory, false).listen();
      await Deno.chown(directory, 65534, null);
      const refused = () => unixTransport(directory, false).connect();
      await assertRejects(refused, ConnectionError, "another user's");
      mine.close();
      const listen = () => unixTransport(directory, false).listen();
      await assertRejects(listen, ConnectionError, "another user's");
      assertEquals(await exists(`${directory}/.sock`), false);
      (await unixTransport(directory, true).listen()).close(); // one to share may be anybody's
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
