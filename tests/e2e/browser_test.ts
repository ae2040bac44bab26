import { assert, assertEquals, assertRejects } from "@std/assert";
import { CallbackRegistry, DaffiError, Global, TransferError } from "../../mod.ts";
import { buildBrowser } from "../../tools/build_browser.ts";
import { CHROMIUM, type OpenPage, openPage } from "../helpers/chromium.ts";
import { Program } from "../helpers/processes.ts";
import { within } from "../helpers/soon.ts";

const SERVER = new URL("../../examples/browser/server.ts", import.meta.url);
const LIMIT_MS = 120_000;

/** Defines a test of the page of `examples/browser`, which is skipped where no Chromium is. */
function testPage(name: string, run: (at: Place) => Promise<void>): void {
  Deno.test({
    name: CHROMIUM === undefined ? `${name} (skipped: Chromium is not installed)` : name,
    ignore: CHROMIUM === undefined,
    fn: () => within(name, inPlace(run), LIMIT_MS),
  });
}

/** An address, and the module for pages. */
interface Place {
  readonly port: number;
  readonly library: string;
}

async function inPlace(run: (place: Place) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "daffi_" });
  try {
    const { path: library } = await buildBrowser(directory);
    using probe = Deno.listen({ hostname: "localhost", port: 0 });
    const { port } = probe.addr;
    probe.close();
    await run({ port, library });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function startServer({ port, library }: Place): Promise<Program> {
  const server = new Program(SERVER, undefined, {
    flags: ["--allow-net", "--allow-read"],
    args: [String(port), library],
  });
  await server.event("line"); // it listens
  return server;
}

/** Joins from the test, with nothing to offer but `twice`. */
async function joinHere({ port }: Place): Promise<Global> {
  const callbacks = new CallbackRegistry();
  callbacks.callback("twice", (n: number) => 2 * n);
  const g = new Global({ processName: "here", url: `ws://localhost:${port}/daffi`, callbacks });
  await g.ready;
  return g;
}

const connected = ({ page }: OpenPage) => page.locator("#state", { hasText: /^connected$/ });

/** Has the page send its form and waits for the sum. */
async function expectSum({ page }: OpenPage, a: number, b: number): Promise<void> {
  await page.fill("#a", String(a));
  await page.fill("#b", String(b));
  await page.click("button");
  await page.locator("output", { hasText: new RegExp(`^${a + b}$`) }).waitFor();
}

testPage("a page calls others and is called by them, and comes back by itself", async (place) => {
  await using first = await startServer(place);
  await using open = await openPage(`http://localhost:${place.port}/`);
  await connected(open).waitFor();
  await expectSum(open, 3, 4);
  // The server greets each page that joins.
  await open.page.getByText("Welcome, page").waitFor();
  const name = await open.page.locator("#name").innerText();
  assertEquals((await first.event("line")).line, `${name} shows 1 lines`);

  await first.kill();
  await open.page.locator("#state", { hasText: /^not connected$/ }).waitFor();
  await using second = await startServer(place);
  await connected(open).waitFor();
  await expectSum(open, 50, 6);
  assertEquals((await second.event("line")).line, `${name} shows 2 lines`);
  assertEquals(open.errors, []);
});

/** What a page does in these tests besides what the example does. */
const IN_PAGE = `
  const { callback, Global, PERIOD } = await import("@daffi/core/browser");
  const url = location.href.replace(/^http/, "ws") + "daffi";
  const attempt = async (work) => {
    try {
      return await work();
    } catch ({ name, code, message, executed }) {
      return { name, code, message, executed };
    }
  };
`;

testPage(
  "a page streams, schedules tasks, and calls with all that a call can have",
  async (place) => {
    await using _server = await startServer(place);
    await using open = await openPage(`http://localhost:${place.port}/`);
    await using here = await joinHere(place);
    const inPage = <T>(work: string) =>
      open.page.evaluate<T>(`(async () => {${IN_PAGE}${work}})()`);
    await inPage(`
    callback("numbers", function* (to) {
      for (let n = 0; n < to; n++) yield n;
    });
    callback("bytes", (length) => new Uint8Array(length).fill(5));
    callback("fail", () => {
      throw new RangeError("on purpose");
    });
    globalThis.more = new Global({ processName: "more", url });
    await more.waitFunction("twice");
  `);
    const to = { to: "more" };
    await here.waitProcess("more");
    const { call } = here;
    assertEquals(await Array.fromAsync(call.numbers(500)), [...Array(500).keys()]);
    assertEquals(await call.bytes(5_000_000).fg(to), new Uint8Array(5_000_000).fill(5));
    const failed = await call.fail().fg(to).catch((error: Error) => error.message);
    assertEquals(failed, "fail on more threw RangeError: on purpose");

    const due = () => call.fail().period({ interval: "1h", ...to });
    for (const asked of [due, () => here.getScheduledTasks("more")]) {
      await assertRejects(asked, DaffiError, "A page runs no tasks");
    }
    await assertRejects(
      () => inPage("return await more.getScheduledTasks('more')"),
      Error,
      "A page runs no tasks",
    );

    assertEquals(await inPage("return await more.call.twice(21).fg({ timeout: '30s' })"), 42);
    // By its own name, although the names of classes are shortened in the bundle.
    const lost = await inPage<Error>("return await attempt(() => more.call.nobody())");
    assertEquals(lost.name, "CallbackNotFoundError");
    assert(lost.message.startsWith("Cannot call nobody: no other process offers it"), lost.message);
    // Where it runs, cron is read: a page may schedule what others run.
    assert(
      await inPage(`
    const task = await more.call.twice(1).period({ cron: "0 9 * * 1" });
    return await task.cancel();
  `),
    );
    const send = (fn: string) => `await more.transferAndCall("${here.processName}", ${fn}, 21)`;
    assertEquals(await inPage(`return ${send("(n) => n * 2")}`), 42);
    for (const fn of ["({ method() {} }).method", "undefined"]) { // it is the receiver that sees it
      const { name } = await inPage<Error>(`return await attempt(async () => ${send(fn)})`);
      assertEquals(name, "TransferError");
    }
    await inPage("await more.stop()");
    assertEquals(open.errors, []);
  },
);

testPage("a page says what it cannot do", async (place) => {
  await using _server = await startServer(place);
  await using open = await openPage(`http://localhost:${place.port}/`);
  await connected(open).waitFor();
  await using here = await joinHere(place);
  const refused = await open.page.evaluate<{ name: string; message: string }[]>(`(async () => {
    ${IN_PAGE}
    const options = [
      { initController: true },
      { host: "localhost", port: 1 },
      {},
      { url, taskStore: "tasks.sqlite" },
      { url, transfer: "sandbox" },
    ];
    return await Promise.all(options.map((options) => attempt(() => new Global(options).ready)));
  })()`);
  const needs = ["Controller", "TCP", "UNIX", "taskStore", "transfer"];
  for (const [i, { name, message }] of refused.entries()) {
    assertEquals(name, "InitializationError");
    assert(message.startsWith("Cannot start: @daffi/core/browser has no "), message);
    assert(message.includes(needs[i]!), message);
  }
  const name = await open.page.locator("#name").innerText();
  await assertRejects(
    () => here.call.show("x").period({ cron: "* * * * *", to: name }),
    DaffiError,
    "A page runs no tasks",
  );
  await assertRejects(
    () => here.transferAndCall(name, () => 1),
    TransferError,
    "A page runs no functions",
  );
});
