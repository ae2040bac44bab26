import { assert, assertEquals, assertInstanceOf, assertMatch } from "@std/assert";
import { EncodeError, OverloadedError, TransferError } from "../../src/errors.ts";
import { sourceOf } from "../../src/transfer/function_source.ts";
import { resolveTransfer } from "../../src/transfer/resolve_transfer.ts";
import type { TransferOutcome } from "../../src/transfer/function_runner.ts";
import type { TransferOptions } from "../../src/transfer/transfer_options.ts";
import { MAX_SANDBOXES, TransferRunner } from "../../src/transfer/transfer_runner.ts";
import { MAX_WAITING_TRANSFERS } from "../../src/transfer/waiting_transfers.ts";
import { MAX_WAITING_BYTES } from "../../src/wire/limits.ts";
import { within } from "../helpers/soon.ts";
import { RecordingLogger } from "../helpers/recording_logger.ts";
import { encodeArguments, MAX_FRAME_BYTES, refusalIn, valueIn } from "./sandboxes.ts";

// deno-lint-ignore no-explicit-any -- any function
type AnyFunction = (...args: any[]) => unknown;

/** A runner that is stopped at the end of its scope. */
class TestRunner implements AsyncDisposable {
  readonly runner: TransferRunner;

  constructor(options: TransferOptions | "inline" | "deny" = {}) {
    const resolved = resolveTransfer(
      typeof options === "string" ? options : { timeout: "10s", ...options },
    );
    this.runner = new TransferRunner(resolved, MAX_FRAME_BYTES, new RecordingLogger());
  }

  outcome(
    fn: AnyFunction,
    args: unknown[] = [],
    sender = "sender",
    signal: AbortSignal = new AbortController().signal,
  ): Promise<TransferOutcome> {
    const running = this.runner.run(sourceOf(fn), encodeArguments(args), sender, signal);
    return within("the outcome", running, 20_000);
  }

  async value(fn: AnyFunction, args: unknown[] = [], sender = "sender"): Promise<unknown> {
    return valueIn(await this.outcome(fn, args, sender));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return within("the stop", this.runner.stop());
  }
}

/** The process id of the sandbox, which says it is the node's. */
const sandboxPid = async () => {
  const { default: process } = await import("node:process");
  return [process.ppid, (globalThis as { id?: string }).id ??= crypto.randomUUID()];
};

const sleep = (ms: number) => new Promise((resolve) => setTimeout(() => resolve(ms), ms));

Deno.test("`TransferRunner.run()` keeps the functions of one sender in one realm", async () => {
  await using runner = new TestRunner();
  const [first, second] = [await runner.value(sandboxPid), await runner.value(sandboxPid)];
  assertEquals(first, second);
});

Deno.test("`TransferRunner.run()` never lets functions of two senders meet", async () => {
  await using runner = new TestRunner();
  const leave = (secret: string) => void Object.assign(globalThis, { secret });
  const look = () => (globalThis as { secret?: string }).secret;
  await runner.value(leave, ["of a"], "a");
  assertEquals(await runner.value(look, [], "b"), undefined);
  assertEquals(await runner.value(look, [], "a"), "of a");
  const ids = await Promise.all(["a", "b", "c"].map((name) => runner.value(sandboxPid, [], name)));
  assertEquals(new Set(ids.map(String)).size, 3);
});

