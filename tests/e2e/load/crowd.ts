/**
 * A process with many nodes.
 *
 * @module
 */

import { CallbackRegistry, currentCall, Global, type GlobalOptions } from "../../../mod.ts";
import { argument, emit } from "../fixtures/program.ts";

/** What the test gives a crowd. */
export interface CrowdSetting {
  options: GlobalOptions;
  names: string[];
  /** How many processes there are in all. */
  total: number;
}

/** What it may be asked for by the test, on its standard input. */
export type CrowdCommand =
  | { do: "see" }
  | { do: "call"; names: readonly string[]; calls: number };

const { options, names, total } = argument<CrowdSetting>();
const callbacks = new CallbackRegistry();
let heard = 0;
callbacks.callback("who", () => (currentCall()!.g as Global).processName);
callbacks.callback("hear", (_: string) => void heard++);
callbacks.callback("heard", () => heard);

let connected = 0;
const crowd: Global[] = [];
for (const processName of names) {
  crowd.push(
    new Global({
      ...options,
      processName,
      callbacks,
      onNodeConnect: () => void connected++,
      logger: { warn() {}, error: console.error },
    }),
  );
}
await Promise.all(crowd.map((g) => g.ready));
emit("ready");

const pause = () => new Promise((resolve) => setTimeout(resolve, 20));

/** Waits until each of them sees all others. */
async function see(): Promise<void> {
  for (const g of crowd) {
    while (Object.keys(g.registeredCallbacks).length < total - 1) await pause();
  }
  emit("sees", {
    connected,
    heapBytes: Deno.memoryUsage().heapUsed,
    rssBytes: Deno.memoryUsage().rss,
  });
}

/** Calls random ones of the others, from random ones of the own. */
async function call(others: readonly string[], calls: number): Promise<void> {
  const one = <T>(list: readonly T[]) => list[Math.floor(Math.random() * list.length)]!;
  let wrong = 0;
  const attempt = async () => {
    const g = one(crowd);
    const to = one(others);
    if (to !== g.processName && await g.call.who().fg({ to, timeout: "30s" }) !== to) wrong++;
  };
  for (let left = calls; left > 0; left -= 100) {
    await Promise.all(Array.from({ length: Math.min(left, 100) }, attempt));
  }
  emit("called", { wrong });
}

let rest = "";
for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
  const lines = (rest + text).split("\n");
  rest = lines.pop()!;
  for (const line of lines) {
    const command = JSON.parse(line) as CrowdCommand;
    if (command.do === "see") void see();
    else void call(command.names, command.calls);
  }
}
