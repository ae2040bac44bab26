import { assertEquals, assertMatch } from "@std/assert";
import { join } from "@std/path";
import type { TransferPermissions } from "../../mod.ts";
import { TestSandbox } from "./sandboxes.ts";

// deno-lint-ignore no-explicit-any -- any function
type AnyFunction = (...args: any[]) => unknown;

/** How Deno says no. */
const DENIED = /^NotCapable: |Requires \w+ access/;

/** What must not be possible without permission, and the error by which it is not. */
const FORBIDDEN: Record<string, [AnyFunction, RegExp?]> = {
  "read a file": [() => Deno.readTextFileSync("/etc/passwd")],
  "read a file by node:fs": [async () => (await import("node:fs")).readFileSync("/etc/passwd")],
  "read a file by fetch": [() => fetch("file:///etc/passwd")],
  "read a file by createRequire": [
    async () => (await import("node:module")).createRequire("/a.js")("/etc/passwd.json"),
  ],
  "read a file by a worker": [async () => {
    const { Worker } = await import("node:worker_threads");
    const code = `const { parentPort } = require("node:worker_threads");
      try {
        parentPort.postMessage(Deno.readTextFileSync("/etc/passwd"));
      } catch (error) {
        parentPort.postMessage(error.name + ": " + error.message);
      }`;
    const worker = new Worker(code, { eval: true });
    const said = await new Promise((resolve) => worker.on("message", resolve));
    await worker.terminate();
    throw new Error(`${said}`);
  }],
  "look at a file": [() => Deno.statSync("/etc/passwd")],
  "list a directory": [() => [...Deno.readDirSync("/")]],
  "watch a directory": [() => Deno.watchFs("/")],
  "write a file": [() => Deno.writeTextFileSync("daffi_test", "x")],
  "write a file by node:fs": [async () => (await import("node:fs")).writeFileSync("d", "x")],
  "make a temporary file": [() => Deno.makeTempFileSync()],
  "make a link": [() => Deno.symlinkSync("/etc/passwd", "daffi_test"), /NotCapable|requires/],
  "remove a file": [() => Deno.removeSync("/etc/passwd")],
  "write a heap snapshot": [async () => (await import("node:v8")).writeHeapSnapshot("daffi_test")],
  "open a database in a file": [
    async () => new (await import("node:sqlite")).DatabaseSync("daffi_test"),
  ],
  "attach a database in a file": [
    async () => {
      const { DatabaseSync } = await import("node:sqlite");
      new DatabaseSync(":memory:").exec("ATTACH 'daffi_test' AS d; CREATE TABLE d.t (a)");
    },
    /attached databases|NotCapable/,
  ],
  "keep something in localStorage": [
    () => localStorage.setItem("daffi_test", "x"),
    /NotADirectory|not defined|undefined|NotCapable/,
  ],
  "keep something in a cache": [
    async () => {
      const cache = await caches.open("daffi_test");
      await cache.put("http://localhost/", new Response("x"));
    },
    /cache storage directory|not defined|undefined|NotCapable/,
  ],
  "keep something in the cache of a worker": [async () => {
    const { Worker } = await import("node:worker_threads");
    const code = `const { parentPort } = require("node:worker_threads");
      caches.open("daffi_test")
        .then((cache) => cache.put("http://localhost/", new Response("x")))
        .then(() => "kept", (error) => error.name + ": " + error.message)
        .then((said) => parentPort.postMessage(said));`;
    const worker = new Worker(code, { eval: true });
    const said = await new Promise((resolve) => worker.on("message", resolve));
    await worker.terminate();
    throw new Error(`${said}`);
  }, /cache storage directory|not defined|undefined|NotCapable/],
  "connect": [() => Deno.connect({ hostname: "127.0.0.1", port: 9 })],
  "connect to a UNIX socket": [
    () => Deno.connect({ transport: "unix", path: "/tmp/daffi/.sock" }),
    /NotCapable|Requires/,
  ],
  "fetch": [() => fetch("http://127.0.0.1:8888/")],
  "open a WebSocket": [() => new WebSocket("ws://127.0.0.1:8888/")],
  "listen": [() => Deno.listen({ hostname: "127.0.0.1", port: 0 })],
  "listen by node:http": [
    async () => {
      const { createServer } = await import("node:http");
      await new Promise((resolve, reject) =>
        createServer().on("error", reject).listen(0, () => resolve("listening"))
      );
    },
  ],
  "send a datagram": [async () => {
    const { createSocket } = await import("node:dgram");
    await new Promise((resolve, reject) => {
      addEventListener("error", ({ error }) => reject(error), { once: true });
      createSocket("udp4").on("error", reject).send("x", 9, "127.0.0.1", resolve);
    });
  }],
  "resolve a name": [() => Deno.resolveDns("localhost", "A")],
  "read a variable": [() => Deno.env.get("PATH")],
  "read all variables": [() => Deno.env.toObject()],
  "read a variable by process.env": [async () => (await import("node:process")).env.PATH],
  "set a variable": [() => Deno.env.set("DAFFI_TEST", "x")],
  "know the host's name": [() => Deno.hostname()],
  "know the user": [() => Deno.uid()],
  "know the network": [() => Deno.networkInterfaces()],
  "know the memory of the machine": [() => Deno.systemMemoryInfo()],
  "run a program": [(deno: string) => new Deno.Command(deno).outputSync()],
  "run a program by node:child_process": [
    async (deno: string) => (await import("node:child_process")).spawnSync(deno),
  ],
  "start a process by fork": [
    async () => (await import("node:child_process")).fork("x.js"),
  ],
  "send its node a signal": [() => Deno.kill(Deno.pid, "SIGCONT")],
  "send its parent a signal": [
    async () => (await import("node:process")).kill(Deno.ppid, "SIGCONT"),
  ],
  "send its process group a signal": [
    async () => (await import("node:process")).kill(0, "SIGCONT"),
  ],
  "load a library": [() => Deno.dlopen("libc.so.6", {})],
  "load a Node addon": [
    async () => (await import("node:process")).dlopen({}, "/a.node"),
    /NotCapable|Requires|not supported|not implemented/,
  ],
  "load an extension of SQLite": [
    async () => {
      const { DatabaseSync } = await import("node:sqlite");
      new DatabaseSync(":memory:", { allowExtension: true }).loadExtension("/a.so");
    },
  ],
  "import remote code": [() => import("https://esm.sh/a" + ""), /--no-remote|Requires/],
  "import code from this machine's network": [() => import("http://127.0.0.1:9/a.ts" + "")],
  "import from npm": [() => import("npm:chalk" + ""), /--no-npm|Requires/],
  "import from JSR": [() => import("jsr:@std/assert" + ""), /--no-remote|Requires/],
  "import a file": [() => import("file:///etc/passwd" + "")],
  "import a file as JSON": [() => import("file:///a.json" + "", { with: { type: "json" } })],
  "import a file of this package": [(_deno, url: string) => import(url)],
  "import a file by its name": [() => import("./sandbox.ts" + ""), /relative URL|Requires/],
  "import a package by its name": [() => import("terser" + ""), /not a dependency|relative URL/i],
  "open a debugger": [async () => (await import("node:inspector")).open(0)],
};

