/**
 * The options of a `Global`: what they mean, their defaults, and what is valid.
 *
 * @module
 */

import { processCallbacks } from "./callback.ts";
import { InitializationError } from "./errors.ts";
import type { Global } from "./global.ts";
import { type Duration, parseDuration } from "./internal/duration.ts";
import type { Logger } from "./internal/log.ts";
import { checkOptionNames } from "./internal/known_options.ts";
import { show } from "./internal/show.ts";
import { CallbackRegistry } from "./registry/callback_registry.ts";
import type { TaskStore } from "./scheduler/task_store.ts";
import { resolveTransfer } from "./transfer/resolve_transfer.ts";
import type {
  ResolvedTransferOptions,
  TransferMode,
  TransferOptions,
} from "./transfer/transfer_options.ts";
import { nameProblem } from "./wire/control.ts";
import {
  DEFAULT_MAX_FRAME_BYTES,
  MAX_MAX_FRAME_BYTES,
  MIN_MAX_FRAME_BYTES,
} from "./wire/limits.ts";

/** A function that is called when something happens to a `Global`. */
// deno-lint-ignore no-explicit-any -- it must take a Global of any remote callbacks
export type LifecycleFunction = (g: Global<any>, processName: string) => void | Promise<void>;

/** A run of a scheduled task that failed. */
export interface TaskFailureInfo {
  /** The task. */
  readonly uuid: string;
  /** The process that ran it. */
  readonly processName: string;
  /** The callback. */
  readonly callbackName: string;
  /** What it threw. */
  readonly message: string;
}

/** A function that is called when a run of a scheduled task fails. */
export type TaskFailureFunction = (
  // deno-lint-ignore no-explicit-any -- it must take a Global of any remote callbacks
  g: Global<any>,
  failure: TaskFailureInfo,
) => void | Promise<void>;

/** How a node finds its controller again: full-jitter exponential backoff. */
export interface ReconnectOptions {
  /** Longest delay after the first failed attempt, in milliseconds. @default {100} */
  minDelayMs?: number;
  /** Longest delay there is, in milliseconds. @default {2000} */
  maxDelayMs?: number;
  /** Failed attempts in a row after which the node gives up. @default {Infinity} */
  maxAttempts?: number;
}

/** Options of a {@linkcode Global}. */
export interface GlobalOptions {
  /** How other processes name this node. @default {random and unique} */
  processName?: string;
  /** Whether to run the Controller in this process. @default {false} */
  initController?: boolean;
  /** Whether to run a Node in this process. @default {true} */
  initNode?: boolean;
  /** TCP host to listen on or to connect to. @default {"localhost" if `port` is given} */
  host?: string | undefined;
  /** TCP port. A controller without one takes a free one. @default {none} */
  port?: number | undefined;
  /**
   * Directory of the UNIX socket `.sock`, used when neither `host` nor `port` is given.
   * @default {"<temp dir>/daffi"}
   */
  unixSockPath?: string | undefined;
  /** Timeout of calls that give none. @default {none} */
  defaultTimeout?: Duration;
  /** The callbacks that the node offers. @default {those registered by `callback`} */
  callbacks?: CallbackRegistry;
  /** How the node finds its controller again; `false` to give up instead. @default {on} */
  reconnect?: boolean | ReconnectOptions;
  /** Called once, after the start. */
  onInit?: LifecycleFunction;
  /** Called each time the node has connected. */
  onNodeConnect?: LifecycleFunction;
  /** Called each time the node has lost its connection or left. */
  onNodeDisconnect?: LifecycleFunction;
  /** Called when another process came, with its name. */
  onProcessJoin?: LifecycleFunction;
  /** Called when another process left, with its name. */
  onProcessLeave?: LifecycleFunction;
  /**
   * What happens to functions that others send by `transferAndCall`: they run in a sandbox without
   * permissions, in the node's own isolate, or not at all.
   * @default {"sandbox", or "deny" where there are no subprocesses}
   */
  transfer?: TransferMode | TransferOptions;
  /** Called when a task that this process has scheduled elsewhere, or here, fails in a run. */
  onTaskFailure?: TaskFailureFunction;
  /**
   * Where this node keeps the tasks that others have scheduled on it: the path of a SQLite file, so
   * that they survive a restart, or a store of your own.
   * @default {memory}
   */
  taskStore?: string | TaskStore;
  /** Largest frame, and so nearly the largest value, in bytes. @default {67108864} */
  maxFrameBytes?: number;
  /** Where to tell what no caller hears of. @default {console} */
  logger?: Logger;
}

