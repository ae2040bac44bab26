/**
 * What a process of the bench says to the runner: lines of JSON on its standard output, commands on
 * its standard input, at the end of which it ends. Runs in Deno and in Node.js.
 *
 * @module
 */

import process from "node:process";
import { createInterface } from "node:readline";
import type { Contender } from "./contender.ts";
import { measure, type Measured, type Operation, operationOf } from "./measure.ts";
import type { WorkName } from "./works.ts";

/** Where the processes of a system meet: the last argument of each. */
export interface Meeting {
  readonly transport: "tcp" | "unix";
  /** An empty directory for sockets. */
  readonly directory: string;
  /** What the programs that were started before have told by {@linkcode ready}. */
  readonly [field: string]: unknown;
}

/** What the runner wants of a caller. */
export interface Command {
  readonly work: WorkName;
  /** How long, about. */
  readonly ms: number;
}

/** The argument of this process. */
export function meeting<T = Meeting>(): T {
  return JSON.parse(process.argv.at(-1)!);
}

/** Tells the runner something. */
export function tell(event: string, fields: object = {}): void {
  process.stdout.write(JSON.stringify({ event, ...fields }) + "\n");
}

/**
 * Tells the runner that the next program can start; it gets the fields with its argument. A field
 * `pid` says whose CPU time counts for this program, if not its own.
 */
export function ready(fields: object = {}): void {
  tell("ready", fields);
}

/** Answers the runner's commands until there are no more, closes, and ends the process. */
export async function answer(
  onCommand: (command: Command) => Promise<object>,
  close: () => PromiseLike<unknown>,
): Promise<never> {
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      tell("answer", await onCommand(JSON.parse(line)));
    } catch (error) {
      tell("failed", { message: String((error as Error)?.stack ?? error) });
    }
  }
  await close();
  process.exit(0);
}

/** For a program that is no caller: stays until the runner wants it to end. */
export function stay(close: () => PromiseLike<unknown>): Promise<never> {
  return answer(() => Promise.reject(new Error("Not a caller")), close);
}

/**
 * Does what the runner wants of a caller. Tells that it is ready at once, for others may have to
 * start after it; the contender is made for the first command.
 *
 * @param open Connects; the callee is there by then.
 * @param fields What programs that are started later must know.
 */
export function serveContender(
  open: () => Promise<Contender>,
  fields: object = {},
): Promise<never> {
  let opened: Promise<Contender> | undefined;
  return serveOperations(
    async (work) => await operationOf(await (opened ??= open()), work),
    async () => await (await opened)?.close(),
    fields,
  );
}

/** The same for a caller that has operations of its own. */
export function serveOperations(
  open: (work: WorkName) => Promise<Operation | undefined>,
  close: () => PromiseLike<unknown>,
  fields: object = {},
): Promise<never> {
  ready(fields);
  return answer(async ({ work, ms }): Promise<Measured | { figures?: undefined }> => {
    const operation = await open(work);
    return operation === undefined ? {} : await measure(operation, ms);
  }, close);
}
