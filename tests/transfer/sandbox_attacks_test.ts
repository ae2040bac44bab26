import { assert, assertEquals, assertInstanceOf, assertMatch } from "@std/assert";
import { EncodeError, TransferError } from "../../src/errors.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { encodeThrown } from "../../src/wire/error_payload.ts";
import { frame, Kind } from "../../src/wire/frame.ts";
import { MAX_SENT_FAILURE_BYTES } from "../../src/transfer/function_failure.ts";
import { PREFACE } from "../../src/wire/preface.ts";
import { concat, toBytes } from "../wire/frames.ts";
import { encodeArguments, MAX_FRAME_BYTES, refusalIn, TestSandbox } from "./sandboxes.ts";

const codec = new MessagePackCodec();

/** Writes to the pipe that carries the answers, behind the back of everything. */
const write = (bytes: Uint8Array, forMs: number) => {
  // deno-lint-ignore no-explicit-any -- an internal of Deno
  const { core } = (Deno as any)[(Deno as any).internal];
  const end = Date.now() + forMs;
  do core.writeSync(1, bytes); while (Date.now() < end);
  return new Promise(() => {});
};

function result(call: number, value: unknown): Uint8Array {
  return toBytes(frame(Kind.Result, { call, payload: codec.encode(value, "result") }));
}

const HUGE = new Uint8Array(24);
HUGE.set([0xff, 0xff, 0xff, 0xff, Kind.Result]);

const GARBAGE: Record<string, Uint8Array> = {
  "text": new TextEncoder().encode("hello, is anybody there?\n"),
  "zeros": new Uint8Array(100),
  "a frame of 4 GiB": HUGE,
  "a frame that is too large by one byte": (() => {
    const bytes = new Uint8Array(24);
    new DataView(bytes.buffer).setUint32(0, MAX_FRAME_BYTES - 3);
    bytes[4] = Kind.Result;
    return bytes;
  })(),
  "a frame of an unknown kind": (() => {
    const bytes = result(1, 1);
    bytes[4] = 0x7f;
    return bytes;
  })(),
  "an answer to what was not asked": result(77, "forged"),
  "an answer to call 0": result(0, "forged"),
  "two answers": concat([result(1, 1), result(1, 2)]),
  "a failure that is too large by one byte": toBytes(
    frame(Kind.Error, { call: 1, payload: new Uint8Array(MAX_SENT_FAILURE_BYTES + 1) }),
  ),
};

for (const [what, bytes] of Object.entries(GARBAGE)) {
  Deno.test(`a sandbox that writes ${what} is ended`, async () => {
    await using sandbox = new TestSandbox({ timeout: "10m" });
    await sandbox.outcome(write, [bytes, 0]);
    await sandbox.ended();
    assertEquals(sandbox.sandbox.alive, false);
  });
}

for (
  const [what, bytes] of [
    ["frames that nobody asked for", result(1000, "x")],
    ["garbage", new Uint8Array(65536).fill(7)],
  ] as const
) {
  Deno.test(`a sandbox that writes ${what} without end is ended`, async () => {
    await using sandbox = new TestSandbox({ timeout: "1m" });
    const error = refusalIn(await sandbox.outcome(write, [bytes, 5000]));
    assertInstanceOf(error, TransferError);
    await sandbox.ended();
  });
}

Deno.test("a forged answer to its own call is just that function's result", async () => {
  await using sandbox = new TestSandbox();
  assertEquals(await sandbox.value(write, result(1, { __proto__: null, forged: true }), 0), {
    forged: true,
  });
});

for (
  const kind of [Kind.Call, Kind.Transfer, Kind.Hello, Kind.Shutdown, Kind.Ping, Kind.Stream]
) {
  Deno.test(`a frame of kind ${kind} from a sandbox does nothing but fail its call`, async () => {
    await using sandbox = new TestSandbox();
    const payload = codec.encode([1], "args");
    const outcome = await sandbox.outcome(write, [
      toBytes(frame(kind, { call: 1, payload })),
      0,
    ]);
    assert(!("payload" in outcome));
  });
}

Deno.test("a failure that is no failure, or slow to decode, is passed on, and not looked into", async () => {
  await using sandbox = new TestSandbox();
  const slow = { code: "REMOTE_CALL", message: "", error: new Set([1, 2]), executed: "yes" };
  const failures = [
    Uint8Array.of(0xc1),
    codec.encode(slow, "e"),
    new Uint8Array(MAX_SENT_FAILURE_BYTES),
  ];
  for (const [i, payload] of failures.entries()) {
    const bytes = toBytes(frame(Kind.Error, { call: i + 1, payload }));
    assertEquals(await sandbox.outcome(write, [bytes, 0]), { failure: payload });
  }
  assertEquals(sandbox.sandbox.alive, true);
});

