/**
 * Execution modifiers: how a call is carried out.
 *
 * @module
 */

import type { Strategy } from "./internal/call_request.ts";
import type { Duration } from "./internal/duration.ts";

/** Which process runs a call that only one runs. */
export interface TargetOptions {
  /** The process that must run it. @default {any that offers the callback} */
  to?: string;
  /** How one is chosen if several offer the callback. @default {"random"} */
  strategy?: Strategy;
}

/** Options of {@linkcode FG}. */
export interface FgOptions extends TargetOptions {
  /** How long to wait for the result, a stream's last item included. @default {`defaultTimeout`} */
  timeout?: Duration;
  /** Cancels the call. @default {none} */
  signal?: AbortSignal;
}

/** Options of {@linkcode BG}. */
export interface BgOptions extends FgOptions {
  /** How long to wait before the call is sent. @default {it is sent at once} */
  eta?: Duration;
}

/** Options of {@linkcode NO_RETURN}. */
export interface NoReturnOptions extends TargetOptions {
  /** How long to wait before the call is sent. @default {it is sent at once} */
  eta?: Duration;
}

/** Options of {@linkcode BROADCAST}. */
export interface BroadcastOptions {
  /** Whether to wait for the results of all processes. @default {false} */
  returnResult?: boolean;
  /** How long to wait for the results. @default {`defaultTimeout`} */
  timeout?: Duration;
  /** How long to wait before the call is sent. @default {it is sent at once} */
  eta?: Duration;
  /** Cancels the call. @default {none} */
  signal?: AbortSignal;
}

/** Options of {@linkcode STREAM}. */
export interface StreamOptions {
  /** The only process to take the items. @default {every process that offers the callback} */
  to?: string;
  /** How long all of it may take. @default {`defaultTimeout`} */
  timeout?: Duration;
  /** Cancels the call. @default {none} */
  signal?: AbortSignal;
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

/** A modifier as exported: a value by itself, and a function that gives it options. */
export interface ModifierFunction<K extends ModifierKind> extends Modifier<K> {
  /** Gives the modifier options. */
  <O extends ModifierOptions[K]>(options: O): Modifier<K, O>;
}

function modifier<K extends ModifierKind>(kind: K): ModifierFunction<K> {
  const withOptions = <O extends ModifierOptions[K]>(options: O): Modifier<K, O> => ({
    kind,
    options,
  });
  return Object.freeze(Object.assign(withOptions, { kind, options: {} as ModifierOptions[K] }));
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
export const BROADCAST: ModifierFunction<"broadcast"> = modifier("broadcast");

/** Calls the callback once for each item of an iterable, on every process that offers it. */
export const STREAM: ModifierFunction<"stream"> = modifier("stream");
