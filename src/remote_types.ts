/**
 * How remote callbacks look to the compiler.
 *
 * @module
 */

import type { AnyClass, AnyFunction } from "./registry/registered_callback.ts";
import type { RemoteCall, StreamableCall, StreamCall } from "./remote_call.ts";

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

/** `g.call`: each callback by its name. */
export type RemoteCallbacks<Remote> =
  // deno-lint-ignore no-explicit-any -- nothing is known of untyped callbacks
  0 extends 1 & Remote ? any
    : {
      readonly [Name in keyof Remote]: Remote[Name] extends AnyFunction
        ? RemoteFunction<Remote[Name]>
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
 * of its exported classes. Nobody can see from a type whether they are registered, and under their own names: so such a
 * module exports nothing else. Type parameters become `unknown`, of an overloaded function only the last signature is
 * seen, and a result that cannot travel, such as a function, has its type all the same.
 *
 * @example
 * ```ts ignore
 * import type * as calculator from "./calculator.ts";
 *
 * const g = new Global<CallbacksOf<typeof calculator>>({ host: "localhost", port: 8888 });
 * const sum: number = await g.call.add(1, 2);
 * ```
 */
export type CallbacksOf<M> =
  & FunctionsOf<M>
  & ([ClassesOf<M>] extends [never] ? unknown : Intersection<MethodsOf<ClassesOf<M>>>);
