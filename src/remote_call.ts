/**
 * `g.call` and what it builds.
 *
 * @module
 */

import { AsyncResult } from "./async_result.ts";
import { readOptions } from "./call_options.ts";
import { InitializationError } from "./errors.ts";
import type { CallRequest } from "./internal/call_request.ts";
import { type CallSite, CallSites } from "./internal/call_site.ts";
import { isA } from "./internal/is_a.ts";
import type {
  BgOptions,
  BroadcastOptions,
  FgOptions,
  Modifier,
  ModifierKind,
  ModifierOptions,
  NoReturnOptions,
  PeriodOptions,
  StreamOptions,
} from "./modifiers.ts";
import { releaseSources } from "./wire/sources.ts";
import { isIterable, itemsOf } from "./wire/streamable.ts";
import { ResultIterator } from "./result_iterator.ts";
import type { ScheduledTask } from "./scheduled_task.ts";
import type { StreamableCall } from "./remote_types.ts";

/** What carries calls out. */
export interface CallPort {
  /** Calls one process; with `eager`, a stream begins before it is asked for an item. */
  call(request: CallRequest, eager?: boolean): Promise<unknown>;
  /** Calls one process; settles when the call is handed over, and never rejects. */
  noReturn(request: CallRequest, prepared?: Promise<CallRequest> | undefined): Promise<void>;
  /** Calls all; gives their results if they are wanted, or settles when the call is handed over. */
  broadcast(
    request: CallRequest,
    returnResult?: boolean,
  ): Promise<Record<string, unknown> | void>;
  /** Calls all once for each item. */
  stream(request: CallRequest): Promise<void>;
  /** Resolves when the call's `eta` is over; rejects when the call is cancelled before. */
  delay(request: CallRequest): Promise<void>;
}

/** What has other processes run callbacks by themselves. */
export interface TaskPort {
  /** Schedules a task. @throws {InitializationError} when an option is not valid. */
  schedule(request: CallRequest, options: PeriodOptions): Promise<ScheduledTask>;
}

/** Makes `g.call`. */
export function remoteCallbacks(port: CallPort, tasks: TaskPort): Record<string, unknown> {
  const sites = new CallSites();
  let room = 1000; // names that are made up without end, as by whoever passes calls on, are not all kept
  const unknown = new Proxy(Object.create(null), {
    get(_, name) {
      // Whoever awaits or prints `g.call` asks for these; they are no callbacks.
      if (typeof name === "symbol" || name === "then") return undefined;
      const value = (...args: unknown[]): PendingRemoteCall =>
        new PendingRemoteCall(port, tasks, name, args, sites.capture(value));
      if (room-- > 0) Object.defineProperty(known, name, { value }); // the next time without the proxy
      return value;
    },
    set(_, name) {
      throw new InitializationError(`Cannot set g.call.${String(name)}: register it by callback()`);
    },
  });
  const known: Record<string, unknown> = Object.create(unknown);
  return known;
}

/**
 * How a call is made, and may be in two ways: `eager`, or with `returnResult`. By name, for functions would be a good part
 * of what a small call leaves to the garbage collector.
 */
type Way = "call" | "broadcast";

class PendingRemoteCall implements StreamableCall<unknown> {
  #port: CallPort;
  #tasks: TaskPort;
  #name: string;
  #args: readonly unknown[];
  #site: CallSite | undefined;

  constructor(
    port: CallPort,
    tasks: TaskPort,
    name: string,
    args: readonly unknown[],
    site: CallSite | undefined,
  ) {
    this.#port = port;
    this.#tasks = tasks;
    this.#name = name;
    this.#args = args;
    this.#site = site;
  }

  /** See {@linkcode provideInspection}. */
  declare readonly [Symbol.toStringTag]: string;

  /** What a call is as a text, whose `await` was forgotten. */
  toString(): string {
    return `RemoteCall ${this.#name}(…), not made: await it or give it an execution modifier`;
  }

