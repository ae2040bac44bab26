import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { Program } from "../helpers/processes.ts";
import { joinHere, overAll, type Place } from "./network.ts";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
const MOD = new URL("../../mod.ts", import.meta.url);
const BROWSER = new URL("../../browser.ts", import.meta.url);
const IMPORT_ONLY = new URL("./fixtures/import_only.ts", import.meta.url);
const MINIMAL = new URL("./fixtures/minimal_node.ts", import.meta.url);

const WANTED = [
  ...["Global", "callback", "local", "currentCall", "CallbackRegistry"],
  ...["FG", "BG", "NO_RETURN", "BROADCAST", "STREAM", "PERIOD", "AsyncResult", "ScheduledTask"],
  ...["InitializationError", "GlobalContextError", "ConnectionError", "AuthenticationError"],
  ...["DuplicateProcessError", "CallbackNotFoundError", "ProcessNotFoundError"],
  ...["CallTimeoutError", "CallCancelledError", "PeerLostError", "RemoteCallError"],
  ...["BroadcastError", "ValidationError", "EncodeError", "ProtocolError", "TransferError"],
  ...["OverloadedError", "DaffiError"],
].sort();

/** A directory outside of the project with these files. */
async function directoryWith(files: Record<string, string>): Promise<
  AsyncDisposable & {
    path: string;
  }
> {
  const path = await Deno.makeTempDir({ prefix: "daffi_" });
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(join(path, name), text);
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** The packages that stand in for what the registry has, if the project uses such. */
async function linkedPackages(): Promise<string[]> {
  const { links = [] } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  return links.map((link: string) => join(ROOT, link));
}

async function deno(args: string[], cwd: string): Promise<{ code: number; out: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    stdin: "null",
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout) + (code === 0 ? "" : decoder.decode(stderr)) };
}

const CONSUMER = `
import { callback, Global } from "@daffi/core";

interface Remote {
  add(a: number, b: number): number;
}

callback("add", (a: number, b: number) => a + b);
await using server = new Global({
  processName: "server",
  initController: true,
  host: "127.0.0.1",
});
await server.ready;
await using client = new Global<Remote>({
  processName: "client",
  host: "127.0.0.1",
  port: server.port!,
});
await client.waitFunction("add");
const sum: number = await client.call.add(1, 2);
console.log("sum", sum);
`;

Deno.test("a program elsewhere imports `jsr:@daffi/core`, type-checks and runs", async () => {
  await using directory = await directoryWith({
    "deno.json": JSON.stringify({
      imports: { "@daffi/core": "jsr:@daffi/core@*" },
      links: [ROOT, ...await linkedPackages()],
      lock: false,
    }),
    "main.ts": CONSUMER,
    "direct.ts": CONSUMER.replace('"@daffi/core"', '"jsr:@daffi/core"'),
    "page.ts": CONSUMER.replace('"@daffi/core"', '"@daffi/core/browser"'),
    "wrong.ts": CONSUMER.replace("call.add(1, 2)", 'call.add("one", 2)'),
  });
  for (const file of ["main.ts", "direct.ts"]) {
    const { code, out } = await deno(["run", "--check", "--allow-net", file], directory.path);
    assertEquals([code, out], [0, "sum 3\n"], file);
  }
  // The same types; and it would run in a page if it did not ask for a controller.
  const page = await deno(["run", "--check", "--allow-net", "page.ts"], directory.path);
  assertEquals(page.code, 1);
  assertMatch(
    page.out,
    /InitializationError: Cannot start: @daffi\/core\/browser has no Controller/,
  );
  const { code, out } = await deno(["check", "wrong.ts"], directory.path);
  assertEquals(code, 1);
  assertMatch(out, /TS2345/);
});

Deno.test("a program elsewhere imports `mod.ts` by its address, without the project's deno.json", async () => {
  await using directory = await directoryWith({
    "main.ts": CONSUMER.replace('"@daffi/core"', JSON.stringify(MOD)),
  });
  const { code, out } = await deno(
    ["run", "--check", "--no-config", "--no-lock", "--allow-net", "main.ts"],
    directory.path,
  );
  assertEquals([code, out], [0, "sum 3\n"]);
});

