/**
 * Functions as text: how they are sent, and how they become functions again.
 *
 * @module
 */

import { TransferError } from "../errors.ts";
import { show } from "../internal/show.ts";
import type { Codec } from "../wire/codec.ts";
import { BEFORE_METHOD, evaluated, missingVariable, NAMELESS, PLACE } from "./function_failure.ts";

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
  const name = isNamed ? fn.name : NAMELESS; // as messages call it
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
  const method = `${BEFORE_METHOD}${source} })`;
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
 * tell its own lines; for what stands before it in the first one see {@linkcode ownStack}.
 *
 * @throws {TransferError} when the source is not that of a function.
 */
export function compile(sent: FunctionSource): AnyFunction {
  const { source, name } = sent;
  try {
    // An indirect eval sees globals only. The name makes the stack readable, the first line of the
    // function is line 1 there.
    const label = name.replace(/[^\w$]/g, "_");
    const fn = (0, eval)(`${evaluated(source)}\n//# sourceURL=${PLACE}${label}`);
    if (typeof fn === "function") return fn;
  } catch (error) {
    throw missingVariable(sent, error) ??
      new TransferError(`Cannot run ${name}: its source cannot be compiled`, { cause: error });
  }
  throw new TransferError(`Cannot run ${name}: what was sent is not a function`);
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
