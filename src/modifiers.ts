/**
 * Execution modifiers: how a call is carried out.
 *
 * @module
 */

import type { Strategy } from "./internal/call_request.ts";
import type { Duration, Time } from "./internal/duration.ts";
import type { Overlap } from "./scheduler/task.ts";

/** Which process runs a call that only one runs. */
export interface TargetOptions {
  /** The process that must run it. @default {any that offers the callback} */
  to?: string | undefined;
  /** How one is chosen if several offer the callback. @default {"random"} */
  strategy?: Strategy | undefined;
}

/** Options of {@linkcode FG}. */
export interface FgOptions extends TargetOptions {
  /** How long to wait for the result, a stream's last item included. @default {`defaultTimeout`} */
  timeout?: Duration | undefined;
  /** Cancels the call. @default {none} */
  signal?: AbortSignal | undefined;
}

/** Options of {@linkcode BG}. */
export interface BgOptions extends FgOptions {
  /**
   * How long to wait before the call is made: the arguments are encoded after it, as they are then, and
   * `timeout` starts after it. @default {it is made at once}
   */
  eta?: Duration | undefined;
}

/** Options of {@linkcode NO_RETURN}. */
export interface NoReturnOptions extends TargetOptions {
  /** How long to wait before the call is made; the arguments are encoded after it. @default {it is made at once} */
  eta?: Duration | undefined;
}

/** Options of {@linkcode BROADCAST}. */
export interface BroadcastOptions {
  /** Whether to wait for the results of all processes. @default {false} */
  returnResult?: boolean | undefined;
  /** How long to wait for the results. @default {`defaultTimeout`} */
  timeout?: Duration | undefined;
  /** See {@linkcode BgOptions.eta}. @default {it is made at once} */
  eta?: Duration | undefined;
  /** Cancels the call. @default {none} */
  signal?: AbortSignal | undefined;
}

/** Options of {@linkcode STREAM}. */
export interface StreamOptions {
  /** The only process to take the items. @default {every process that offers the callback} */
  to?: string | undefined;
  /** How long all of it may take. @default {`defaultTimeout`} */
  timeout?: Duration | undefined;
  /** Cancels the call. @default {none} */
  signal?: AbortSignal | undefined;
}

/**
 * Options of {@linkcode PERIOD}: exactly one of `interval`, `atTime` and `cron`. A process keeps at most 100,000 tasks;
 * one more is refused with an `OverloadedError`.
 */
export interface PeriodOptions extends TargetOptions {
  /** Fires at start + n · interval, without drift, the first time after one interval: 1 ms to 100 years. */
  interval?: Duration | undefined;
  /** Fires at this time, or at each of these times, at most 1,000; they must be in the future. */
  atTime?: Time | readonly Time[] | undefined;
  /** Fires whenever a clock shows this: five fields, or six with seconds first. */
  cron?: string | undefined;
  /** The time zone of that clock, for example `"Europe/Berlin"`. @default {that of this process} */
  timezone?: string | undefined;
  /** What happens when a run is due while the one before still goes on. @default {"skip"} */
  overlap?: Overlap | undefined;
  /** Ends the task after so many runs. @default {no limit} */
  maxRuns?: number | undefined;
  /**
   * The task's UUID: scheduling it again gives the task that is there, as it is, with its own trigger, and runs none anew
   * that has just ended. Capital letters become small ones.
   *
   * @default {a new one}
   */
  uuid?: string | undefined;
  /** How late a missed run may still start, a year at most; less than a second counts as one. @default {"60s"} */
  catchUp?: Duration | undefined;
  /** Pauses the task after so many failed runs in a row. @default {never} */
  pauseAfterFailures?: number | undefined;
}

/** The options of each modifier. */
export interface ModifierOptions {
  /** Of {@linkcode FG}. */
  fg: FgOptions;
  /** Of {@linkcode BG}. */
  bg: BgOptions;
  /** Of {@linkcode NO_RETURN}. */
  noReturn: NoReturnOptions;
  /** Of {@linkcode BROADCAST}. */
  broadcast: BroadcastOptions;
  /** Of {@linkcode STREAM}. */
  stream: StreamOptions;
  /** Of {@linkcode PERIOD}. */
  period: PeriodOptions;
}

/** Name of a modifier: the method of a `RemoteCall` that does the same. */
export type ModifierKind = keyof ModifierOptions;

/** A modifier with its options. */
export interface Modifier<
  K extends ModifierKind,
  O extends ModifierOptions[K] = ModifierOptions[K],
> {
  /** Which modifier it is. */
  readonly kind: K;
  /** Its options. */
  readonly options: O;
}

/** A modifier as exported: a value by itself, with options `O`, and a function that gives it others. */
export interface ModifierFunction<
  K extends ModifierKind,
  O extends ModifierOptions[K] = ModifierOptions[K],
> extends Modifier<K, O> {
  /** Gives the modifier options. */
  <const O extends ModifierOptions[K]>(options: O): Modifier<K, O>;
}

function modifier<K extends ModifierKind, Bare extends ModifierOptions[K] = ModifierOptions[K]>(
  kind: K,
): ModifierFunction<K, Bare> {
  const withOptions = <O extends ModifierOptions[K]>(options: O): Modifier<K, O> => ({
    kind,
    options,
  });
  return Object.freeze(Object.assign(withOptions, { kind, options: {} as Bare }));
}

/**
 * Foreground: waits for the result. What `await` does by itself.
 *
 * @example
 * ```ts
 * import { FG, Global } from "@daffi/core";
 *
 * await using g = new Global({ host: "localhost", port: 8888 });
 * console.log(await g.call.add(1, 2).exec(FG({ timeout: "15s" })));
 * ```
 */
export const FG: ModifierFunction<"fg"> = modifier("fg");

/** Background: gives an `AsyncResult` at once, from which the result can be had later. */
export const BG: ModifierFunction<"bg"> = modifier("bg");

/** Sends the call and wants no result. */
export const NO_RETURN: ModifierFunction<"noReturn"> = modifier("noReturn");

/** Calls every process that offers the callback. */
export const BROADCAST: ModifierFunction<"broadcast", { returnResult?: false }> = modifier(
  "broadcast",
);

/**
 * Calls the callback once for each item of an iterable, on every process that offers it. As with every iterable
 * among arguments, what was not used up when the call is over, or cannot be sent, is ended by `return()`, which
 * cancels a `ReadableStream`.
 */
export const STREAM: ModifierFunction<"stream"> = modifier("stream");

/**
 * Has another process run the callback by itself, again and again: gives a `ScheduledTask`.
 *
 * @example
 * ```ts
 * import { Global, PERIOD } from "@daffi/core";
 *
 * await using g = new Global({ host: "localhost", port: 8888 });
 * const task = await g.call.report().exec(PERIOD({ cron: "30 2 * * *", timezone: "Europe/Berlin" }));
 * console.log(await g.getScheduledTasks(task.processName)); // its UUID among others
 * ```
 */
export const PERIOD: ModifierFunction<"period"> = modifier("period");
