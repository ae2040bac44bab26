/**
 * What functions throw that were made of text, and where in the text they did.
 *
 * @module
 */

import { TransferError } from "../errors.ts";
import { HEADER_BYTES, MIN_MAX_FRAME_BYTES } from "../wire/limits.ts";
import type { FunctionSource } from "./function_source.ts";

/** Largest failure that a sandbox may write. It fits into any frame: its node passes it on without looking into it. */
export const MAX_SENT_FAILURE_BYTES: number = MIN_MAX_FRAME_BYTES - HEADER_BYTES;

/** What messages call a function without a name. */
export const NAMELESS = "the function";

/** What comes before a method in shorthand, to make an expression of it. */
export const BEFORE_METHOD = "(o=>o[Reflect.ownKeys(o)[0]])({ ";

const STRICT = '"use strict";';
const IN_FUNCTION = "(function(){return(";

/** Column at which a function begins in {@linkcode evaluated}. */
const FIRST_COLUMN = STRICT.length + IN_FUNCTION.length + BEFORE_METHOD.length;

/** What stacks have before the name of a function. */
export const PLACE = "transferred/";

/** Where in a source a frame of a stack is; some runtimes say that it is in nameless code. */
const LINE_AND_COLUMN = /(transferred\/[\w$]*)(?:, <anonymous>)?:(\d+):(\d+)/;
const LINE_ENDS = /\r\n|[\n\r\u2028\u2029]/;
/** How far a chain of causes is followed. */
const MAX_CAUSES = 16;
/** Errors whose stack was made their own already: one may be thrown again and again. */
const known = new WeakSet<Error>();

/**
 * What is compiled of a source: the function without a `this`, for that of an arrow function is the one around it. Nor
 * may it find arguments there; one that asks for them gets no function around it, and is told that there are none.
 */
export function evaluated(source: string): string {
  const [before, after] = /\barguments\b/.test(source) ? ["(", "\n)"] : [IN_FUNCTION, "\n)})()"];
  const ofMethod = source.startsWith(BEFORE_METHOD) ? BEFORE_METHOD.length : 0;
  return STRICT.padEnd(FIRST_COLUMN - before.length - ofMethod) + before + source + after;
}

/** If a function failed because it uses a variable that stayed with its sender: what to do about it. */
export function missingVariable(sent: FunctionSource, thrown: unknown): TransferError | undefined {
  if (!(thrown instanceof Error) || thrown.name !== "ReferenceError") return undefined;
  const variable = /^(\S+) is not defined$/.exec(thrown.message)?.[1];
  if (variable === undefined || isMade(thrown, variable, sent.source)) return undefined;
  const who = sent.name === NAMELESS ? "The function" : `The function ${sent.name}`;
  return new TransferError(
    `${who} uses ${variable}, which is not defined where it ran: what is around a ` +
      `function stays with its sender; give it a parameter ${variable} and pass the value as an ` +
      "argument, or import it within the function",
    { executed: "yes", cause: thrown },
  );
}

/** Whether the error was made by code, the function's or other, and not by the engine for a variable in the source. */
function isMade(error: Error, variable: string, source: string): boolean {
  if (typeof error.stack !== "string") return false;
  const frame = error.stack.split("\n").find(isFrame);
  if (frame === undefined || frame.includes("eval at ")) return false; // nobody knows
  if (!frame.includes(PLACE)) return true;
  const [, , line, column] = LINE_AND_COLUMN.exec(frame) ?? [];
  const lines = evaluated(source).split(LINE_ENDS);
  const text = lines[Number(line) - 1]?.slice(Number(column) - 1) ?? "";
  // Of a variable the engine tells where its expression is: it is at a `new` only for what is made by it.
  const made = /^new\s+(?=[\w$]|\(class\b)|^(?=ReferenceError\s*\()/.exec(text);
  return made !== null && !text.slice(made[0].length).startsWith(variable);
}

/**
 * An error whose stack, and those of its causes, end with the function's own lines: how it was called is nobody's
 * business. They are counted as in the function's source.
 */
export function ownStack(thrown: unknown): unknown {
  if (!(thrown instanceof Error)) return thrown;
  let cause = thrown.cause;
  for (let i = 0; i < MAX_CAUSES && cause instanceof Error; i++, cause = cause.cause) {
    const stack = ownLines(cause);
    if (stack !== undefined && Reflect.defineProperty(cause, "stack", stack)) known.add(cause);
  }
  const stack = ownLines(thrown);
  if (stack === undefined) return thrown;
  if (Reflect.defineProperty(thrown, "stack", stack)) {
    known.add(thrown);
    return thrown;
  }
  // It is frozen: one that has everything of it but the stack takes its place.
  const parts = { ...Object.getOwnPropertyDescriptors(thrown), stack };
  return Object.create(Object.getPrototypeOf(thrown), parts);
}

/** A stack as it is to be; `undefined` if it is so, or has nothing to do with the function. */
function ownLines(error: Error): PropertyDescriptor | undefined {
  if (known.has(error) || typeof error.stack !== "string") return undefined;
  const lines = error.stack.split("\n");
  const last = lines.findLastIndex((line) => line.includes(PLACE));
  if (last < 0) return undefined;
  const own = lines.slice(0, last + 1).map((line) => isFrame(line) ? inSource(line) : line);
  return { value: own.join("\n"), writable: true, configurable: true };
}

function isFrame(line: string): boolean {
  return line.startsWith("    at ");
}

/** A frame whose column is that in the source. */
function inSource(frame: string): string {
  return frame.replace(LINE_AND_COLUMN, (_, place, line, column) => {
    const before = line === "1" ? FIRST_COLUMN : 0;
    return `${place}:${line}:${Math.max(1, column - before)}`;
  });
}