  then<A, B>(
    onFulfilled?: ((value: unknown) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.fg().then(onFulfilled, onRejected) as Promise<A | B>;
  }

  catch<R>(onRejected?: ((reason: unknown) => R | PromiseLike<R>) | null): Promise<unknown> {
    return this.fg().catch(onRejected);
  }

  finally(onFinally?: (() => void) | null): Promise<unknown> {
    return this.fg().finally(onFinally);
  }

  /** The call is made when the first item is asked for. */
  [Symbol.asyncIterator](): AsyncIterator<never> {
    return new ResultIterator(
      this.#name,
      () => this.#send("call", this.#request("fg"), true),
    );
  }

  fg(options?: FgOptions): Promise<unknown> {
    try {
      return this.#send("call", this.#request("fg", options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  bg(options?: BgOptions): AsyncResult<unknown> {
    const controller = new AbortController();
    const given = this.#request("bg", options);
    const signal = given.signal === undefined
      ? controller.signal
      : AbortSignal.any([given.signal, controller.signal]);
    const outcome = this.#send("call", { ...given, signal });
    return new AsyncResult(this.#name, outcome, controller.abort.bind(controller, undefined));
  }

  noReturn(options?: NoReturnOptions): Promise<void> {
    const request = this.#request("noReturn", options);
    return this.#port.noReturn(request, this.#prepare(request));
  }

  broadcast(
    options: BroadcastOptions & { returnResult: true },
  ): Promise<Record<string, unknown>>;
  broadcast(options?: BroadcastOptions): Promise<void>;
  // deno-lint-ignore require-await -- that would keep the arguments until the last process has answered
  async broadcast(options: BroadcastOptions = {}): Promise<Record<string, unknown> | void> {
    const request = this.#request("broadcast", options);
    return this.#send("broadcast", request, options.returnResult);
  }

  async stream(options?: StreamOptions): Promise<void> {
    const request = this.#request("stream", options);
    const [items] = this.#args;
    if (
      this.#args.length !== 1 || typeof items !== "object" || items === null || !isIterable(items)
    ) {
      throw new InitializationError(
        `Cannot stream to ${this.#name}: its one argument must be an iterable of items`,
        { callbackName: this.#name, executed: "never" },
      );
    }
    await this.#port.stream({ ...request, args: [itemsOf(items)] });
  }

  async period(options = {} as PeriodOptions): Promise<ScheduledTask> {
    return await this.#tasks.schedule(this.#request("period", options), options);
  }

  // deno-lint-ignore no-explicit-any -- the overloads of the interface say what comes
  exec<K extends ModifierKind>(modifier: Modifier<K>): any {
    const { kind, options } = (modifier ?? {}) as Modifier<ModifierKind>;
    switch (kind) {
      case "fg":
        return this.fg(options);
      case "bg":
        return this.bg(options);
      case "noReturn":
        return this.noReturn(options as NoReturnOptions);
      case "broadcast":
        return this.broadcast(options as BroadcastOptions);
      case "stream":
        return this.stream(options as StreamOptions);
      case "period":
        return this.period(options as PeriodOptions);
      default:
        throw new InitializationError(
          "Cannot execute the call: the modifier must be FG, BG, NO_RETURN, BROADCAST, STREAM or PERIOD",
        );
    }
  }

  #request<K extends ModifierKind>(kind: K, options?: ModifierOptions[K]): CallRequest {
    const callbackName = this.#name;
    const { timeoutMs, etaMs, signal, to, strategy } = readOptions(kind, options, callbackName);
    const args = this.#args;
    const site = this.#site;
    return { callbackName, args, site, timeoutMs, etaMs, signal, to, strategy };
  }

  /** Sends now; or when the call's `eta` is over, and those calls that are among its arguments. */
  // deno-lint-ignore no-explicit-any -- what comes depends on how it is sent
  #send(how: Way, request: CallRequest, flag?: boolean): Promise<any> {
    const prepared = this.#prepare(request);
    return prepared === undefined
      ? this.#port[how](request, flag)
      : this.#sendLater(how, prepared, flag);
  }

  /** Not an asynchronous function, which would keep the arguments. */
  #sendLater(how: Way, request: Promise<CallRequest>, flag?: boolean): Promise<unknown> {
    return request.then<unknown>((ready) => this.#port[how](ready, flag));
  }

  #prepare(request: CallRequest): Promise<CallRequest> | undefined {
    const isReady = request.etaMs === undefined && !request.args.some(isCall);
    return isReady ? undefined : this.#prepared(request);
  }

  async #prepared(request: CallRequest): Promise<CallRequest> {
    const { signal, timeoutMs: timeout } = request;
    const args = [...request.args];
    let results: Promise<void>[] = [];
    try {
      if (request.etaMs !== undefined) await this.#port.delay(request);
      results = args.map(async (arg, i) => {
        if (isCall(arg)) args[i] = await arg.fg({ signal, timeout } as FgOptions);
      });
      await Promise.all(results);
    } catch (error) {
      void Promise.allSettled(results).then(() => releaseSources(args));
      throw error;
    }
    return { ...request, args };
  }
}

/** Has `console.log` show what a call is, by the runtimes' names for that. */
export function provideInspection(...names: string[]): void {
  for (const name of names) {
    Object.defineProperty(PendingRemoteCall.prototype, Symbol.for(name), {
      value: PendingRemoteCall.prototype.toString,
    });
  }
  Object.defineProperty(PendingRemoteCall.prototype, Symbol.toStringTag, { value: "RemoteCall" });
}

function isCall(value: unknown): value is PendingRemoteCall {
  return isA(value, PendingRemoteCall);
}
