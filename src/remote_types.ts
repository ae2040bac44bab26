/**
 * How remote callbacks look to the compiler.
 *
 * @module
 */

import type { AsyncResult } from "./async_result.ts";
import type {
  BgOptions,
  BroadcastOptions,
  FgOptions,
  Modifier,
  NoReturnOptions,
  PeriodOptions,
  StreamOptions,
} from "./modifiers.ts";
import type { AnyClass, AnyFunction } from "./registry/registered_callback.ts";
import type { ScheduledTask } from "./scheduled_task.ts";

/** A call of which only a stream can be made: its argument is an iterable of items. */
export interface StreamCall {
  /**
   * Has the callback run once for each item of the one argument, on every process that offers it.
   *
   * @throws {InitializationError} when an option is not valid, or the argument is no iterable.
   * @throws {BroadcastError} when some processes failed.
   * @throws {DaffiError} as {@linkcode RemoteCall.fg}, when it fails as a whole; and what the iterable throws.
   */
  stream(options?: StreamOptions): Promise<void>;
  /** The same by the modifier `STREAM`. */
  exec(modifier: Modifier<"stream">): Promise<void>;
  /** Not to be awaited: that would call once, with the iterable as the argument. */
  then(use: never): never;
}

/**
 * A call that is described but not made. It is made when it is awaited, iterated, or given an
 * execution modifier; each time anew. An iterator among its arguments is for one call, and ended with it. It goes where
 * a promise is wanted: `then`, `catch` and `finally` make it too.
 */
export interface RemoteCall<T> extends Promise<T>, AsyncIterable<ItemOf<T>> {
  /**
   * Foreground: waits for the result.
   *
   * @throws {RemoteCallError} when the callback throws.
   * @throws {CallbackNotFoundError} when nobody offers it, or `to` does not.
   * @throws {ProcessNotFoundError} when `to` is not connected.
   * @throws {CallTimeoutError} when the time is over.
   * @throws {CallCancelledError} when `signal` aborts, or the process that runs it stops.
   * @throws {PeerLostError} when that process, or the connection, is lost.
   * @throws {EncodeError} when an argument or the result cannot travel.
   * @throws {ValidationError} when the arguments or the result do not fit the callback's schema.
   * @throws {OverloadedError} when a bounded queue is full.
   * @throws {AuthenticationError} when `authorize` does not allow it.
   * @throws {InitializationError} when an option is not valid, or the callback's class has no instance.
   * @throws {GlobalContextError} when there is no Node, or it is stopped.
   */
  fg(options?: FgOptions): Promise<T>;
  /**
   * Background: gives a future at once, whose `get()` throws what {@linkcode RemoteCall.fg} does.
   *
   * @throws {InitializationError} at once when an option is not valid.
   */
  bg(options?: BgOptions): AsyncResult<T>;
  /**
   * Wants no result. Settles when the call is handed to the transport, or at once if there is an iterable among its
   * arguments, and never rejects: failures are logged and counted. While there is no connection it waits for one, however
   * long that takes and whatever `defaultTimeout` is, as long as there is room for those that wait.
   *
   * @throws {InitializationError} at once when an option is not valid.
   */
  noReturn(options?: NoReturnOptions): Promise<void>;
  /**
   * Calls every process that offers the callback and gives their results, or streams, by process name.
   *
   * @throws {BroadcastError} when some failed.
   * @throws {DaffiError} as {@linkcode RemoteCall.fg}, when it fails as a whole.
   */
  broadcast(options: BroadcastOptions & { returnResult: true }): Promise<Record<string, T>>;
  /**
   * Calls every process that offers the callback.
   *
   * @throws {DaffiError} as {@linkcode RemoteCall.fg}, when it cannot be sent (with iterables, at once); not what fails elsewhere.
   */
  broadcast(options?: BroadcastOptions & { returnResult?: false }): Promise<void>;
  /** Calls every process that offers the callback. */
  broadcast(options?: BroadcastOptions): Promise<Record<string, T> | void>;
  /**
   * Has another process run the callback by itself, at an interval, at given times or by cron.
   *
   * @throws {InitializationError} when an option is not valid; nothing is sent then, but from a page a cron expression is.
   * @throws {DaffiError} as {@linkcode RemoteCall.fg}; with code `TASK` if it cannot be kept there.
   */
  period(options: PeriodOptions): Promise<ScheduledTask>;
  /**
   * Makes the call with a modifier as a value: as the method of its name, errors included.
   *
   * @throws {InitializationError} at once when it is no modifier, or an option of `BG` or `NO_RETURN` is not valid.
   */
  exec(modifier: Modifier<"period">): Promise<ScheduledTask>;
  /** Makes the call with a modifier as a value. */
  exec(modifier: Modifier<"bg">): AsyncResult<T>;
  /** Makes the call with a modifier as a value. */
  exec(modifier: Modifier<"noReturn">): Promise<void>;
  /** Makes the call with a modifier as a value. */
  exec(
    modifier: Modifier<"broadcast", BroadcastOptions & { returnResult: true }>,
  ): Promise<Record<string, T>>;
  /** Makes the call with a modifier as a value. */
  exec(modifier: Modifier<"broadcast", BroadcastOptions & { returnResult?: false }>): Promise<void>;
  /** Makes the call with a modifier as a value. */
  exec(modifier: Modifier<"broadcast">): Promise<Record<string, T> | void>;
  /** Makes the call with a modifier as a value. */
  exec(modifier: Modifier<"fg">): Promise<T>;
}

