/**
 * Which call is running here: context that follows a callback through its awaits.
 *
 * @module
 */

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
  /** Until when the caller waits, in epoch milliseconds. */
  readonly deadline: number | undefined;
  /** The same on the monotonic clock; `Infinity` for no limit. */
  readonly deadlineAt: number;
}

interface Storage {
  run<T>(scope: CallScope, fn: () => T): T;
  getStore(): CallScope | undefined;
}

/** Where there is no `AsyncLocalStorage` the scope lasts until the callback's first `await`. */
class SynchronousStorage implements Storage {
  #scope: CallScope | undefined;

  run<T>(scope: CallScope, fn: () => T): T {
    const outer = this.#scope;
    this.#scope = scope;
    try {
      return fn();
    } finally {
      this.#scope = outer;
    }
  }

  getStore(): CallScope | undefined {
    return this.#scope;
  }
}

function makeStorage(): Storage {
  // Not a static import: browsers have no `node:` modules.
  const { process } = globalThis as {
    process?: { getBuiltinModule?: (name: string) => { AsyncLocalStorage: new () => Storage } };
  };
  const hooks = process?.getBuiltinModule?.("node:async_hooks");
  return hooks === undefined ? new SynchronousStorage() : new hooks.AsyncLocalStorage();
}

const storage: Storage = makeStorage();

/** Runs `fn` as part of the call. */
export function runInScope<T>(scope: CallScope, fn: () => T): T {
  return storage.run(scope, fn);
}

/** The call that the running code is part of. */
export function currentScope(): CallScope | undefined {
  return storage.getStore();
}