Deno.test("a function in a sandbox cannot", async (t) => {
  // One for all, for it takes a while to start: a function that was refused harms no other.
  await using sandbox = new TestSandbox({ memoryLimitMb: 512 });
  for (const [what, [fn, message = DENIED]] of Object.entries(FORBIDDEN)) {
    await t.step(what, async () => {
      const thrown = await sandbox.thrown(fn, Deno.execPath(), import.meta.url) as Error;
      assertMatch(`${thrown.name}: ${thrown.message}`, message);
      assertEquals(await sandbox.value(() => "goes on"), "goes on");
    });
  }
});

Deno.test("a function in a sandbox cannot get a permission by asking for it", async () => {
  await using sandbox = new TestSandbox();
  const states = await sandbox.value(async () => {
    const names = ["read", "write", "net", "env", "sys", "run", "ffi", "import"] as const;
    const states: string[] = [];
    for (const name of names) {
      const { state } = await Deno.permissions.request({ name } as Deno.PermissionDescriptor);
      states.push(state);
    }
    return states;
  });
  assertEquals(states, Array(8).fill("denied"));
});

Deno.test("a function in a sandbox has no more open files than its three pipes", async () => {
  await using sandbox = new TestSandbox({ permissions: { read: true, write: true, env: true } });
  const open = await sandbox.value(() => {
    // deno-lint-ignore no-explicit-any -- an internal of Deno
    const { core } = (Deno as any)[(Deno as any).internal];
    return Object.values(core.resources()).sort();
  });
  assertEquals(open, ["stderr", "stdin", "stdout"]);
});

