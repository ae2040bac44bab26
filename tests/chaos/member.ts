/**
 * A process of the chaos run. It does what it is told on its standard input.
 *
 * @module
 */

import { liveTimers } from "./counted_timers.ts";
import { CallbackRegistry, currentCall, Global, type GlobalOptions } from "../../mod.ts";
import { argument, emit } from "../e2e/fixtures/program.ts";
import { Journal } from "./journal.ts";
import { Workload } from "./workload.ts";

/** What the run gives a process when it starts it. */
export interface MemberSetting {
  options: GlobalOptions;
  journal: string;
  /** The process's name and which of its lives it is. */
  life: string;
  names: string[];
  seed: number;
}

/** What the run tells a process. */
export type Command = { do: "work" | "rest" | "see" | "check" };

const { options, journal: path, life, names, seed } = argument<MemberSetting>();
const journal = new Journal(path);
const callbacks = new CallbackRegistry();
const { callback } = callbacks;

const begun = (id: string) => journal.write("run", id);
callback("run", (id: string) => {
  begun(id);
  return id;
});
callback("size", (id: string, bytes: Uint8Array) => {
  begun(id);
  return bytes.length;
});
callback("slow", async (id: string, ms: number) => {
  begun(id);
  const { signal } = currentCall()!;
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
});
callback("items", (id: string, count: number) => {
  begun(id); // here, for a generator's body does not begin before it is read
  return numbers(count);
});
callback("count", async (id: string, items: AsyncIterable<number>) => {
  begun(id);
  let count = 0;
  for await (const item of items) {
    if (item !== count++) throw new TypeError(`${item} came instead of ${count - 1}`);
  }
  return count;
});
callback("relay", async (id: string) => {
  begun(id);
  await workload.relay();
});

const g = new Global({ ...options, callbacks });
const workload = new Workload(g, journal, life, names, seed);
await g.ready;

function* numbers(count: number): Generator<number> {
  for (let i = 0; i < count; i++) yield i;
}

/** Memory and what hangs around, when nothing goes on. */
async function report(): Promise<void> {
  const { gc } = globalThis as unknown as { gc: () => void };
  for (let i = 0; i < 20 && (i < 3 || g.stats.runningCalls > 0); i++) {
    gc();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  const { pendingCalls, runningCalls } = g.stats;
  emit("rested", {
    timers: liveTimers(),
    files: Deno.build.os === "linux" ? [...Deno.readDirSync("/proc/self/fd")].length : 0,
    heapBytes: Deno.memoryUsage().heapUsed,
    pendingCalls,
    runningCalls,
  });
}

async function obey(command: Command): Promise<void> {
  switch (command.do) {
    case "work":
      return workload.work();
    case "rest":
      await workload.rest();
      return await report();
    case "see": {
      const others = names.filter((name) => name !== g.processName);
      const sees = () => others.every((name) => g.registeredCallbacks[name]?.includes("relay"));
      while (!sees()) await new Promise((resolve) => setTimeout(resolve, 5));
      return emit("sees");
    }
    case "check":
      return emit("checked", { problems: await workload.check() });
  }
}

async function listen(): Promise<void> {
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) obey(JSON.parse(line));
  }
}

void listen();
emit("ready");
await g.join();
emit("stopped");
Deno.exit(0); // it still listens to what it is told
