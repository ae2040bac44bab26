// Types by hand for the plain JavaScript of the standard library on npm: see ../README.md.
import * as impl from "npm:deno-std@1.4.0/assert/mod.js";

/** Thrown by a failed assertion. */
export type AssertionError = Error;
/** Thrown by a failed assertion. */
export const AssertionError: new (message: string, options?: ErrorOptions) => AssertionError =
  impl.AssertionError;

/** The constructor of an `E`, abstract or not. */
type AnyClass<E> = abstract new (...args: never[]) => E;
/** A value that is false where a condition is wanted. */
export type Falsy = false | 0 | 0n | "" | null | undefined;
/** An array or something like one. */
export type ArrayLikeArg<T> = ArrayLike<T> & object;

/** Asserts that `expr` is truthy. */
export const assert: (expr: unknown, msg?: string) => asserts expr = impl.assert;
/** Asserts that two numbers differ by no more than `tolerance`. */
export const assertAlmostEquals: (
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
) => void = impl.assertAlmostEquals;
/** Asserts that `actual` holds every item of `expected`. */
export const assertArrayIncludes: <T>(
  actual: ArrayLikeArg<T>,
  expected: ArrayLikeArg<T>,
  msg?: string,
) => void = impl.assertArrayIncludes;
/** Asserts deep equality. */
export const assertEquals: <T>(actual: T, expected: T, msg?: string) => void = impl.assertEquals;
/** Asserts that `actual` is neither null nor undefined. */
export const assertExists: <T>(
  actual: T,
  msg?: string,
) => asserts actual is NonNullable<T> = impl.assertExists;
/** Asserts that `expr` is falsy. */
export const assertFalse: (expr: unknown, msg?: string) => asserts expr is Falsy = impl.assertFalse;
/** Asserts `actual > expected`. */
export const assertGreater: <T>(actual: T, expected: T, msg?: string) => void = impl.assertGreater;
/** Asserts `actual >= expected`. */
export const assertGreaterOrEqual: <T>(actual: T, expected: T, msg?: string) => void =
  impl.assertGreaterOrEqual;
/** Asserts that `actual` is an instance of a class. */
export const assertInstanceOf: <T extends AnyClass<unknown>>(
  actual: unknown,
  expectedType: T,
  msg?: string,
) => asserts actual is InstanceType<T> = impl.assertInstanceOf;
/** Asserts that `error` is an error of a class with a message. */
export const assertIsError: <E extends Error = Error>(
  error: unknown,
  ErrorClass?: AnyClass<E>,
  msgMatches?: string | RegExp,
  msg?: string,
) => asserts error is E = impl.assertIsError;
/** Asserts `actual < expected`. */
export const assertLess: <T>(actual: T, expected: T, msg?: string) => void = impl.assertLess;
/** Asserts `actual <= expected`. */
export const assertLessOrEqual: <T>(actual: T, expected: T, msg?: string) => void =
  impl.assertLessOrEqual;
/** Asserts that a string matches. */
export const assertMatch: (actual: string, expected: RegExp, msg?: string) => void =
  impl.assertMatch;
/** Asserts deep inequality. */
export const assertNotEquals: <T>(actual: T, expected: T, msg?: string) => void =
  impl.assertNotEquals;
/** Asserts that `actual` is no instance of a class. */
export const assertNotInstanceOf: <A, T>(
  actual: A,
  unexpectedType: AnyClass<T>,
  msg?: string,
) => asserts actual is Exclude<A, T> = impl.assertNotInstanceOf;
/** Asserts that a string does not match. */
export const assertNotMatch: (actual: string, expected: RegExp, msg?: string) => void =
  impl.assertNotMatch;
/** Asserts that two values are not the same. */
export const assertNotStrictEquals: <T>(actual: T, expected: T, msg?: string) => void =
  impl.assertNotStrictEquals;
/** Asserts that `actual` has the properties of `expected`. */
export const assertObjectMatch: (
  actual: object,
  expected: Record<PropertyKey, unknown>,
  msg?: string,
) => void = impl.assertObjectMatch;
/** Asserts that the promise of `fn` rejects, and resolves with the reason. */
export const assertRejects: {
  (fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
  <E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    ErrorClass: AnyClass<E>,
    msgIncludes?: string,
    msg?: string,
  ): Promise<E>;
} = impl.assertRejects;
/** Asserts that two values are the same. */
export const assertStrictEquals: <T>(
  actual: unknown,
  expected: T,
  msg?: string,
) => asserts actual is T = impl.assertStrictEquals;
/** Asserts that a string holds another. */
export const assertStringIncludes: (actual: string, expected: string, msg?: string) => void =
  impl.assertStringIncludes;
/** Asserts that `fn` throws, and returns what. */
export const assertThrows: {
  (fn: () => unknown, msg?: string): unknown;
  <E extends Error = Error>(
    fn: () => unknown,
    ErrorClass: AnyClass<E>,
    msgIncludes?: string,
    msg?: string,
  ): E;
} = impl.assertThrows;
/** Whether two values are deeply equal. */
export const equal: (a: unknown, b: unknown) => boolean = impl.equal;
/** Fails. */
export const fail: (msg?: string) => never = impl.fail;
/** Fails: this is not written yet. */
export const unimplemented: (msg?: string) => never = impl.unimplemented;
/** Fails: this cannot be reached. */
export const unreachable: (msg?: string) => never = impl.unreachable;
