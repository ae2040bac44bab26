import { assert, assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";

const ROOT = fromFileUrl(new URL("../../", import.meta.url));
const LINUX = Deno.build.os === "linux"; // /proc tells whose children there are
const SECRET = "of the node, 71c2";

/** Sends functions to a node that came from JSR as well, and tells what became of them. */
const PROGRAM = `
import { CallbackRegistry, Global } from "jsr:@daffi/core@0.1.0";

const [permissions, url] = Deno.args.map((text) => JSON.parse(text));
const common = { host: "127.0.0.1", transfer: { permissions } };
const callbacks = () => new CallbackRegistry();
await using there = new Global({
  processName: "there", initController: true, ...common, callbacks: callbacks(),
});
await there.ready;
await using here = new Global({
  processName: "here", port: there.port, ...common, callbacks: callbacks(),
});
await here.waitProcess("there");

const send = (fn) => here.transferAndCall("there", fn, url).catch((error) => error.message);
const told = {
  value: await send(() => 42),
  imported: await send(async (url) => (await import(url)).default),
  variable: await send(() => Deno.env.get("DAFFI_SECRET")),
  environments: [],
};
if (Deno.build.os === "linux") {
  told.environments = [...Deno.readDirSync("/proc/self/task")]
    .map(({ name }) => Deno.readTextFileSync("/proc/self/task/" + name + "/children"))
    .flatMap((pids) => pids.split(" ").filter((pid) => pid !== ""))
    .map((pid) => Deno.readTextFileSync("/proc/" + pid + "/environ"));
}
console.log(JSON.stringify(told));
`;

/** What `PROGRAM` prints. */
interface Told {
  value: unknown;
  imported: unknown;
  variable: unknown;
  environments: string[];
}

/** The sources as JSR has them, by their path in the package. */
async function packageFiles(): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const add = async (path: string): Promise<void> => {
    const text = await Deno.readTextFile(join(ROOT, path));
    // No task is scheduled here, so no network is needed for it.
    files.set(`/${path}`, text.replaceAll(/from "npm:croner.*"/g, 'from "../../croner.js"'));
  };
  const addAll = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(join(ROOT, folder))) {
      await (isDirectory ? addAll : add)(`${folder}/${name}`);
    }
  };
  files.set("/croner.js", "export class Cron {}\n");
  await add("mod.ts");
  await addAll("src");
  return files;
}

/** A JSR that has this package and nothing else; and a module beside it. */
async function serveJsr(): Promise<Deno.HttpServer<Deno.NetAddr>> {
  const files = await packageFiles();
  const manifest: Record<string, { size: number; checksum: string }> = {};
  for (const [path, text] of files) {
    const bytes = new TextEncoder().encode(text);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    manifest[path] = { size: bytes.length, checksum: `sha256-${digest.toHex()}` };
  }
  const answers = new Map<string, string>([
    ["/@daffi/core/meta.json", JSON.stringify({ versions: { "0.1.0": {} } })],
    ["/@daffi/core/0.1.0_meta.json", JSON.stringify({ manifest, exports: { ".": "./mod.ts" } })],
    ["/elsewhere.js", "export default 'imported';"],
  ]);
  for (const [path, text] of files) answers.set(`/@daffi/core/0.1.0${path}`, text);
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, ({ url }) => {
    const { pathname } = new URL(url);
    const answer = answers.get(pathname);
    if (answer === undefined) return new Response(null, { status: 404 });
    const type = pathname.endsWith(".ts") ? "application/typescript" : "text/javascript";
    return new Response(answer, { headers: { "content-type": type } });
  });
}

/** Runs the program in a directory of its own, with nothing in its cache. */
async function runFromJsr(permits: (host: string) => { import?: string[] }): Promise<Told> {
  await using server = await serveJsr();
  const host = `127.0.0.1:${server.addr.port}`;
  const directory = await Deno.makeTempDir({ prefix: "daffi_" });
  try {
    await Deno.writeTextFile(join(directory, "main.js"), PROGRAM);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-A", "--no-lock", "main.js"],
        ...[permits(host), `http://${host}/elsewhere.js`].map((value) => JSON.stringify(value)),
      ],
      cwd: directory,
      stdin: "null",
      env: {
        ...{ JSR_URL: `http://${host}/`, DENO_DIR: join(directory, "cache") },
        ...{ DAFFI_SECRET: SECRET, NO_COLOR: "1" },
      },
    }).output();
    const decoder = new TextDecoder();
    assertMatch(decoder.decode(stdout), /^\{.*\}\n$/, decoder.decode(stderr));
    return JSON.parse(decoder.decode(stdout));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("a node whose program imports the package from JSR runs functions in a sandbox", async () => {
  const { value, imported, variable, environments } = await runFromJsr(() => ({}));
  assertEquals(value, 42);
  assertMatch(String(imported), /Requires import access|--no-remote/);
  assertMatch(String(variable), /Requires env access/);
  assertEquals(environments.length, LINUX ? 1 : 0);
  const own = /^(DENO_DIR=[^\0]*\0|MALLOC_MMAP_THRESHOLD_=131072\0)*$/;
  assert(environments.every((text) => own.test(text)), environments.join());
});

Deno.test("a sandbox of such a node may import what it is granted, and has nothing of its environment", async () => {
  const { value, imported, variable, environments } = await runFromJsr((host) => ({
    import: [host],
  }));
  assertEquals([value, imported], [42, "imported"]);
  assertMatch(String(variable), /Requires env access/);
  assertEquals(environments, LINUX ? ["MALLOC_MMAP_THRESHOLD_=131072\0"] : []);
});
