import { assert, assertEquals, assertInstanceOf, assertMatch } from "@std/assert";
import { EncodeError, TransferError } from "../../src/errors.ts";
import { within } from "../helpers/soon.ts";
import { MAX_FRAME_BYTES, refusalIn, TestSandbox, valueIn } from "./sandboxes.ts";

const MiB = 1024 * 1024;

Deno.test("`Sandbox.run()` brings arguments there and the result back", async () => {
  await using sandbox = new TestSandbox();
  const values = [
    ...[undefined, null, 10n, -0, "text", new Date(5), /x/g, new URL("http://a/b")],
    ...[new Map([[1, new Set([2])]]), new Float32Array([1.5]), { __proto__: null, a: [1] }],
  ];
  assertEquals(await sandbox.value((...args: unknown[]) => args, ...values), values);
});

Deno.test("`Sandbox.run()` waits for what an async function gives", async () => {
  await using sandbox = new TestSandbox();
  const later = async (n: number) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    return n;
  };
  assertEquals(await sandbox.value(later, 5), 5);
});

Deno.test("`Sandbox.run()` gives `Deno.pid` as the pid of the node's process", async () => {
  await using sandbox = new TestSandbox();
  assertEquals(await sandbox.value(() => Deno.pid), Deno.pid);
});

Deno.test("`Sandbox.run()` runs functions that import built-in modules", async () => {
  await using sandbox = new TestSandbox();
  const digest = async (text: string) => {
    const { createHash } = await import("node:crypto");
    return createHash("md5").update(text).digest("hex");
  };
  assertEquals(await sandbox.value(digest, ""), "d41d8cd98f00b204e9800998ecf8427e");
});

Deno.test("`Sandbox.run()` keeps one process for all of its functions", async () => {
  await using sandbox = new TestSandbox();
  const count = () => {
    const realm = globalThis as { count?: number };
    return realm.count = (realm.count ?? 0) + 1;
  };
  assertEquals([await sandbox.value(count), await sandbox.value(count)], [1, 2]);
});

Deno.test("`Sandbox.run()` runs many functions at a time, each with its own result", async () => {
  await using sandbox = new TestSandbox();
  const outcomes = await Promise.all(
    Array.from({ length: 300 }, (_, n) =>
      sandbox.outcome(async (n: number) => {
        await new Promise((resolve) => setTimeout(resolve, n % 7));
        return n;
      }, [n])),
  );
  assertEquals(outcomes.map(valueIn), Array.from({ length: 300 }, (_, n) => n));
  assertEquals(sandbox.sandbox.running, 0);
});

Deno.test("`Sandbox.run()` gives what the function threw, with its own lines and causes", async () => {
  await using sandbox = new TestSandbox();
  function fails() {
    const inner = () => {
      throw Object.assign(new RangeError("no", { cause: new Error("why") }), { left: 3 });
    };
    inner();
  }
  const thrown = await sandbox.thrown(fails);
  assertInstanceOf(thrown, RangeError);
  assertEquals([thrown.message, (thrown as { left?: number }).left], ["no", 3]);
  assertEquals((thrown.cause as Error).message, "why");
  // The lines of the function as the runtime has it: the compiler may have moved them.
  const lineOf = (text: string) =>
    String(fails).split("\n").findIndex((line) => line.includes(text)) + 1;
  const at = (where: string, text: string) =>
    new RegExp(`${where} \\(transferred/fails\\b[^)]*:${lineOf(text)}:\\d+\\)`);
  assertMatch(thrown.stack!, at("inner", "throw"));
  assertMatch(thrown.stack!, at("fails", "inner();"));
});

Deno.test("`Sandbox.run()` gives an error that was thrown frozen, with its own lines", async () => {
  await using sandbox = new TestSandbox();
  const thrown = await sandbox.thrown(function fails() {
    throw Object.freeze(Object.assign(new RangeError("mine", { cause: "why" }), { left: 3 }));
  });
  assertInstanceOf(thrown, RangeError);
  assertEquals([thrown.message, thrown.cause, (thrown as { left?: number }).left], [
    "mine",
    "why",
    3,
  ]);
  assertMatch(thrown.stack!, /^RangeError: mine\n.*\(transferred\/fails\b.*\)$/);
});

