/**
 * What the runtime has for context that follows code through its awaits.
 *
 * @module
 */

import { builtinModule } from "./builtin_module.ts";
import { provideStorage, type Storage } from "./call_scope.ts";

interface Hooks {
  readonly AsyncLocalStorage: new () => Storage;
}

let loading: Promise<void> | undefined;

/** Loads it, once. A program that only imports this module, or starts no node, does not wait for it. */
export function loadAsyncContexts(): Promise<void> {
  return loading ??= load();
}

async function load(): Promise<void> {
  const hooks = await asyncHooks();
  if (hooks !== undefined) provideStorage(new hooks.AsyncLocalStorage());
}

/** Deno has it at a third of the time that it takes to make `process`, which others have already. */
async function asyncHooks(): Promise<Hooks | undefined> {
  if ("Deno" in globalThis) return await import("node:async_hooks") as Hooks;
  return builtinModule<Hooks>("node:async_hooks");
}
