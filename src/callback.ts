/**
 * Registering callbacks, and what a running callback can know of its call.
 *
 * @module
 */

import { InitializationError } from "./errors.ts";
import type { Global } from "./global.ts";
import { type CallScope, currentScope } from "./internal/call_scope.ts";
import { show } from "./internal/show.ts";
import { type CallbackFunction, CallbackRegistry } from "./registry/callback_registry.ts";
import { markLocal } from "./registry/class_methods.ts";
import type { AnyFunction } from "./registry/registered_callback.ts";
import type { UntypedCallbacks } from "./remote_types.ts";

/** The callbacks of every `Global` that has no registry of its own. */
export const processCallbacks: CallbackRegistry = new CallbackRegistry();

/**
 * Registers a function, or the public methods of a class, so that other processes can call it by
 * name. The function or class stays usable as it is.
 *
 * The public methods of a class are those without leading `_` or `#` that are not marked
 * {@linkcode local}, inherited ones included, and those that TypeScript calls `private` or `protected`, because that is gone
 * when the program runs. Static methods answer at once, instance methods once the class has its one instance. Create
 * the instance from the class that `callback` returns: `const G = callback(Group); new G()`. Inside a decorated class
 * write `new this()`, because there the class's own name still means the undecorated class. A decorated class takes no
 * options; `callback(Group, { … })` does.
 *
 * An iterable among the arguments arrives as an async iterator. It ends with the call: a loop that goes on
 * after the answer gets a `CallCancelledError`, if the items had not come to their end. Like every error that nobody
 * catches, it ends the process, so wait for such a loop, or catch what it throws.
 *
 * @throws {InitializationError} when a function has no name, the name is another callback's, a class has
 * no public method, or an option is not valid; and when a second instance of the class is made.
 *
 * @example Functions
 * ```ts
 * import { callback } from "@daffi/core";
 *
 * const add = callback(function add(a: number, b: number) {
 *   return a + b;
 * });
 * callback("subtract", (a: number, b: number) => a - b);
 * callback(add, { name: "sum", concurrency: 4, timeout: "10s" });
 * console.log(add(1, 2)); // 3: an ordinary function here
 * ```
 *
 * @example A class
 * ```ts
 * import { callback, local } from "@daffi/core";
 *
 * @callback
 * class Counter {
 *   #count = 0;
 *   increase(by: number): number {
 *     return this.#count += by;
 *   }
 *   static describe(): string {
 *     return "counts";
 *   }
 *   @local
 *   reset(): void {
 *     this.#count = 0;
 *   }
 * }
 * new Counter();
 * ```
 */
export const callback: CallbackFunction = processCallbacks.callback;

/**
 * Decorator: keeps a method out of the callbacks of its class. It comes first: one before it may put another function
 * in the method's place.
 *
 * @throws {InitializationError} when it decorates something else.
 */
export function local<F extends AnyFunction>(
  method: F,
  context: ClassMethodDecoratorContext,
): void {
  if (context?.kind !== "method") {
    throw new InitializationError(
      `Cannot use @local on ${show(context?.kind ?? method)}: decorate a method instead`,
    );
  }
  markLocal(method);
}

/** What a running callback can know of its call. */
export interface CallContext<Remote = UntypedCallbacks> {
  /** The `Global` that runs the callback, to call on. */
  readonly g: Global<Remote>;
  /** Name of the process that called. */
  readonly caller: string;
  /** Name under which the callback was called. */
  readonly callbackName: string;
  /** The caller's number of the call. */
  readonly callId: number;
  /** Aborts when the result is not wanted any more: timeout, cancellation, or the caller is gone. */
  readonly signal: AbortSignal;
  /** Until when the caller waits, in whole epoch milliseconds; `undefined` if it waits longer than 49 days. */
  readonly deadline: number | undefined;
}

/**
 * The call that the running code is part of, also behind an `await`. Where there is no
 * `AsyncLocalStorage`, as in web pages, only until the callback's first `await`: keep it in a
 * variable there. From then on, calls do not inherit its deadline either.
 *
 * @returns The call, or `undefined` outside of a callback.
 *
 * @example A callback that calls on and can be cancelled
 * ```ts
 * import { callback, currentCall } from "@daffi/core";
 *
 * callback(async function report(year: number) {
 *   const { g, caller, signal } = currentCall()!;
 *   const rows = await g.call.rows(year).fg({ signal });
 *   return `${rows.length} rows for ${caller}`;
 * });
 * ```
 */
export function currentCall<Remote = UntypedCallbacks>(): CallContext<Remote> | undefined {
  const scope = currentScope();
  return scope && asContext(scope) as CallContext<Remote>;
}

/** Nothing but what is promised: it may be spread, or printed. */
function asContext(scope: CallScope): object {
  const { g, caller, callbackName, callId } = scope;
  return scope.shown ??= {
    ...{ g, caller, callbackName, callId },
    get signal() {
      return scope.signal;
    },
    get deadline() {
      return scope.deadline;
    },
  };
}