for (
  const [what, fn, options] of [
    ["a crash", () => Deno.exit(1), {}],
    ["a time-out", () => {
      for (;;);
    }, { timeout: "4s" }],
    ["memory exhaustion", () => {
      const all: unknown[] = [];
      const end = Date.now() + 4000;
      while (Date.now() < end) {
        if (all.length < 60) all.push(new Uint8Array(16 * 1024 * 1024).fill(1));
      }
    }, { memoryLimitMb: 64 }],
    ["nonsense in place of an answer", () => {
      // deno-lint-ignore no-explicit-any -- an internal of Deno
      (Deno as any)[(Deno as any).internal].core.print("nonsense, nonsense", false);
      return new Promise(() => {});
    }, {}],
  ] as const
) {
  Deno.test(`\`TransferRunner.run()\` starts a new sandbox after ${what}`, async () => {
    await using runner = new TestRunner(options);
    const before = await runner.value(sandboxPid);
    const other = await runner.value(sandboxPid, [], "other");
    assertInstanceOf(refusalIn(await runner.outcome(fn)), TransferError);
    const after = await runner.value(sandboxPid);
    assert(String(before) !== String(after));
    if ("timeout" in options) return; // idle sandboxes end after the same time
    assertEquals(await runner.value(sandboxPid, [], "other"), other);
  });
}

Deno.test("`TransferRunner.run()` lets at most `maxConcurrent` run at a time, in order", async () => {
  await using runner = new TestRunner({ maxConcurrent: 2 });
  const track = async (n: number) => {
    const realm = globalThis as { now?: number; most?: number; order?: number[] };
    realm.now = (realm.now ?? 0) + 1;
    realm.most = Math.max(realm.most ?? 0, realm.now);
    (realm.order ??= []).push(n);
    await new Promise((resolve) => setTimeout(resolve, 20));
    realm.now--;
  };
  await Promise.all(Array.from({ length: 9 }, (_, n) => runner.outcome(track, [n])));
  const seen = await runner.value(() => {
    const { most, order } = globalThis as { most?: number; order?: number[] };
    return [most, order];
  });
  assertEquals(seen, [2, [0, 1, 2, 3, 4, 5, 6, 7, 8]]);
});

Deno.test("`TransferRunner.run()` gives every sender its turn beside one that sends a lot", async () => {
  await using runner = new TestRunner({ maxConcurrent: 1 });
  const done: string[] = [];
  const run = (sender: string) => runner.outcome(sleep, [10], sender).then(() => done.push(sender));
  const greedy = Array.from({ length: 20 }, () => run("greedy"));
  await run("modest");
  assert(done.length <= 5, done.join());
  await Promise.all(greedy);
});

Deno.test(`\`TransferRunner.run()\` serves twenty senders with ${MAX_SANDBOXES} sandboxes`, async () => {
  await using runner = new TestRunner({ memoryLimitMb: 32 });
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, n) => runner.outcome(sleep, [100 + n], `sender ${n}`)),
  );
  assertEquals(outcomes.map(valueIn), Array.from({ length: 20 }, (_, n) => 100 + n));
});

Deno.test({
  name: `\`TransferRunner.run()\` never has more than ${MAX_SANDBOXES} processes`,
  ignore: Deno.build.os !== "linux", // /proc tells whose children there are
  async fn() {
    await using runner = new TestRunner({ memoryLimitMb: 32 });
    await runner.value(() => 1, [], "0"); // the program is loaded
    const before = children() - 1;
    const outcomes = Array.from({ length: 12 }, (_, n) => runner.outcome(sleep, [300], `${n}`));
    assertEquals(children() - before, MAX_SANDBOXES);
    await outcomes[0];
    assert(children() - before <= MAX_SANDBOXES + 4); // four that end, and those in their places
    await Promise.all(outcomes);
  },
});

/** How many processes this one has started, by any of its threads, that are not waited for yet. */
function children(): number {
  return [...Deno.readDirSync("/proc/self/task")]
    .map(({ name }) => Deno.readTextFileSync(`/proc/self/task/${name}/children`))
    .flatMap((pids) => pids.split(" ").filter((pid) => pid !== ""))
    .length;
}