/** Options of {@linkcode Global.stop}. */
export interface StopOptions {
  /** How long running callbacks may take to finish. @default {"10s"} */
  drainTimeout?: Duration;
  /** Whether to stop every connected node too; only where the Controller is. @default {false} */
  killAllConnectedNodes?: boolean;
}

/** Where the controller is. */
export type ControllerAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly directory: string | undefined };

/** Options, checked and complete. */
export interface ResolvedOptions {
  readonly processName: string;
  readonly initController: boolean;
  readonly initNode: boolean;
  readonly address: ControllerAddress;
  readonly defaultTimeoutMs: number;
  readonly callbacks: CallbackRegistry;
  readonly reconnect:
    | { readonly minDelayMs: number; readonly maxDelayMs: number; readonly maxAttempts: number }
    | undefined;
  readonly taskStore: string | TaskStore | undefined;
  readonly transfer: ResolvedTransferOptions;
  readonly maxFrameBytes: number;
  readonly logger: Logger;
  readonly hooks: Pick<GlobalOptions, HookName>;
}

/** The options that are functions. */
export type HookName = typeof HOOKS[number];

const HOOKS = [
  "onInit",
  "onNodeConnect",
  "onNodeDisconnect",
  "onProcessJoin",
  "onProcessLeave",
  "onTaskFailure",
] as const;

const NAMES: readonly string[] = [
  ...["processName", "initController", "initNode", "host", "port", "unixSockPath"],
  ...[
    "defaultTimeout",
    "callbacks",
    "reconnect",
    "taskStore",
    "transfer",
    "maxFrameBytes",
    "logger",
  ],
  ...HOOKS,
];

/**
 * Checks options and fills in the defaults.
 *
 * @throws {InitializationError} when an option is unknown, has a value that it cannot have, or does
 * not go with another one.
 */
export function resolveOptions(options: GlobalOptions): ResolvedOptions {
  checkOptionNames("Global", options, NAMES);
  const {
    processName = `process-${crypto.randomUUID()}`,
    initController = false,
    initNode = true,
    defaultTimeout = Infinity,
    callbacks = processCallbacks,
    reconnect = true,
    maxFrameBytes = DEFAULT_MAX_FRAME_BYTES,
    logger = console,
  } = options;
  const problem = nameProblem(processName);
  if (problem !== undefined) throw new InitializationError(`Cannot start: processName ${problem}`);
  for (const [name, value] of Object.entries({ initController, initNode })) {
    if (typeof value !== "boolean") fail(name, value, "true or false");
  }
  if (!initController && !initNode) {
    throw new InitializationError(
      "Cannot start: initController and initNode are both false, so there is nothing to run",
    );
  }
  if (!(callbacks instanceof CallbackRegistry)) fail("callbacks", callbacks, "a CallbackRegistry");
  checkInteger("maxFrameBytes", maxFrameBytes, MIN_MAX_FRAME_BYTES, MAX_MAX_FRAME_BYTES);
  if (typeof logger?.warn !== "function" || typeof logger?.error !== "function") {
    fail("logger", logger, "an object with warn and error");
  }
  return {
    processName,
    initController,
    initNode,
    address: resolveAddress(options, initController),
    defaultTimeoutMs: parseDuration(defaultTimeout, "defaultTimeout", { allowInfinity: true }),
    callbacks,
    reconnect: resolveReconnect(reconnect),
    taskStore: resolveTaskStore(options.taskStore),
    transfer: resolveTransfer(options.transfer),
    maxFrameBytes,
    logger,
    hooks: resolveHooks(options),
  };
}

