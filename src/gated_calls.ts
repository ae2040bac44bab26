/**
 * The way from `g.call` to the node: open while there is one to call with.
 *
 * @module
 */

import { type CallRequest, notSent } from "./internal/call_request.ts";
import { concerning } from "./internal/concerning.ts";
import type { Logger } from "./internal/log.ts";
import { longTimeout } from "./internal/long_timeout.ts";
import { whenAborted } from "./internal/when_aborted.ts";
import type { CallPort } from "./remote_call.ts";
import { releaseSources } from "./wire/sources.ts";

/** What carries calls out once they are let through. */
export type NodeCalls = Omit<CallPort, "delay">;

/** How a call that has an answer is made. */
type Way = Exclude<keyof NodeCalls, "noReturn">;

/** What the way needs. */
export interface GatedCallsOptions {
  /** Gives what carries a call out; `undefined` if it is to come to nothing. @throws {GlobalContextError} when nothing does. */
  readonly caller: (callbackName: string) => NodeCalls | undefined;
  /** Where calls without answer that fail at once are told. */
  readonly logger: Logger;
}

/** A call that was made while the process ends. */
const NEVER = new Promise<never>(() => {});

/** Lets calls through, holds back those that have an `eta`, and stops both. */
export class GatedCalls implements CallPort {
  /** Calls without answer that were not let through. */
  dropped = 0;
  readonly #options: GatedCallsOptions;
  readonly #delayed = new Set<(error: Error) => void>();
  #ended: (() => Error) | undefined;

  /** @param options What it needs. */
  constructor(options: GatedCallsOptions) {
    this.#options = options;
  }

  /** See {@linkcode CallPort.call}. */
  call(request: CallRequest, eager?: boolean): Promise<unknown> {
    return this.#run("call", request, eager);
  }

  /** See {@linkcode CallPort.broadcast}. */
  broadcast(
    request: CallRequest,
    returnResult?: boolean,
  ): Promise<Record<string, unknown> | void> {
    return this.#run("broadcast", request, returnResult);
  }

  /** See {@linkcode CallPort.stream}. */
  stream(request: CallRequest): Promise<void> {
    return this.#run("stream", request);
  }

  /** See {@linkcode CallPort.noReturn}. */
  noReturn(request: CallRequest, prepared?: Promise<CallRequest>): Promise<void> {
    return prepared?.then(
      (ready) => this.#noReturn(ready),
      (error) => this.#drop(error, request),
    ) ?? this.#noReturn(request);
  }

  #noReturn(request: CallRequest): Promise<void> {
    try {
      return this.#options.caller(request.callbackName)?.noReturn(request) ?? NEVER;
    } catch (error) {
      return this.#drop(error as Error, request);
    }
  }

  #drop({ message }: Error, { callbackName, args }: CallRequest): Promise<void> {
    releaseSources(args);
    this.dropped++;
    const { logger } = this.#options;
    logger.warn(`daffi: a call without answer was dropped: ${callbackName}: ${message}`);
    return Promise.resolve();
  }

  // deno-lint-ignore no-explicit-any -- what comes depends on how it is made
  #run(how: Way, request: CallRequest, flag?: boolean): Promise<any> {
    try {
      return this.#options.caller(request.callbackName)?.[how](request, flag) ?? NEVER;
    } catch (error) {
      return this.#refuse(error as Error, request);
    }
  }

  #refuse(error: Error, { callbackName, args }: CallRequest): Promise<never> {
    releaseSources(args);
    return Promise.reject(concerning(error, { callbackName, executed: "never" }));
  }

  /** See {@linkcode CallPort.delay}. */
  delay(request: CallRequest): Promise<void> {
    try {
      const caller = this.#options.caller(request.callbackName);
      return caller === undefined ? NEVER : this.#wait(request);
    } catch (error) {
      return this.#refuse(error as Error, request);
    }
  }

  #wait(request: CallRequest): Promise<void> {
    const { callbackName, etaMs = 0, signal } = request;
    if (this.#ended !== undefined) throw this.#ended();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let stopListening: (() => void) | undefined;
    const settle = (error?: Error) => {
      cancelTimer();
      stopListening?.();
      this.#delayed.delete(settle);
      if (error === undefined) resolve();
      else reject(concerning(error, { callbackName, executed: "never" }));
    };
    const abort = () => settle(notSent(request));
    const cancelTimer = longTimeout(() => settle(), etaMs);
    this.#delayed.add(settle);
    if (signal?.aborted) abort();
    else if (signal !== undefined) stopListening = whenAborted(signal, abort);
    return promise;
  }

  /** Calls that are held back fail; `reason` makes the error for each. */
  end(reason: () => Error): void {
    this.#ended = reason;
    for (const settle of [...this.#delayed]) settle(reason());
  }
}