Deno.test("`TransferRunner.run()` ends the idle sandbox that was used longest ago", async () => {
  await using runner = new TestRunner({ memoryLimitMb: 32 });
  const senders = Array.from({ length: MAX_SANDBOXES }, (_, n) => `sender ${n}`);
  const ids = new Map<string, string>();
  for (const sender of senders) ids.set(sender, String(await runner.value(sandboxPid, [], sender)));
  await runner.value(sandboxPid, [], "sender 0"); // used again
  await runner.value(sandboxPid, [], "one more");
  assertEquals(String(await runner.value(sandboxPid, [], "sender 0")), ids.get("sender 0"));
  assert(String(await runner.value(sandboxPid, [], "sender 1")) !== ids.get("sender 1"));
});

Deno.test("`TransferRunner.run()` does not run what was cancelled before its turn", async () => {
  await using runner = new TestRunner({ maxConcurrent: 1 });
  const first = runner.outcome(sleep, [100]);
  const cancel = new AbortController();
  const second = runner.outcome(
    () => void ((globalThis as { ran?: boolean }).ran = true),
    [],
    "sender",
    cancel.signal,
  );
  cancel.abort();
  assertEquals(valueIn(await first), 100);
  assertEquals(refusalIn(await second).executed, "never");
  assertEquals(await runner.value(() => "ran" in globalThis), false);
});

Deno.test("`TransferRunner.run()` refuses what one sender sends beyond the limit", async () => {
  await using runner = new TestRunner({ maxConcurrent: 1 });
  const never = () => new Promise(() => {});
  const waiting = Array.from({ length: MAX_WAITING_TRANSFERS + 1 }, () => runner.outcome(never));
  const error = refusalIn(await runner.outcome(never));
  assertInstanceOf(error, OverloadedError);
  assertEquals(error.executed, "never");
  const other = runner.outcome(never, [], "another sender"); // it may still wait
  await runner.runner.stop();
  for (const outcome of [...waiting, other]) refusalIn(await outcome);
});

/** How many processes are started while `use` is under way. */
async function startedBy(use: () => Promise<void>): Promise<number> {
  const { Command } = Deno;
  let started = 0;
  class CountingCommand extends Command {
    override spawn(): Deno.ChildProcess {
      started++;
      return super.spawn();
    }
  }
  const stand = (value: unknown) =>
    Object.defineProperty(Deno, "Command", { value, configurable: true, writable: true });
  stand(CountingCommand);
  try {
    await use();
  } finally {
    stand(Command);
  }
  return started;
}

const never = () => new Promise(() => {});

Deno.test("`TransferRunner.run()` counts the names of functions that wait", async () => {
  await using runner = new TestRunner({ maxConcurrent: 1 });
  const { signal } = new AbortController();
  const named = { source: "() => {}", name: "n".repeat(MAX_WAITING_BYTES / 2 + 1) };
  const wait = () => runner.runner.run(named, new Uint8Array(1), "a", signal);
  const running = runner.outcome(never);
  const waiting = [wait(), wait()];
  const error = refusalIn(await within("a refusal", wait(), 10_000));
  assertInstanceOf(error, OverloadedError);
  await runner.runner.stop();
  for (const outcome of await Promise.all([running, ...waiting])) refusalIn(outcome);
});

Deno.test("`TransferRunner.run()` refuses what would make those that wait too large together", async () => {
  await using runner = new TestRunner({ maxConcurrent: 1 });
  const args = new Uint8Array(MAX_WAITING_BYTES / 4 + 1); // never read, for none of these has its turn
  const { signal } = new AbortController();
  const wait = (sender: string, wanted: AbortSignal) =>
    runner.runner.run(sourceOf(never), args, sender, wanted);
  const running = runner.outcome(never);
  const cancel = new AbortController();
  const waiting = [
    ...["a", "a", "b"].map((sender) => wait(sender, signal)),
    wait("b", cancel.signal),
  ];
  const error = refusalIn(await within("a refusal", wait("c", signal), 10_000));
  assertInstanceOf(error, OverloadedError);
  assertMatch(error.message, /bytes wait for their turn, at most 268435456 may/);
  assertEquals(error.executed, "never");
  cancel.abort();
  refusalIn(await waiting[3]!);
  const late = wait("c", signal); // there is room again
  await runner.runner.stop();
  const outcomes = await Promise.all([running, ...waiting.slice(0, 3), late]);
  assertMatch(refusalIn(outcomes.at(-1)!).message, /stopping/);
});