Deno.test("a forged failure reaches the caller with nothing of the host's prototypes changed", async () => {
  await using sandbox = new TestSandbox();
  const fields = JSON.parse(
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}',
  );
  const payload = encodeThrown(codec, Object.assign(new Error("x"), { own: fields }));
  await sandbox.outcome(write, [toBytes(frame(Kind.Error, { call: 1, payload })), 0]);
  assertEquals("polluted" in {}, false);
});

Deno.test("what a function does to the prototypes of its realm stays there", async () => {
  await using sandbox = new TestSandbox();
  const outcome = await sandbox.outcome(() => {
    const pollute = (target: object) =>
      Object.defineProperty(target, "polluted", { value: 1, configurable: true });
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      const { prototype } =
        (globalThis as unknown as Record<string, { prototype?: object }>)[name] ??
          {};
      if (prototype) pollute(prototype);
    }
    return JSON.parse('{"__proto__":{"polluted":2},"toString":1,"then":2,"constructor":{"a":1}}');
  });
  assert("payload" in outcome);
  const value = codec.decode(outcome.payload) as Record<string, unknown>;
  assertEquals(Object.keys(value).sort(), ["__proto__", "constructor", "then", "toString"]);
  assertEquals(Object.getPrototypeOf(value), Object.prototype);
  for (const object of [{}, [], () => {}, new Map(), Promise.resolve(), new Uint8Array()]) {
    assertEquals("polluted" in object, false);
  }
});

const REALM_BREAKERS: Record<string, () => unknown> = {
  "replaces the tools of the codec": () => {
    Map.prototype.get = () => "broken";
    Array.prototype.push = () => 0;
    TextEncoder.prototype.encode = () => new Uint8Array(10_000);
    DataView.prototype.setUint32 = () => {};
    return 1;
  },
  "replaces promises": () => {
    Promise.prototype.then = () => new Promise(() => {});
    globalThis.Promise = class {} as unknown as PromiseConstructor;
    return 1;
  },
  "makes every object thenable": () => {
    Object.defineProperty(Object.prototype, "then", { value: () => {}, configurable: true });
    return {};
  },
  "freezes everything": () => {
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      try {
        Object.freeze((globalThis as unknown as Record<string, unknown>)[name]);
      } catch {
        // not everything can be
      }
    }
    return 1;
  },
  "deletes all globals": () => {
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      try {
        Reflect.deleteProperty(globalThis, name);
      } catch {
        // not everything can be
      }
    }
    return 1;
  },
};

for (const [what, fn] of Object.entries(REALM_BREAKERS)) {
  Deno.test(`a function that ${what} gets an end, as do those after it`, async () => {
    await using sandbox = new TestSandbox({ timeout: "500ms" });
    await sandbox.outcome(fn);
    if (sandbox.sandbox.alive) await sandbox.outcome(() => 1);
  });
}

Deno.test("a function cannot stop the watchdog", async () => {
  await using sandbox = new TestSandbox({ memoryLimitMb: 64, timeout: "20s" });
  const error = await sandbox.refusal(
    async (pieces: number, ms: number) => {
      const quietly = (fn: () => unknown) => {
        try {
          fn();
        } catch {
          // the next attempt
        }
      };
      const { default: process } = await import("node:process");
      // deno-lint-ignore no-explicit-any -- an internal of Deno
      const { core } = (Deno as any)[(Deno as any).internal];
      for (const target of [globalThis, process]) {
        Object.defineProperty(target, "setInterval", { value: () => 0, configurable: true });
      }
      quietly(() => Object.defineProperty(process, "kill", { value: () => true }));
      quietly(() => Object.defineProperty(Deno, "memoryUsage", { value: () => ({ rss: 0 }) }));
      quietly(() => Object.defineProperty(process, "memoryUsage", { value: () => ({ rss: 0 }) }));
      for (let id = 0; id < 20; id++) {
        quietly(() => clearInterval(id));
        quietly(() => core.ops.op_host_terminate_worker(id));
        if (id > 2) quietly(() => core.close(id));
      }
      const end = Date.now() + ms;
      const all: unknown[] = [];
      while (Date.now() < end) {
        if (all.length < pieces) all.push(new Uint8Array(16 * 1024 * 1024).fill(1));
      }
    },
    40,
    4000,
  );
  assertMatch(error.message, /more memory than its limit of 64 MiB/);
});

