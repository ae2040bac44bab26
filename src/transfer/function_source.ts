/**
 * Functions as text: how they are sent, and how they become functions again.
 *
 * @module
 */

import { TransferError } from "../errors.ts";
import { show } from "../internal/show.ts";
import type { Codec } from "../wire/codec.ts";

/** Longest source of a function that is sent. Stops a receiver from compiling for seconds. */
export const MAX_SOURCE_LENGTH: number = 1024 * 1024;

// deno-lint-ignore no-explicit-any -- any function
type AnyFunction = (...args: any[]) => unknown;

/** A function as text. */
export interface FunctionSource {
  /** An expression whose value is the function. */
  readonly source: string;
  /** What to call it in messages and stacks. */
  readonly name: string;
}

/**
 * Takes a function's source.
 *
 * @throws {TransferError} when it has none that means the same elsewhere: native, bound and class
 * functions; the message says what to do instead.
 */
export function sourceOf(fn: AnyFunction): FunctionSource {
  if (typeof fn !== "function") {
    throw new TransferError(`Cannot send ${show(fn)}: it is not a function`, NEVER);
  }
  const isNamed = typeof fn.name === "string" && fn.name !== "";
  const name = isNamed ? fn.name : "the function"; // as messages call it
  const source = Function.prototype.toString.call(fn);
  const refuse = (why: string): never => {
    throw new TransferError(`Cannot send the function${isNamed ? ` ${name}` : ""}: ${why}`, NEVER);
  };
  if (/^class\b(?!\s*\()/.test(source)) {
    refuse("it is a class; send a function that makes what you need");
  }
  if (/\{\s*\[native code\]\s*\}\s*$/.test(source)) {
    refuse(
      name.startsWith("bound ")
        ? "it is bound, and what it is bound to stays here; pass that as an argument"
        : "it is native and has no source; wrap it, as in (...args) => Math.max(...args)",
    );
  }
  if (isAccessor(source)) refuse("it is a getter or setter; send a plain function");
  if (source.length > MAX_SOURCE_LENGTH) {
    refuse(`its source has ${source.length} characters, at most ${MAX_SOURCE_LENGTH} are allowed`);
  }
  if (isExpression(source)) return { name, source };
  const method = `(o=>o[Reflect.ownKeys(o)[0]])({ ${source} })`;
  if (isExpression(method) && !usesSuper(source)) return { name, source: method };
  return refuse("it uses import.meta, super or private names of its class");
}

const NEVER = { executed: "never" } as const;

/** Whether it is a getter or setter: not a method that is called so, nor an arrow function with such a parameter. */
function isAccessor(source: string): boolean {
  if (!/^[gs]et\b/.test(source)) return false;
  // Only what is a method already may be made an asynchronous one; where nothing is compiled, a look must do.
  return /^[gs]et\s+(?![\s(=/])/.test(source) ||
    !isExpression(source) && !isExpression(`{ async ${source} }`);
}

/** Whether a method uses `super` by itself: in a function, and only there, that makes no sense. */
function usesSuper(method: string): boolean {
  return /\bsuper\b/.test(method) &&
    !isExpression(`async function*${method.slice(method.indexOf("("))}`);
}

/** Whether a text is an expression: it is compiled, but not run. */
function isExpression(source: string): boolean {
  try {
    new Function(`"use strict"; return (${source}\n)`);
    return true;
  } catch (error) {
    // Any other error says that nothing may be compiled here: the receiver will see, then.
    return !(error instanceof SyntaxError);
  }
}

/**
 * Makes a function of its source, without anything around it but the globals. Errors of the function
 * tell its own lines.
 *
 * @throws {TransferError} when the source is not that of a function.
 */
export function compile({ source, name }: FunctionSource): AnyFunction {
  try {
    // An indirect eval sees globals only. The name makes the stack readable, the first line of the
    // function is line 1 there.
    const label = name.replace(/[^\w$]/g, "_");
    const fn = (0, eval)(`"use strict";${onItsOwn(source)}\n//# sourceURL=transferred/${label}`);
    if (typeof fn === "function") return fn;
  } catch (error) {
    throw missingVariable(name, error) ??
      new TransferError(`Cannot run ${name}: its source cannot be compiled`, { cause: error });
  }
  throw new TransferError(`Cannot run ${name}: what was sent is not a function`);
}

/**
 * The function without a `this`: that of an arrow function is the one around it. Nor may it find
 * arguments there; one that asks for them gets no function around it, and is told that there are none.
 */
function onItsOwn(source: string): string {
  return /\barguments\b/.test(source) ? `(${source}\n)` : `(function(){return(${source}\n)})()`;
}

/**
 * The arguments that came with a function.
 *
 * @throws {TransferError} when they are no list, cannot be decoded, or hold a stream, whose items nobody would send.
 */
export function argumentsFor(name: string, codec: Codec, encoded: Uint8Array): unknown[] {
  let cause: unknown;
  try {
    const args = codec.decode(encoded);
    if (Array.isArray(args)) return args;
  } catch (error) {
    cause = error;
  }
  throw new TransferError(`Cannot run ${name}: its arguments are no list of values as it must be`, {
    executed: "never",
    cause,
  });
}

/**
 * If a function failed because it uses a variable that stayed with its sender: what to do about it.
 */
export function missingVariable(name: string, thrown: unknown): TransferError | undefined {
  if (!(thrown instanceof Error) || thrown.name !== "ReferenceError") return undefined;
  const variable = /^(\S+) is not defined$/.exec(thrown.message)?.[1];
  if (variable === undefined) return undefined;
  return new TransferError(
    `The function ${name} uses ${variable}, which is not defined where it ran: what is around a ` +
      `function stays with its sender; give it a parameter ${variable} and pass the value as an ` +
      "argument, or import it within the function",
    { executed: "yes", cause: thrown },
  );
}

/** An error whose stack ends with the function's own lines: how it was called is nobody's business. */
export function ownStack(thrown: unknown): unknown {
  if (!(thrown instanceof Error) || typeof thrown.stack !== "string") return thrown;
  const lines = thrown.stack.split("\n");
  const last = lines.findLastIndex((line) => line.includes("transferred/"));
  if (last < 0) return thrown;
  const value = lines.slice(0, last + 1).join("\n");
  const stack = { value, writable: true, configurable: true };
  if (Reflect.defineProperty(thrown, "stack", stack)) return thrown;
  // It is frozen: one that has everything of it but the stack takes its place.
  const parts = { ...Object.getOwnPropertyDescriptors(thrown), stack };
  return Object.create(Object.getPrototypeOf(thrown), parts);
}
