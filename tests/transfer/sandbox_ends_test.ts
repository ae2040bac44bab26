import { assert, assertEquals, assertInstanceOf, assertMatch } from "@std/assert";
import { TransferError } from "../../src/errors.ts";
import { FakeTime } from "../helpers/fake_time.ts";
import { refusalIn, TestSandbox } from "./sandboxes.ts";

const ENDS: Record<string, [() => unknown, RegExp]> = {
  "Deno.exit(3)": [() => Deno.exit(3), /ended with code 3/],
  "Deno.exit()": [() => Deno.exit(), /ended with code 0/],
  "process.exit(4)": [async () => (await import("node:process")).exit(4), /ended with code 4/],
  "process.abort()": [async () => (await import("node:process")).abort(), /SIGABRT|aborted/],
  "closing standard input": [() => {
    Deno.stdin.close();
    return new Promise(() => {});
  }, /ended with code 0|closed its pipes/],
};

for (const [what, [fn, message]] of Object.entries(ENDS)) {
  Deno.test(`${what} in a function ends its sandbox, and the reason is told`, async () => {
    await using sandbox = new TestSandbox();
    const error = await sandbox.refusal(fn);
    assertInstanceOf(error, TransferError);
    assertMatch(error.message, message);
    assertEquals(error.executed, "maybe");
    await sandbox.ended();
  });
}

Deno.test("`Sandbox.run()` runs nothing that is not wanted any more, nor once the sandbox is ended", async () => {
  await using sandbox = new TestSandbox();
  const unwanted = refusalIn(await sandbox.outcome(() => 1, [], AbortSignal.abort()));
  sandbox.sandbox.kill("no more of this");
  for (const error of [unwanted, await sandbox.refusal(() => 1)]) {
    assertMatch(error.message, /was not run/);
    assertEquals(error.executed, "never");
  }
});

Deno.test("a sandbox is ended when the last function that runs in it is not wanted any more", async () => {
  await using sandbox = new TestSandbox();
  const never = () => new Promise(() => {});
  const cancels = [new AbortController(), new AbortController()];
  const outcomes = cancels.map(({ signal }) => sandbox.outcome(never, [], signal));
  const alive = cancels.map((cancel) => (cancel.abort(), sandbox.sandbox.alive));
  assertEquals(alive, [true, false]);
  for (const outcome of await Promise.all(outcomes)) refusalIn(outcome);
});

Deno.test("a sandbox that is not up after ten seconds is ended, and has run nothing", async () => {
  using time = new FakeTime();
  await using sandbox = new TestSandbox({}, "setTimeout(() => {}, 60_000)");
  const refusal = sandbox.refusal(() => 1);
  await time.tickAsync(9_999);
  assertEquals(sandbox.sandbox.alive, true);
  await time.tickAsync(1);
  const { message, executed } = await refusal;
  assertMatch(message, /it did not start/);
  assertEquals(executed, "never");
});

Deno.test("garbage of functions that are done is no memory of the next ones", async () => {
  await using sandbox = new TestSandbox({ memoryLimitMb: 64 });
  const use = (bytes: number) => new Uint8Array(bytes).fill(1).map((byte) => byte + 1).length;
  for (let times = 0; times < 30; times++) {
    assertEquals(await sandbox.value(use, 20 * 1024 * 1024), 20 * 1024 * 1024);
  }
  // Nor can a function collect it: what the sandbox does it with is not left to them.
  assertEquals(await sandbox.value(() => (globalThis as { gc?: unknown }).gc), undefined);
});

Deno.test("closing standard output in a function ends its sandbox at the latest at the time-out", async () => {
  await using sandbox = new TestSandbox({ timeout: "500ms" });
  await sandbox.refusal(() => {
    // deno-lint-ignore no-explicit-any -- an internal of Deno
    (Deno as any)[(Deno as any).internal].core.close(1);
    return new Promise(() => {});
  });
  await sandbox.ended();
});

const LEFT_BEHIND: Record<string, () => unknown> = {
  "a rejection that nobody handles": () => {
    Promise.reject(new Error("left behind"));
  },
  "an error in a timer": () => {
    setTimeout(() => {
      throw new Error("left behind");
    }, 0);
  },
  "an error in a microtask": () => {
    queueMicrotask(() => {
      throw new Error("left behind");
    });
  },
  "a rejection after its result": () => {
    setTimeout(() => void Promise.reject(new Error("left behind")), 1);
  },
  "a promise that never settles": () => {
    new Promise(() => {});
  },
  "a timer that goes on": () => {
    setInterval(() => {}, 1);
  },
  "a listener that throws": () => {
    addEventListener("unhandledrejection", () => {
      throw new Error("left behind");
    });
    Promise.reject(new Error("left behind"));
  },
};

Deno.test("what a function leaves behind does not harm the next ones", async (t) => {
  await using sandbox = new TestSandbox();
  for (const [what, fn] of Object.entries(LEFT_BEHIND)) {
    await t.step(what, async () => {
      await sandbox.value(fn);
      const wait = (ms: number) => new Promise((resolve) => setTimeout(() => resolve(ms), ms));
      assertEquals(await sandbox.value(wait, 50), 50);
      assertEquals(await sandbox.value(() => 1), 1);
    });
  }
});

