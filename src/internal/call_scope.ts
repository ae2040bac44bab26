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
  /** Until when the caller waits, in whole epoch milliseconds. */
  readonly deadline: number | undefined;
  /** The same on the monotonic clock; `Infinity` for no limit. */
  readonly deadlineAt: number;
  /** What `currentCall()` has given of it. */
  shown?: object | undefined;
  /** Where it runs, if it has an asynchronous context of its own. */
  asyncContext?: AsyncContext | undefined;
}

/** What code belongs to, wherever its awaits take it. */
export interface AsyncContext {
  /** `undefined` where nothing runs as part of a call. */
  scope: CallScope | undefined;
}

/** The part of an `AsyncLocalStorage` that is used here. */
export interface Storage {
  run<T>(context: AsyncContext, fn: () => T): T;
  enterWith(context: AsyncContext): void;
  getStore(): AsyncContext | undefined;
}

/** Where there is none, as in a page, a scope lasts until the callback's first `await`. */
let storage: Storage | undefined;
/** The call whose callback is on the stack, if it runs without a context of its own. */
let onStack: CallScope | undefined;

/** Has scopes follow callbacks through their awaits. Called before the first of them runs. */
export function provideStorage(provided: Storage): void {
  storage = provided;
}

/** Runs `fn`, and what it leaves behind until {@linkcode endScope}, as part of the call. */
export function runInScope<T>(scope: CallScope, fn: () => T): T {
  const context = scope.asyncContext ??= { scope };
  return runIn(context, fn);
}

/** Gives what runs code as part of the call that runs here now, until that is over, or of none. */
export function boundToScope(): <T>(fn: () => T) => T {
  const scope = currentScope();
  if (scope === undefined) return runOutside;
  const context = scope.asyncContext ??= { scope };
  return (fn) => runIn(context, fn);
}

/** Runs `fn` as part of no call, wherever this is called. */
export function runOutside<T>(fn: () => T): T {
  return runIn({ scope: undefined }, fn);
}

/** The call is over: what it has left behind, a timer for example, is part of no call from now on. */
export function endScope({ asyncContext }: CallScope): void {
  if (asyncContext !== undefined) asyncContext.scope = undefined;
}

function runIn<T>(context: AsyncContext, fn: () => T): T {
  if (storage === undefined) return runOnStack(context.scope, fn);
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
export function runOnStack<S extends CallScope | undefined, T>(scope: S, fn: (scope: S) => T): T {
  const outer = onStack;
  onStack = scope;
  try {
    return fn(scope);
  } finally {
    onStack = outer;
  }
}

/** From here on this asynchronous function has a context that no call has: {@linkcode keepScope}. */
export function enterSpareContext(): void {
  storage?.enterWith({ scope: undefined });
}

/**
 * What was run by {@linkcode runOnStack} just now was not done when it returned: the spare context,
 * in which it has left something behind, becomes the call's own until {@linkcode endScope}. Not longer: what
 * others have left behind in it is no part of this call. (Until then it is taken for one, once for each callback: a
 * context of its own for each call would cost more than all the rest.)
 */
export function keepScope(scope: CallScope): void {
  const context = storage?.getStore();
  if (context === undefined || context.scope !== undefined) return;
  context.scope = scope;
  scope.asyncContext = context;
  enterSpareContext();
}

/** The call that the running code is part of. */
export function currentScope(): CallScope | undefined {
  return onStack ?? storage?.getStore()?.scope;
}