Deno.test("`TransferRunner.run()` gives up at once what is cancelled while it waits, and starts nothing for it", async () => {
  await using runner = new TestRunner({ maxConcurrent: 1 });
  await runner.value(() => 1, [], "a"); // its sandbox is up
  const started = await startedBy(async () => {
    const [first, cancel] = [new AbortController(), new AbortController()];
    const running = runner.outcome(never, [], "a", first.signal);
    const waiting = runner.outcome(() => 1, [], "b", cancel.signal);
    const behind = runner.outcome(() => 1, [], "b", cancel.signal);
    cancel.abort();
    for (const outcome of [waiting, behind]) {
      const error = refusalIn(await outcome);
      assertMatch(error.message, /was not run: it is not wanted any more/);
      assertEquals(error.executed, "never");
    }
    const late = refusalIn(await runner.outcome(() => 1, [], "b", cancel.signal));
    assertEquals(late.executed, "never");
    first.abort();
    refusalIn(await running); // the place is free now, and nobody waits for it
  });
  assertEquals(started, 0);
});

Deno.test("`TransferRunner.leave()` gives up at once what waits of the sender, and starts nothing for it", async () => {
  await using runner = new TestRunner({ maxConcurrent: 1 });
  await runner.value(() => 1, [], "a");
  const started = await startedBy(async () => {
    const cancel = new AbortController();
    const running = runner.outcome(never, [], "a", cancel.signal);
    const waiting = [1, 2].map(() => runner.outcome(() => 1, [], "b"));
    runner.runner.leave("b");
    for (const outcome of waiting) {
      const error = refusalIn(await outcome);
      assertMatch(error.message, /sender has left/);
      assertEquals(error.executed, "never");
    }
    cancel.abort();
    refusalIn(await running);
  });
  assertEquals(started, 0);
});

Deno.test("`TransferRunner.leave()` starts nothing for what came before the first program was loaded", async () => {
  await using runner = new TestRunner();
  const started = await startedBy(async () => {
    const waiting = runner.outcome(() => 1, [], "b"); // it waits for the program
    runner.runner.leave("b");
    assertEquals(refusalIn(await waiting).executed, "never");
    assertEquals(await runner.value(() => 2, [], "c"), 2);
  });
  assertEquals(started, 1);
});

Deno.test("`TransferRunner.stop()` refuses thousands that wait, and ends what runs", async () => {
  await using runner = new TestRunner({ maxConcurrent: 1 });
  const never = () => new Promise(() => {});
  const outcomes = Array.from(
    { length: 20_000 },
    (_, n) => runner.outcome(never, [], `sender ${n % 40}`),
  );
  await runner.runner.stop();
  const messages = (await Promise.all(outcomes)).map((outcome) => refusalIn(outcome).message);
  assertMatch(messages[0]!, /stopping/);
  assert(messages.every((message) => message.includes("stopping")));
});

Deno.test("`TransferRunner.stop()` leaves no process behind when it comes right after `run()`", async () => {
  const runner = new TestRunner();
  const outcome = runner.outcome(() => 1);
  await runner.runner.stop();
  assertInstanceOf(refusalIn(await outcome), TransferError);
  const late = refusalIn(await runner.outcome(() => 1));
  assertMatch(late.message, /stopping/);
  assertEquals(late.executed, "never");
});

Deno.test("`TransferRunner.run()` runs nothing and says so when it denies", async () => {
  await using runner = new TestRunner("deny");
  const error = refusalIn(await runner.outcome(() => void Object.assign(globalThis, { ran: 1 })));
  assertInstanceOf(error, TransferError);
  assertMatch(error.message, /does not run functions that others send: .*transfer is "deny"/);
  assertEquals(error.executed, "never");
  assertEquals("ran" in globalThis, false);
});