function resolveAddress(options: GlobalOptions, initController: boolean): ControllerAddress {
  const { host, port, unixSockPath } = options;
  if (host !== undefined && (typeof host !== "string" || host === "")) {
    fail("host", host, "a host name or an IP address");
  }
  if (port !== undefined) checkInteger("port", port, initController ? 0 : 1, 65_535);
  if (unixSockPath !== undefined) {
    if (typeof unixSockPath !== "string" || unixSockPath === "") {
      fail("unixSockPath", unixSockPath, "the path of a directory");
    }
    if (host !== undefined || port !== undefined) {
      throw new InitializationError(
        "Cannot start: unixSockPath and host or port are both given; a UNIX socket has no host and port",
      );
    }
  }
  if (host === undefined && port === undefined) return { kind: "unix", directory: unixSockPath };
  if (port === undefined && !initController) {
    throw new InitializationError(
      "Cannot start: a node with host needs the port of its controller, which g.port tells there " +
        "once g.ready has resolved",
    );
  }
  return { kind: "tcp", host: host ?? "localhost", port: port ?? 0 };
}

function resolveReconnect(reconnect: boolean | ReconnectOptions): ResolvedOptions["reconnect"] {
  if (reconnect === false) return undefined;
  if (reconnect !== true && (typeof reconnect !== "object" || reconnect === null)) {
    fail("reconnect", reconnect, "true, false or an object");
  }
  if (reconnect !== true) {
    checkOptionNames("reconnect", reconnect, ["minDelayMs", "maxDelayMs", "maxAttempts"]);
  }
  const { minDelayMs = 100, maxDelayMs = 2_000, maxAttempts = Infinity } = reconnect === true
    ? {}
    : reconnect;
  for (const [name, value] of Object.entries({ minDelayMs, maxDelayMs })) {
    if (!(Number.isFinite(value) && value > 0)) {
      fail(`reconnect.${name}`, value, "a number of milliseconds above zero");
    }
  }
  if (minDelayMs > maxDelayMs) {
    fail("reconnect.minDelayMs", minDelayMs, `at most maxDelayMs, which is ${maxDelayMs}`);
  }
  if (maxAttempts !== Infinity) {
    checkInteger("reconnect.maxAttempts", maxAttempts, 1, Number.MAX_SAFE_INTEGER);
  }
  return { minDelayMs, maxDelayMs, maxAttempts };
}

function resolveTaskStore(store: GlobalOptions["taskStore"]): GlobalOptions["taskStore"] {
  if (store === undefined || store === "memory") return undefined;
  const isStore = typeof store === "object" && typeof store?.load === "function";
  if (store === "" || (typeof store !== "string" && !isStore)) {
    fail("taskStore", store, "the path of a file, or a TaskStore");
  }
  return store;
}

function resolveHooks(options: GlobalOptions): Pick<GlobalOptions, HookName> {
  const hooks: Partial<Record<HookName, unknown>> = {};
  for (const name of HOOKS) {
    const hook = options[name];
    if (hook === undefined) continue;
    if (typeof hook !== "function") fail(name, hook, "a function");
    hooks[name] = hook;
  }
  return hooks as Pick<GlobalOptions, HookName>;
}

function checkInteger(name: string, value: unknown, least: number, most: number): void {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return;
  fail(name, value, `a whole number from ${least} to ${most}`);
}

function fail(name: string, value: unknown, wanted: string): never {
  throw new InitializationError(`Cannot start: ${name} is ${show(value)}, ${wanted} is needed`);
}