const BUSY: Record<string, () => unknown> = {
  "a loop in a timer": () => {
    setTimeout(() => {
      for (;;);
    }, 0);
  },
  "a thread": async () => {
    const { Worker } = await import("node:worker_threads");
    new Worker("for (;;);", { eval: true });
  },
  "a promise that never rests": () => {
    (async () => {
      for (;;) await new Promise((resolve) => setTimeout(resolve, 0));
    })();
  },
};

for (const [what, fn] of Object.entries(BUSY)) {
  Deno.test(`${what} that a function leaves behind ends with its sandbox after the time-out`, async () => {
    await using sandbox = new TestSandbox({ timeout: "500ms" });
    await sandbox.outcome(fn);
    await sandbox.ended();
  });
}

/** Keeps a sandbox busy with functions that are quick, and gives why one of them was not run to its end. */
async function whyEnded(sandbox: TestSandbox): Promise<string> {
  const wait = (ms: number) => new Promise((resolve) => setTimeout(() => resolve(ms), ms));
  let refusal: string | undefined;
  const lane = async () => {
    for (let n = 0; n < 100 && refusal === undefined; n++) {
      const outcome = await sandbox.outcome(wait, [50]);
      if ("refused" in outcome) refusal ??= outcome.refused.message;
    }
  };
  await Promise.all([lane(), wait(25).then(lane)]); // so that there is always one
  return refusal ?? "none";
}

Deno.test("a function that is cancelled and goes on ends its sandbox when its time is over", async () => {
  const endless = async () => {
    for (;;) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  for (const when of ["before the sandbox is up", "after that"]) {
    await using sandbox = new TestSandbox({ timeout: "500ms" });
    if (when === "after that") await sandbox.value(() => 1);
    const cancel = new AbortController();
    const cancelled = sandbox.outcome(endless, [], cancel.signal);
    const ended = whyEnded(sandbox);
    cancel.abort();
    assertMatch(refusalIn(await cancelled).message, /not wanted any more/);
    assertMatch(await ended, /longer than 500 ms/, when);
    await sandbox.ended();
  }
});

Deno.test("thousands of functions that are cancelled end their sandbox", async () => {
  await using sandbox = new TestSandbox();
  const never = () => new Promise(() => {});
  const running = sandbox.outcome(never);
  const outcomes = Array.from({ length: 1_001 }, () => {
    const cancel = new AbortController();
    const outcome = sandbox.outcome(never, [], cancel.signal);
    cancel.abort();
    return outcome;
  });
  assertMatch(refusalIn(await running).message, /too much in it is not wanted any more/);
  for (const outcome of await Promise.all(outcomes)) refusalIn(outcome);
  await sandbox.ended();
});

Deno.test("what functions print is logged with their sender, without control characters", async () => {
  await using sandbox = new TestSandbox();
  await sandbox.value(async () => {
    console.log("one", { n: 1 });
    console.error("\x1b[31mred\x1b[0m\x07\r");
    console.count("two");
    console.table([1]);
    console.dirxml("three");
    console.time("t");
    console.timeLog("t");
    console.timeEnd("t");
    console.clear();
    const { default: process } = await import("node:process");
    process.stdout.write("four\n");
    Deno.stdout.writeSync(new TextEncoder().encode("five\n"));
    await new Promise((resolve) => setTimeout(resolve, 20));
  });
  assertEquals(await sandbox.value(() => 1), 1);
  sandbox.sandbox.kill("it has said what it had to say");
  await sandbox.ended();
  for (const text of ["one { n: 1 }", "red", "two", "three", "four", "five"]) {
    assert(sandbox.logger.has(text), `${text} in ${sandbox.logger.lines}`);
  }
  for (const line of sandbox.logger.lines) {
    // deno-lint-ignore no-control-regex -- these must not be there
    assertEquals(/[\x00-\x1f\x7f-\x9f]/.test(line), false, line);
    assertMatch(line, /a function of "sender" says: /);
  }
});

Deno.test("what functions throw when they are done is logged, and harms nobody", async () => {
  await using sandbox = new TestSandbox();
  await sandbox.value(() => {
    setTimeout(() => {
      throw new Error("thrown late");
    });
    Promise.reject(new Error("rejected late"));
    const vicious = new Error();
    Object.defineProperty(vicious, "stack", {
      get() {
        throw vicious;
      },
    });
    Promise.reject(vicious);
  });
  const rest = () => new Promise((resolve) => setTimeout(resolve, 20, "well"));
  assertEquals(await sandbox.value(rest), "well");
  sandbox.sandbox.kill("it has said what it had to say");
  await sandbox.ended();
  for (const text of ["thrown late", "rejected late"]) {
    assert(sandbox.logger.has(text), `${text} in ${sandbox.logger.lines}`);
  }
});

Deno.test("a function that prints without end fills no log and gets its result", async () => {
  await using sandbox = new TestSandbox();
  const flood = () => {
    for (let i = 0; i < 20_000; i++) console.log("x".repeat(1000));
    return "done";
  };
  assertEquals(await sandbox.value(flood), "done");
  assert(sandbox.logger.lines.length <= 101, `${sandbox.logger.lines.length} lines`);
  assert(sandbox.logger.lines.every((line) => line.length < 300));
});