Deno.test("`TransferRunner.run()` runs functions in its own process when it is inline", async () => {
  await using runner = new TestRunner("inline");
  try {
    const set = (value: number) => void Object.assign(globalThis, { inline: value });
    await runner.value(set, [5]);
    assertEquals((globalThis as { inline?: number }).inline, 5);
  } finally {
    Reflect.deleteProperty(globalThis, "inline");
  }
  assertEquals(await runner.value(async (n: number) => await Promise.resolve(n), [7]), 7);
  const outcome = await runner.outcome(() => {
    throw new RangeError("no");
  });
  assert("thrown" in outcome && outcome.thrown instanceof RangeError);
});

Deno.test("an inline function that takes longer than `timeout` is waited for no longer", async () => {
  await using runner = new TestRunner({ mode: "inline", timeout: 20 });
  const error = refusalIn(
    await runner.outcome(async function waits() {
      await new Promise((_, reject) => Object.assign(globalThis, { giveUp: reject }));
    }),
  );
  assertInstanceOf(error, TransferError);
  assertMatch(error.message, /waits did not finish: it ran longer than 20 ms, and .* goes on/);
  assertEquals(error.executed, "maybe");
  const { giveUp } = globalThis as { giveUp?: (reason: unknown) => void };
  giveUp!(new Error("too late for anybody to handle it"));
  Reflect.deleteProperty(globalThis, "giveUp");
  assertEquals(await runner.value(async (n: number) => await Promise.resolve(n), [7]), 7);
});

Deno.test("an inline function that nobody wants any more is waited for no longer", async () => {
  await using runner = new TestRunner("inline");
  const cancel = new AbortController();
  const running = runner.outcome(never, [], "sender", cancel.signal);
  cancel.abort();
  assertEquals(refusalIn(await running).executed, "maybe");
  const mark = () => void Object.assign(globalThis, { marked: true });
  assertEquals(
    refusalIn(await runner.outcome(mark, [], "sender", cancel.signal)).executed,
    "never",
  );
  assertEquals("marked" in globalThis, false);
});

Deno.test("an inline function gets the same errors as one in a sandbox", async () => {
  await using runner = new TestRunner("inline");
  const outer = 1;
  const missing = refusalIn(await runner.outcome(() => outer));
  assertMatch(missing.message, /uses outer, /);
  const unsent = refusalIn(await runner.outcome(() => () => 1));
  assertInstanceOf(unsent, EncodeError);
  assertEquals(unsent.executed, "yes");
});

for (const mode of ["sandbox", "inline"] as const) {
  Deno.test(`arguments that are no list of values keep a function from running: ${mode}`, async () => {
    await using runner = new TestRunner(mode === "inline" ? mode : {});
    const fn = sourceOf(() => void Object.assign(globalThis, { ran: 1 }));
    const bad = { nothing: [], garbage: [0xc1], "no list": [0x05], stream: [0x91, 0xd5, 9, 0, 1] };
    for (const [what, bytes] of Object.entries(bad)) {
      const { signal } = new AbortController();
      const running = runner.runner.run(fn, new Uint8Array(bytes), "sender", signal);
      const error = refusalIn(await within("the outcome", running, 20_000));
      assertInstanceOf(error, TransferError, what);
      assertMatch(error.message, /its arguments are no list/);
      assertEquals(error.executed, "never");
    }
    assertEquals(await runner.value(() => "ran" in globalThis), false);
  });
}

Deno.test("`TransferRunner.run()` says that nothing was run when a sandbox cannot be started for whatever reason", async () => {
  await using runner = new TestRunner({ permissions: { env: ["A=B"] } });
  const error = refusalIn(await runner.outcome(() => 1));
  assertInstanceOf(error, TransferError);
  assertEquals(error.executed, "never");
});