Deno.test("a function can learn nothing of its node but the pid and the limits", async () => {
  const secret = "daffi-secret-5e1f";
  Deno.env.set("DAFFI_SECRET", secret);
  try {
    await using sandbox = new TestSandbox({ permissions: { env: ["NOTHING_OF_THIS"] } });
    const known = await sandbox.value(async () => {
      const { default: process } = await import("node:process");
      return [Deno.args, process.argv, process.title, Object.keys(globalThis)].map(String);
    }) as string[];
    assertEquals(known.some((text) => text.includes(secret)), false);
    const args = await sandbox.value(() => Deno.args) as string[];
    assertEquals(args, [String(Deno.pid), "128", String(MAX_FRAME_BYTES)]);
  } finally {
    Deno.env.delete("DAFFI_SECRET");
  }
});

for (
  const source of [
    "1)\n;globalThis.broken = 1;(() => 1",
    "(globalThis.broken = 1, () => 1)",
    "() => 1)\n//",
  ]
) {
  Deno.test(`the source ${JSON.stringify(source)} does no harm outside of the sandbox`, async () => {
    await using sandbox = new TestSandbox();
    const { signal } = new AbortController();
    await sandbox.sandbox.run({ source, name: "f" }, encodeArguments([]), signal);
    assertEquals("broken" in globalThis, false);
    assertEquals(await sandbox.value(() => 1), 1);
  });
}

Deno.test("a source that is never compiled to its end is ended at the time-out", async () => {
  await using sandbox = new TestSandbox({ timeout: "500ms" });
  const { signal } = new AbortController();
  const source = "(() => { for (;;); })()";
  const error = refusalIn(
    await sandbox.sandbox.run({ source, name: "f" }, encodeArguments([]), signal),
  );
  assertMatch(error.message, /longer than 500 ms/);
});

Deno.test("a function with any name runs as any other", async () => {
  await using sandbox = new TestSandbox();
  for (const name of ["a\nb", "*/ }", "\u2028", "x".repeat(100_000), "${1}", "__proto__"]) {
    assertEquals(await sandbox.value(Object.defineProperty(() => 1, "name", { value: name })), 1);
  }
});

Deno.test("arguments that cannot be decoded fail their call only", async () => {
  await using sandbox = new TestSandbox();
  const { signal } = new AbortController();
  const fn = { source: "() => 1", name: "f" };
  const outcome = await sandbox.sandbox.run(fn, Uint8Array.of(0xc1), signal);
  assert(!("payload" in outcome));
  assertEquals(await sandbox.value(() => 1), 1);
});

Deno.test("a function that throws what cannot be told still gets an answer", async () => {
  await using sandbox = new TestSandbox();
  const outcome = await sandbox.outcome(() => {
    throw new Proxy({}, {
      get() {
        throw new Error("no");
      },
      getPrototypeOf() {
        throw new Error("no");
      },
      ownKeys() {
        throw new Error("no");
      },
    });
  });
  assert(!("payload" in outcome));
  assertEquals(await sandbox.value(() => 1), 1);
});

Deno.test("a result whose getters throw is an EncodeError", async () => {
  await using sandbox = new TestSandbox();
  const error = await sandbox.refusal(() => ({
    get trap() {
      throw new Error("no");
    },
  }));
  assertInstanceOf(error, EncodeError);
  assertEquals(error.executed, "yes");
});

for (
  const [what, frames] of [
    ["begins with another frame", [frame(Kind.Pause, { payload: new Uint8Array(100) })]],
    ["answers by another frame", [
      frame(Kind.Welcome),
      frame(Kind.Shutdown, { call: 1, payload: encodeThrown(codec, new Error("forged")) }),
    ]],
  ] as const
) {
  Deno.test(`a sandbox that ${what} is ended`, async () => {
    const bytes = concat([PREFACE, ...frames.map(toBytes)]);
    await using sandbox = new TestSandbox(
      {},
      `
      await Deno.stdin.read(new Uint8Array(65536));
      await Deno.stdout.write(Uint8Array.of(${bytes}));
      setTimeout(() => {}, 60_000);
    `,
    );
    const error = await sandbox.refusal(() => 1);
    assertMatch(error.message, /its sandbox was ended: it (did not say|answered what)/);
    await sandbox.ended();
  });
}

Deno.test("a sandbox that ends before it is up has run nothing", async () => {
  await using sandbox = new TestSandbox({}, "Deno.exit(3)");
  assertEquals((await sandbox.refusal(() => 1)).executed, "never");
});
