/**
 * Which call is running here: context that follows a callback through its awaits.
 *
 * @module
 */

import { builtinModule } from "./builtin_module.ts";

/** What a running callback can know of its call. */
export interface CallScope {
  /** The `Global` that runs the callback. */
  readonly g: unknown;
  /** Name of the process that called. */
  readonly caller: string;
  /** Name of the callback. */
  readonly callbackName: string;
  /** The caller's number of the call. */
  readonly callId: number;
  /** Aborts when the caller does not want the result any more. */
  readonly signal: AbortSignal;
  /** Until when the caller waits, in whole epoch milliseconds. */
  readonly deadline: number | undefined;
  /** The same on the monotonic clock; `Infinity` for no limit. */
  readonly deadlineAt: number;
}

/** What code belongs to, wherever its awaits take it. */
interface AsyncContext {
  /** `undefined` where nothing runs as part of a call. */
  scope: CallScope | undefined;
}

interface Storage {
  run<T>(context: AsyncContext, fn: () => T): T;
  enterWith(context: AsyncContext): void;
  getStore(): AsyncContext | undefined;
}

/** Where there is no `AsyncLocalStorage` the scope lasts until the callback's first `await`. */
class SynchronousStorage implements Storage {
  #context: AsyncContext | undefined;

  run<T>(context: AsyncContext, fn: () => T): T {
    const outer = this.#context;
    this.#context = context;
    try {
      return fn();
    } finally {
      this.#context = outer;
    }
  }

  enterWith(): void {}

  getStore(): AsyncContext | undefined {
    return this.#context;
  }
}

function makeStorage(): Storage {
  const hooks = builtinModule<{ AsyncLocalStorage: new () => Storage }>("node:async_hooks");
  return hooks === undefined ? new SynchronousStorage() : new hooks.AsyncLocalStorage();
}

const storage: Storage = makeStorage();
/** The call whose callback is on the stack, if it runs without a context of its own. */
let onStack: CallScope | undefined;

/** Runs `fn`, and what it leaves behind, as part of the call. */
export function runInScope<T>(scope: CallScope, fn: () => T): T {
  return runIn({ scope }, fn);
}

/** Runs `fn` as part of no call, wherever this is called. */
export function runOutside<T>(fn: () => T): T {
  return runIn({ scope: undefined }, fn);
}

/** Runs `fn` as part of the call until it is done: with what it leaves behind only if it gives a promise. */
export function runToItsEnd<T>(scope: CallScope, fn: () => T): T {
  const context: AsyncContext = { scope };
  let isDone = true;
  try {
    const result = runIn(context, fn);
    isDone = !(result instanceof Promise);
    return result;
  } finally {
    if (isDone) context.scope = undefined;
  }
}

function runIn<T>(context: AsyncContext, fn: () => T): T {
  const outer = onStack;
  onStack = undefined;
  try {
    return storage.run(context, fn);
  } finally {
    onStack = outer;
  }
}

/**
 * Runs `fn` as part of the call until it returns. A context of its own costs more than all the rest
 * of a small call; a callback that is done when it returns does not need one.
 */
export function runOnStack<T>(scope: CallScope, fn: () => T): T {
  const outer = onStack;
  onStack = scope;
  try {
    return fn();
  } finally {
    onStack = outer;
  }
}

/** From here on this asynchronous function has a context that no call has: {@linkcode keepScope}. */
export function enterSpareContext(): void {
  storage.enterWith({ scope: undefined });
}

/**
 * What was run by {@linkcode runOnStack} just now was not done when it returned: the spare context,
 * in which it has left something behind, becomes the call's own until that is settled. Not longer: what others
 * have left behind in it is no part of this call.
 */
export function keepScope<T>(scope: CallScope, result: Promise<T>): Promise<T> {
  const context = storage.getStore();
  if (context === undefined || context.scope !== undefined) return result;
  context.scope = scope;
  enterSpareContext();
  return result.finally(() => context.scope = undefined);
}

/** The call that the running code is part of. */
export function currentScope(): CallScope | undefined {
  return onStack ?? storage.getStore()?.scope;
}