Deno.test("`Sandbox.run()` gives of an error that is too large what fits", async () => {
  await using sandbox = new TestSandbox();
  const thrown = await sandbox.thrown(() => {
    throw Object.assign(new RangeError("mine"), { left: 3, long: "x".repeat(100_000) });
  }) as RangeError & { left: number; long: string };
  assertEquals([thrown.name, thrown.message, thrown.left], ["RangeError", "mine", 3]);
  assertMatch(thrown.long, /^\[not sent: x/);
});

Deno.test("`Sandbox.run()` tells nothing of the receiver's files in a stack", async () => {
  await using sandbox = new TestSandbox();
  const thrown = await sandbox.thrown(() => {
    throw new Error("where am I?");
  }) as Error;
  assertEquals(thrown.stack!.includes("file:"), false, thrown.stack);
});

Deno.test("`Sandbox.run()` gives what was thrown when it is no error", async () => {
  await using sandbox = new TestSandbox();
  const fails = (thrown: unknown) => {
    throw thrown;
  };
  for (const thrown of ["text", null, undefined, 5, { code: 7 }, [1]]) {
    assertEquals(await sandbox.thrown(fails, thrown), thrown);
  }
});

Deno.test("`Sandbox.run()` names the outer variable that a function uses", async () => {
  await using sandbox = new TestSandbox();
  const outer = 5;
  const error = await sandbox.refusal(function addsOuter(n: number) {
    return n + outer;
  }, 1);
  assertInstanceOf(error, TransferError);
  assertMatch(error.message, /addsOuter uses outer, .*as an argument/);
  assertEquals(error.executed, "yes");
});

Deno.test("`Sandbox.run()` names an outer variable that is called like a global of Deno", async (t) => {
  await using sandbox = new TestSandbox();
  const [name, closed, location] = ["sender", true, { street: "here" }];
  const uses: Record<string, () => unknown> = {
    name: () => `hello ${name}`,
    closed: () => closed ? 1 : 2,
    location: () => location.street,
  };
  for (const [variable, fn] of Object.entries(uses)) {
    await t.step(variable, async () => {
      const error = await sandbox.refusal(fn);
      assertMatch(error.message, new RegExp(` uses ${variable}, which is not defined`));
    });
  }
});

Deno.test("`Sandbox.run()` fails with an EncodeError when the result cannot travel", async (t) => {
  await using sandbox = new TestSandbox();
  const results = {
    "a function": () => () => 1,
    "a symbol": () => ({ a: [Symbol("x")] }),
    "a generator": function* () {},
    "an instance of a class": () => new (class Point {})(),
  };
  for (const [what, fn] of Object.entries(results)) {
    await t.step(what, async () => {
      const error = await sandbox.refusal(fn);
      assertInstanceOf(error, EncodeError);
      assertMatch(error.message, /result/);
      assertEquals(error.executed, "yes");
      assertEquals(await sandbox.value(() => 1), 1);
    });
  }
});

Deno.test("`Sandbox.run()` says that streams do not travel with functions", async () => {
  await using sandbox = new TestSandbox();
  for (const fn of [function* () {}, () => [function* () {}()]]) {
    assertMatch(
      (await sandbox.refusal(fn)).message,
      /iterable; .*not for period\(\) or transferAndCall\(\)/,
    );
  }
});

Deno.test("`Sandbox.run()` fails with an EncodeError when the result is too large", async () => {
  await using sandbox = new TestSandbox();
  const make = (size: number) => new Uint8Array(size);
  const error = await sandbox.refusal(make, MAX_FRAME_BYTES);
  assertInstanceOf(error, EncodeError);
  assertEquals(error.executed, "yes");
  const largest = await sandbox.value(make, MAX_FRAME_BYTES - 100) as Uint8Array;
  assertEquals(largest.length, MAX_FRAME_BYTES - 100);
});

for (const how of ["sync", "async"]) {
  Deno.test(`\`Sandbox.run()\` ends a ${how} loop that takes too long, and tells the limit`, async () => {
    await using sandbox = new TestSandbox({ timeout: "300ms" });
    const loop = how === "sync"
      ? () => {
        for (;;);
      }
      : async () => {
        for (;;) await new Promise((resolve) => setTimeout(resolve, 1));
      };
    const error = await sandbox.refusal(loop);
    assertInstanceOf(error, TransferError);
    assertMatch(error.message, /did not finish.*longer than 300 ms/);
    assertEquals([error.executed, sandbox.sandbox.alive], ["maybe", false]);
    await sandbox.ended();
  });
}

// Each of these stops by itself after some 960 MiB or 4 seconds, should the limit not do it.
const HOGS: Record<string, (pieces: number, ms: number) => unknown> = {
  "the heap": (pieces, ms) => {
    const end = Date.now() + ms;
    const all: unknown[] = [];
    while (Date.now() < end) {
      if (all.length < pieces) all.push(Array.from({ length: 500_000 }, (_, i) => ({ i })));
    }
  },
  "an ArrayBuffer": (pieces, ms) => {
    const end = Date.now() + ms;
    const all: unknown[] = [];
    while (Date.now() < end) {
      if (all.length < pieces) all.push(new Uint8Array(16 * 1024 * 1024).fill(1));
    }
  },
  "ArrayBuffers little by little": async (pieces, ms) => {
    const end = Date.now() + ms;
    const all: unknown[] = [];
    while (Date.now() < end) {
      if (all.length < pieces) all.push(new Uint8Array(16 * 1024 * 1024).fill(1));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  },
  "WebAssembly": (pieces, ms) => {
    const end = Date.now() + ms;
    const all: unknown[] = [];
    while (Date.now() < end) {
      if (all.length >= pieces) continue;
      const memory = new WebAssembly.Memory({ initial: 256, maximum: 256 });
      new Uint8Array(memory.buffer).fill(1);
      all.push(memory);
    }
  },
  "text": (pieces, ms) => {
    const end = Date.now() + ms;
    const all: unknown[] = [];
    const random = () => String(Math.random());
    while (Date.now() < end) {
      if (all.length < pieces) all.push(random().repeat(800_000).split("").join(random()[3]));
    }
  },
  "an ArrayBuffer after much garbage": (pieces, ms) => {
    const end = Date.now() + ms;
    let garbage: unknown;
    while (Date.now() < end - ms + 700) {
      garbage = Array.from({ length: 1000 }, () => [garbage && 1]);
    }
    const all: unknown[] = [];
    while (Date.now() < end) {
      if (all.length < pieces) all.push(new Uint8Array(16 * 1024 * 1024).fill(1));
    }
  },
  "workers": async (pieces, ms) => {
    const code = `const end = Date.now() + ${ms};
      const all = [];
      while (Date.now() < end) {
        if (all.length < ${pieces / 6}) all.push(new Uint8Array(16 * 1024 * 1024).fill(1));
      }`;
    const { Worker } = await import("node:worker_threads");
    for (let i = 0; i < 6; i++) new Worker(code, { eval: true });
    await new Promise((resolve) => setTimeout(resolve, ms));
  },
};

for (const [where, hog] of Object.entries(HOGS)) {
  Deno.test(`\`Sandbox.run()\` ends a function that fills ${where}, and tells the limit`, async () => {
    await using sandbox = new TestSandbox({ memoryLimitMb: 64 });
    const error = await sandbox.refusal(hog, 60, 4000);
    assertInstanceOf(error, TransferError);
    assertMatch(error.message, /more memory than its limit of 64 MiB/);
    assertEquals(error.executed, "maybe");
    await sandbox.ended();
  });
}

Deno.test("`Sandbox.run()` lets a function have memory below the limit", async () => {
  await using sandbox = new TestSandbox({ memoryLimitMb: 256 });
  const take = async (bytes: number) => {
    const buffer = new Uint8Array(bytes).fill(1);
    await new Promise((resolve) => setTimeout(resolve, 200)); // several looks of the watchdog
    return buffer.length;
  };
  assertEquals(await sandbox.value(take, 100 * MiB), 100 * MiB);
});

Deno.test("`Sandbox.run()` leaves a cancelled function unanswered and ends its process", async () => {
  await using sandbox = new TestSandbox({ timeout: "10m" });
  const cancel = new AbortController();
  const outcome = sandbox.outcome(() => new Promise(() => {}), [], cancel.signal);
  cancel.abort();
  assertEquals(refusalIn(await outcome).executed, "maybe");
  await sandbox.ended();
});

Deno.test("a cancelled function does not end what runs beside it", async () => {
  await using sandbox = new TestSandbox();
  const cancel = new AbortController();
  const cancelled = sandbox.outcome(() => new Promise(() => {}), [], cancel.signal);
  const waits = (ms: number) => new Promise((resolve) => setTimeout(() => resolve(ms), ms));
  const other = sandbox.value(waits, 200);
  cancel.abort();
  refusalIn(await cancelled);
  assertEquals(await other, 200);
});

Deno.test("`Sandbox.kill()` ends what runs with its reason, and may be called again", async () => {
  await using sandbox = new TestSandbox();
  await sandbox.value(() => 1);
  const outcomes = [1, 2].map(() => sandbox.outcome(() => new Promise(() => {})));
  sandbox.sandbox.kill("of the weather");
  sandbox.sandbox.kill("of something else");
  for (const outcome of outcomes) {
    assertMatch(refusalIn(await outcome).message, /did not finish.*of the weather/);
  }
  assertEquals([sandbox.sandbox.alive, sandbox.sandbox.running], [false, 0]);
  await sandbox.ended();
});

Deno.test("`Sandbox.run()` refuses functions when its process has ended", async () => {
  await using sandbox = new TestSandbox();
  sandbox.sandbox.kill("of the weather");
  const early = refusalIn(await sandbox.outcome(() => 1));
  await sandbox.ended();
  const late = refusalIn(await sandbox.outcome(() => 1));
  for (const error of [early, late]) assertInstanceOf(error, TransferError);
});

Deno.test("`new Sandbox()` fails with what to grant when the program cannot be run", async () => {
  const code = `
    import { resolveTransfer } from "./src/transfer/resolve_transfer.ts";
    import { Sandbox } from "./src/transfer/sandbox.ts";
    try {
      new Sandbox({
        program: "",
        transfer: resolveTransfer("sandbox"),
        maxFrameBytes: 65536,
        logger: console,
        sender: "a",
      });
    } catch (error) {
      console.log(error.name, error.executed, error.message);
    }`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--ext=ts", "-"],
    cwd: new URL("../../", import.meta.url),
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const output = child.output();
  await new Blob([code]).stream().pipeTo(child.stdin);
  const said = new TextDecoder().decode((await within("its output", output)).stdout);
  const grant = `grant --allow-run=${Deno.execPath()} to this process, or set`;
  assertMatch(said, /^TransferError never .*its option transfer to "deny"/);
  assert(said.includes(grant), said);
  assert(!said.includes("undefined"));
});

Deno.test("the time of a function begins when its sandbox is up", async () => {
  // Less than a process ever needs to start, more than the function, unless the machine is busy.
  for (let tries = 10;; tries--) {
    await using cold = new TestSandbox({ timeout: 50 });
    try {
      return assertEquals(await cold.value(() => 1), 1);
    } catch (error) {
      if (tries === 0) throw error;
    }
  }
});

Deno.test("a sandbox without a time limit runs functions and stays", async () => {
  await using sandbox = new TestSandbox({ timeout: Infinity });
  assertEquals(await sandbox.value(async () => await Promise.resolve(1)), 1);
  assertEquals(await sandbox.value(() => 2), 2);
  assertEquals(sandbox.sandbox.alive, true);
});