/** A call whose one argument is an iterable: of that itself, or as a stream of its items. */
export type StreamableCall<T> = RemoteCall<T> & Pick<StreamCall, "stream" | "exec">;

/** What gives items and yet travels as a value. Everything else that gives items arrives as an async iterator. */
export type ValueWithItems =
  | string
  | readonly unknown[]
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | ArrayBufferView;

/**
 * What a call gives: a generator or another iterator arrives as an async one, a promise as what it resolves to. What
 * is an `Iterable` and no more may be either: `for await` reads both.
 */
export type ResultOf<R> = Awaited<R> extends infer T
  // deno-lint-ignore no-explicit-any -- an untyped result stays untyped
  ? 0 extends 1 & T ? any
  : T extends AsyncIterable<infer Item> | IterableIterator<infer Item> ? AsyncIterableIterator<Item>
  : T extends ValueWithItems ? T
  : T extends Iterable<infer Item> ? Iterable<Item> | AsyncIterableIterator<Item>
  : T
  : never;

/** What `for await` over a call gives. */
export type ItemOf<T> =
  // deno-lint-ignore no-explicit-any -- an untyped result has untyped items
  0 extends 1 & T ? any
    : T extends string ? never
    : T extends AsyncIterable<infer Item> | Iterable<infer Item> ? Item
    : never;

/**
 * What a caller may give for an argument. Where the callback takes an async iterable, a generator is read item by item;
 * where it takes an iterable that is not async, only what travels as a value is one over there.
 */
export type SentAs<A, Whole = A> = A extends AsyncIterable<infer Item> ? A | IterableIterator<Item>
  : A extends ValueWithItems ? A
  : A extends Iterable<unknown>
    ? [Extract<Whole, AsyncIterable<unknown>>] extends [never] ? A & ValueWithItems : A
  : A;

/** The arguments of a callback as its callers give them; a call in place of one is made first. */
export type ArgumentsOf<A extends readonly unknown[]> = {
  [I in keyof A]: SentAs<A[I]> | RemoteCall<A[I]>;
};

/** The items of a stream to a callback that takes them one by one. */
export type ItemsFor<Item> = object & (Iterable<Item> | AsyncIterable<Item>);

/**
 * A callback as its callers see it. One that can be called with one argument can be streamed to, and if that is an
 * iterable itself, called or streamed to with the same.
 */
export type RemoteFunction<F> = F extends (...args: infer A) => infer R ? [item: A[0]] extends A ?
      & ([ItemsFor<A[0]> & SentAs<A[0]>] extends [never] ? unknown
        : (items: ItemsFor<A[0]> & SentAs<A[0]>) => StreamableCall<ResultOf<R>>)
      & {
        (...args: ArgumentsOf<A>): RemoteCall<ResultOf<R>>;
        (items: ItemsFor<A[0]>): StreamCall;
      }
  : (...args: ArgumentsOf<A>) => RemoteCall<ResultOf<R>>
  : never;

/**
 * Remote callbacks of which nothing is known: any name, any arguments. Not a record, because the
 * compiler's `noUncheckedIndexedAccess` would take each of its members for possibly missing.
 */
// deno-lint-ignore no-explicit-any -- nothing is known
export type UntypedCallbacks = any;

/** `g.call`: each callback by its name, also one that may be missing: who calls it hears whether it is. */
export type RemoteCallbacks<Remote> =
  // deno-lint-ignore no-explicit-any -- nothing is known of untyped callbacks
  0 extends 1 & Remote ? any
    : {
      readonly [Name in keyof Remote]-?: NonNullable<Remote[Name]> extends AnyFunction
        ? RemoteFunction<NonNullable<Remote[Name]>>
        : never;
    };

/** A name that others may call. */
export type PublicName<Name> = Name extends `_${string}` | "prototype" ? never : Name;

/** The functions among the members of a type. */
export type FunctionsOf<T> = {
  [
    Name in keyof T as T[Name] extends AnyClass ? never
      : T[Name] extends AnyFunction ? PublicName<Name>
      : never
  ]: T[Name];
};

/** The classes among the members of a type. */
export type ClassesOf<M> = {
  [Name in keyof M]: M[Name] extends AnyClass ? M[Name] : never;
}[keyof M];

/** The public methods of a class. */
export type MethodsOf<C> = C extends AnyClass ? FunctionsOf<InstanceType<C>> & FunctionsOf<C>
  : never;

/** All members of a union in one type. */
export type Intersection<U> = (U extends unknown ? (part: U) => void : never) extends
  (whole: infer Whole) => void ? Whole : never;

/**
 * The callbacks that a module offers, from its type: its exported functions, and the public methods
 * of its exported classes; or those of one class. Nobody can see from a type whether they are registered, and under
 * their own names: so such a module exports nothing else. Type parameters become `unknown`, of an overloaded function
 * only the last signature is seen, and a result that cannot travel, such as a function, has its type all the same.
 *
 * @example
 * ```ts ignore
 * import type * as calculator from "./calculator.ts";
 *
 * const g = new Global<CallbacksOf<typeof calculator>>({ host: "localhost", port: 8888 });
 * const sum: number = await g.call.add(1, 2);
 * ```
 */
export type CallbacksOf<M> = M extends AnyClass ? MethodsOf<M>
  :
    & FunctionsOf<M>
    & ([ClassesOf<M>] extends [never] ? unknown : Intersection<MethodsOf<ClassesOf<M>>>);
