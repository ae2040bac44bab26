/**
 * What happens when the process is asked to end by SIGINT or SIGTERM.
 *
 * @module
 */

import { builtinModule } from "./builtin_module.ts";

/** How long the rest of the program has to finish once everything is stopped. */
const GRACE_MS = 200;

const stoppers = new Set<() => Promise<void>>();

/** The part of `node:process` that is used here; Deno, Node.js and Bun have it. */
interface Process {
  readonly platform: string;
  on(signal: string, listener: () => void): void;
  off(signal: string, listener: () => void): void;
  exit(code: number): void;
}

const process = builtinModule<Process>("node:process");

/** None where there are no signals, as in a page. */
const signals: readonly string[] = process === undefined
  ? []
  : process.platform === "win32"
  ? ["SIGINT", "SIGBREAK"]
  : ["SIGINT", "SIGTERM"];

/**
 * Has `stop` called when the process is asked to end. Once all that asked for it have stopped, and
 * what waits for that had a moment to finish, the process ends with code 0. A second signal ends it
 * at once, as signals do by default.
 *
 * @param stop Stops something; must not reject.
 * @returns Takes it back.
 */
export function onTermination(stop: () => Promise<void>): () => void {
  if (stoppers.size === 0) {
    for (const name of signals) process!.on(name, terminate);
  }
  stoppers.add(stop);
  return () => {
    if (stoppers.delete(stop) && stoppers.size === 0) removeListeners();
  };
}

function removeListeners(): void {
  for (const name of signals) process!.off(name, terminate);
}

async function terminate(): Promise<void> {
  const all = [...stoppers];
  stoppers.clear();
  removeListeners();
  await Promise.all(all.map((stop) => stop()));
  setTimeout(() => process!.exit(0), GRACE_MS);
}
