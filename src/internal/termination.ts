/**
 * What happens when the process is asked to end by SIGINT or SIGTERM.
 *
 * @module
 */

import { builtinModule } from "./builtin_module.ts";

/** How long the rest of the program has to finish once everything is stopped. */
const GRACE_MS = 200;

const stoppers = new Set<() => Promise<void>>();

/** What tells of signals: Deno, for which `process` takes long to make, or `process` in Node.js and Bun. */
interface Signals {
  readonly names: readonly string[];
  on(name: string, listener: () => void): void;
  off(name: string, listener: () => void): void;
}

/** The part of `node:process` that is used here. */
interface Process {
  readonly platform: string;
  on: Signals["on"];
  off: Signals["off"];
  exit(code: number): void;
}

const nodeProcess = () => builtinModule<Process>("node:process");

let signals: Signals | undefined;

function makeSignals(): Signals {
  if (typeof Deno !== "undefined" && Deno.addSignalListener !== undefined) {
    return {
      names: signalNames(Deno.build.os === "windows"),
      on: (name, listener) => Deno.addSignalListener(name as Deno.Signal, listener),
      off: (name, listener) => Deno.removeSignalListener(name as Deno.Signal, listener),
    };
  }
  const process = nodeProcess();
  if (process === undefined) return { names: [], on() {}, off() {} }; // in a page
  return {
    names: signalNames(process.platform === "win32"),
    on: (name, listener) => process.on(name, listener),
    off: (name, listener) => process.off(name, listener),
  };
}

function signalNames(onWindows: boolean): string[] {
  return ["SIGINT", onWindows ? "SIGBREAK" : "SIGTERM"];
}

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
    signals ??= makeSignals();
    for (const name of signals.names) signals.on(name, terminate);
  }
  stoppers.add(stop);
  return () => {
    if (stoppers.delete(stop) && stoppers.size === 0) removeListeners();
  };
}

function removeListeners(): void {
  for (const name of signals!.names) signals!.off(name, terminate);
}

async function terminate(): Promise<void> {
  const all = [...stoppers];
  stoppers.clear();
  removeListeners();
  await Promise.all(all.map((stop) => stop()));
  setTimeout(() => nodeProcess()!.exit(0), GRACE_MS);
}