async function withFiles(
  test: (directory: string, outside: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "daffi_" }));
  try {
    const [directory, outside] = [join(root, "granted"), join(root, "outside")];
    await Deno.mkdir(directory);
    await Deno.mkdir(outside);
    await Deno.writeTextFile(join(directory, "file"), "inside");
    await Deno.writeTextFile(join(outside, "file"), "secret");
    await test(directory, outside);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

const readText = (path: string) => Deno.readTextFileSync(path);

Deno.test("`permissions` grant what they name and nothing beside it", async () => {
  await withFiles(async (directory, outside) => {
    await using sandbox = new TestSandbox({ permissions: { read: [directory] } });
    assertEquals(await sandbox.value(readText, join(directory, "file")), "inside");
    for (
      const path of [
        join(outside, "file"),
        `${directory}/../outside/file`,
        `${directory}_/file`,
        "/etc/passwd",
      ]
    ) assertMatch(String(await sandbox.thrown(readText, path)), DENIED);
    const write = (path: string) => Deno.writeTextFileSync(path, "x");
    assertMatch(String(await sandbox.thrown(write, join(directory, "new"))), DENIED);
  });
});

Deno.test("a function that may read and write a directory cannot link out of it", async () => {
  await withFiles(async (directory, outside) => {
    const permissions = { read: [directory], write: [directory] };
    await using sandbox = new TestSandbox({ permissions });
    const link = async (target: string, path: string) => {
      const fs = await import("node:fs");
      const failures: string[] = [];
      for (const link of [Deno.symlinkSync, fs.symlinkSync, Deno.linkSync, fs.linkSync]) {
        try {
          link(target, path);
          failures.push(`linked, and read ${Deno.readTextFileSync(path)}`);
        } catch (error) {
          failures.push(`${(error as Error).name}: ${(error as Error).message}`);
        }
      }
      return failures;
    };
    const target = join(outside, "file");
    for (const said of await sandbox.value(link, target, join(directory, "link")) as string[]) {
      assertMatch(said, /NotCapable|Requires|requires/);
    }
  });
});

Deno.test("`permissions.env` brings the variables that it names", async () => {
  const name = "DAFFI_TRANSFER_TEST";
  Deno.env.set(name, "granted");
  try {
    await using sandbox = new TestSandbox({ permissions: { env: [name] } });
    assertEquals(await sandbox.value((name: string) => Deno.env.get(name), name), "granted");
    assertMatch(String(await sandbox.thrown(() => Deno.env.get("PATH"))), DENIED);
  } finally {
    Deno.env.delete(name);
  }
});

Deno.test("`permissions.net` lets functions connect to the hosts that it names", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  await using sandbox = new TestSandbox({ permissions: { net: [`127.0.0.1:${port}`] } });
  const connect = async (port: number) => {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return "connected";
  };
  const [connection, said] = await Promise.all([listener.accept(), sandbox.value(connect, port)]);
  connection.close();
  assertEquals(said, "connected");
  assertMatch(String(await sandbox.thrown(connect, port === 9 ? 10 : 9)), DENIED);
});