Deno.test("`browser.ts` exports what `mod.ts` exports, but another `Global`", async () => {
  const [mod, browser] = await Promise.all(
    [MOD, BROWSER].map((url) => Deno.readTextFile(url)),
  );
  const exportsOf = (text: string) => text.slice(text.indexOf("\nexport "));
  assertEquals(
    exportsOf(browser!),
    exportsOf(mod!).replace("src/full_global.ts", "src/global.ts"),
  );
});

Deno.test("`mod.ts` can be imported without any permission", async () => {
  await using program = new Program(IMPORT_ONLY, undefined, { flags: [] });
  const { names } = await program.event("imported");
  assertEquals((names as string[]).filter((name) => WANTED.includes(name)).sort(), WANTED);
  const { code } = await program.ended();
  assertEquals([code, program.stderr], [0, ""]);
});

Deno.test("`mod.ts` can be imported where `Deno` was taken away", async () => {
  await using directory = await directoryWith({
    "main.js": `
delete globalThis.Deno;
const { Global } = await import(${JSON.stringify(MOD)});
try {
  new Global({ host: "localhost", port: 1 });
} catch (error) {
  console.log(error.name, error.message);
}
`,
  });
  const { code, out } = await deno([
    "run",
    "-A",
    "--no-lock",
    "--no-config",
    "main.js",
  ], directory.path);
  assertEquals(code, 0, out);
  assertMatch(out, /InitializationError Cannot start: this runtime has no TCP and no UNIX sockets/);
});

Deno.test("`mod.ts` bundled for a browser can be imported where `Deno` does not exist", async () => {
  await using directory = await directoryWith({
    "main.js": `
delete globalThis.Deno;
delete globalThis.process;
const mod = await import("./bundle.js");
const told = Object.keys(mod);
try {
  new mod.Global({ host: "localhost", port: 1 });
} catch (error) {
  told.push(error.name);
}
console.log(JSON.stringify(told));
`,
  });
  const bundle = join(directory.path, "bundle.js");
  const made = await deno(
    ["bundle", "--platform", "browser", "--output", bundle, fromFileUrl(MOD)],
    ROOT,
  );
  assertEquals(made.code, 0, made.out);
  const { code, out } = await deno(
    ["run", "--no-prompt", "--no-lock", `--allow-read=${directory.path}`, "main.js"],
    directory.path,
  );
  assertEquals(code, 0, out);
  const told: string[] = JSON.parse(out);
  assertEquals(told.pop(), "InitializationError");
  assertEquals(told.filter((name) => WANTED.includes(name)).sort(), WANTED);
});

/** The flags of a process that reaches or serves this place and nothing else. */
function justFor({ options: { host, port, unixSockPath, url } }: Place): string[] {
  if (url !== undefined) return [`--allow-net=${new URL(url).host}`];
  return unixSockPath === undefined
    ? [`--allow-net=${host}:${port}`]
    : [`--allow-read=${unixSockPath}`, `--allow-write=${unixSockPath}`, "--allow-net"];
}

overAll("a node runs with just the permission for its controller's address", async (place) => {
  const flags = justFor(place);
  await using here = await joinHere(place, { initController: true });
  await using node = new Program(MINIMAL, { processName: "there", ...place.options }, { flags });
  await node.event("ready");
  assertEquals((await node.event("result")).value, 3);
  await here.g.waitFunction("multiply");
  assertEquals(await here.g.call.multiply(3, 4), 12);
  here.offerFinish();
  const { code } = await node.ended();
  assertEquals([code, node.stderr], [0, ""]);
});

overAll("a controller runs with just the permission for its address", async (place) => {
  const flags = justFor(place);
  await using node = new Program(MINIMAL, {
    processName: "there",
    initController: true,
    ...place.controllerOptions,
  }, { flags });
  await node.event("ready");
  await using here = await joinHere(place);
  assertEquals((await node.event("result")).value, 3);
  assertEquals(await here.g.call.multiply(3, 4), 12);
  here.offerFinish();
  const { code } = await node.ended();
  assertEquals([code, node.stderr], [0, ""]);
});

Deno.test("a node without permission for its controller fails and says so", async () => {
  await using node = new Program(
    new URL("./fixtures/node.ts", import.meta.url),
    { processName: "there", host: "127.0.0.1", port: 9, logger: undefined },
    { flags: ["--allow-net=127.0.0.1:10"] },
  );
  const { message } = await node.event("failed");
  assertMatch(String(message), /net|permission/i);
  await node.ended();
});
