/**
 * A call as it goes from `g.call` to the node.
 *
 * @module
 */

import { CallCancelledError, InitializationError } from "../errors.ts";
import { show } from "./show.ts";
import type { CallSite } from "./call_site.ts";

/** How one of several processes that offer a callback is chosen. */
export type Strategy = "random" | "round-robin" | "least-pending";

/** A call as the user asked for it. */
export interface CallRequest {
  /** Empty if it is no call of a callback. */
  readonly callbackName: string;
  /** What the user does, as a verb for messages. @default {`call ${callbackName}`} */
  readonly verb?: string;
  readonly args: readonly unknown[];
  /** In milliseconds; `Infinity` for no limit, `undefined` for the default. */
  readonly timeoutMs: number | undefined;
  /** How long to wait before it is sent, in milliseconds. */
  readonly etaMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** The process to call, or any that offers the callback. */
  readonly to: string | undefined;
  readonly strategy: Strategy;
  /** Where the call was made. */
  readonly site: CallSite | undefined;
}

/** Why a call whose signal has aborted was not sent. */
export function notSent({ callbackName, signal }: CallRequest): CallCancelledError {
  return new CallCancelledError(`The call of ${callbackName} was cancelled before it was sent`, {
    callbackName,
    executed: "never",
    cause: signal?.reason,
  });
}

/** What a process answered. */
export interface Answer {
  readonly value: unknown;
  readonly processName: string;
}

/** Of an answer the value alone. A closure would keep what was asked for as long as that takes. */
export function valueOf({ value }: Answer): unknown {
  return value;
}

/** A request of a certain process that is no call of a callback. */
export function requestTo(
  processName: string,
  verb: string,
  args: readonly unknown[],
  site: CallSite | undefined,
  signal?: AbortSignal,
): CallRequest & { verb: string } {
  return {
    callbackName: "",
    verb,
    args,
    timeoutMs: undefined,
    etaMs: undefined,
    signal,
    to: processName,
    strategy: "random",
    site,
  };
}

/** @throws {InitializationError} when a process is not given by its name. */
export function checkProcessName(processName: unknown): void {
  if (typeof processName === "string" && processName !== "") return;
  throw new InitializationError(
    `The process must be given by its name, but is ${show(processName)}`,
  );
}