Deno.test("`permissions.import` lets functions import from the hosts that it names", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () =>
      new Response("export default 'imported'", {
        headers: { "content-type": "text/javascript" },
      }),
  );
  const host = `127.0.0.1:${server.addr.port}`;
  await using sandbox = new TestSandbox({ permissions: { import: [host] } });
  const load = async (url: string) => (await import(url)).default;
  assertEquals(await sandbox.value(load, `http://${host}/a.js`), "imported");
  assertMatch(String(await sandbox.thrown(load, "http://127.0.0.1:9/a.js")), DENIED);
});

const NOTHING: TransferPermissions[] = [{ import: false }, { import: [] }];
for (const permissions of NOTHING) {
  Deno.test(`\`permissions\` ${Deno.inspect(permissions)} deny importing of remote code`, async () => {
    await using sandbox = new TestSandbox({ permissions });
    const load = () => import("https://esm.sh/a" + "");
    assertMatch(String(await sandbox.thrown(load)), /--no-remote|Requires import access/);
  });
}

Deno.test("`permissions` with false or an empty list grant nothing", async () => {
  const permissions = { read: false, write: [], net: [], env: false, sys: [], run: [], ffi: [] };
  await using sandbox = new TestSandbox({ permissions });
  for (
    const fn of [
      () => Deno.readTextFileSync("/etc/passwd"),
      () => Deno.connect({ hostname: "127.0.0.1", port: 9 }),
      () => Deno.env.get("PATH"),
      (deno: string) => new Deno.Command(deno).outputSync(),
    ]
  ) assertMatch(String(await sandbox.thrown(fn, Deno.execPath())), DENIED);
});

Deno.test("`permissions.run` lets functions run the programs that it names", async () => {
  for (const run of [["deno"], true] as const) {
    await using sandbox = new TestSandbox({ permissions: { run } });
    const said = await sandbox.value(() => {
      const { stdout } = new Deno.Command("deno", { args: ["--version"] }).outputSync();
      return new TextDecoder().decode(stdout).slice(0, 5);
    });
    assertEquals(said, "deno ");
  }
});

Deno.test("programs that functions run see no environment but PATH, as functions would not", async () => {
  const name = "DAFFI_TRANSFER_TEST";
  Deno.env.set(name, "not granted");
  try {
    await using sandbox = new TestSandbox({ permissions: { run: ["deno"] } });
    const seen = await sandbox.value((name: string) => {
      const code = `console.log("PATH" in Deno.env.toObject(), Deno.env.get("${name}"))`;
      const { stdout } = new Deno.Command("deno", { args: ["eval", code] }).outputSync();
      return new TextDecoder().decode(stdout).trim();
    }, name);
    assertEquals(seen, "true undefined");
  } finally {
    Deno.env.delete(name);
  }
});

Deno.test("`permissions.env` brings all variables whose names begin so", async () => {
  const names = ["DAFFI_TEST_ONE", "DAFFI_TEST_TWO", "DAFFI_OTHER"];
  for (const name of names) Deno.env.set(name, name.at(-1)!);
  try {
    await using sandbox = new TestSandbox({ permissions: { env: ["DAFFI_TEST_*"] } });
    const read = () => [Deno.env.get("DAFFI_TEST_ONE"), Deno.env.get("DAFFI_TEST_TWO")];
    assertEquals(await sandbox.value(read), ["E", "O"]);
    assertEquals(
      (await sandbox.thrown(() => Deno.env.get("DAFFI_OTHER")) as Error).name,
      "NotCapable",
    );
  } finally {
    for (const name of names) Deno.env.delete(name);
  }
});
