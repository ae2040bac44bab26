/**
 * Checking the options of a `Global` and filling in the defaults.
 *
 * @module
 */

import { processCallbacks } from "./callback.ts";
import { InitializationError } from "./errors.ts";
import { badOption, checkInteger } from "./internal/bad_option.ts";
import { parseDuration } from "./internal/duration.ts";
import { checkOptionNames } from "./internal/known_options.ts";
import type { Logger } from "./internal/log.ts";
import { show } from "./internal/show.ts";
import type { ReconnectPolicy } from "./link/backoff.ts";
import type { HeartbeatPolicy } from "./link/heartbeat.ts";
import type { GlobalOptions, HeartbeatOptions, ReconnectOptions } from "./options.ts";
import { CallbackRegistry } from "./registry/callback_registry.ts";
import { type Parts, providedParts } from "./parts.ts";
import { type ResolvedSecurity, SECURITY_OPTIONS } from "./resolve_security.ts";
import type { ControllerAddress, WebPlace } from "./transport/places.ts";
import { nameProblem } from "./wire/control.ts";
import {
  DEFAULT_MAX_FRAME_BYTES,
  MAX_MAX_FRAME_BYTES,
  MIN_MAX_FRAME_BYTES,
} from "./wire/limits.ts";
import { makeUuid } from "./internal/uuid.ts";

/** Options, checked and complete. */
export interface ResolvedOptions {
  readonly processName: string;
  readonly initController: boolean;
  readonly initNode: boolean;
  /** `undefined` for a controller that is reached over the web alone. */
  readonly address: ControllerAddress | undefined;
  /** Of a controller. */
  readonly web: WebPlace | undefined;
  readonly security: ResolvedSecurity;
  readonly defaultTimeoutMs: number;
  readonly callbacks: CallbackRegistry;
  readonly reconnect: ReconnectPolicy | undefined;
  readonly heartbeat: HeartbeatPolicy | undefined;
  readonly taskStore: GlobalOptions["taskStore"];
  /** Read by what runs sent functions. */
  readonly transfer: GlobalOptions["transfer"];
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
  ...["url", "token", "web"],
  ...[
    "defaultTimeout",
    "callbacks",
    "reconnect",
    "heartbeat",
    "taskStore",
    "transfer",
    "maxFrameBytes",
    "logger",
  ],
  ...SECURITY_OPTIONS,
  ...HOOKS,
];

/**
 * Checks options and fills in the defaults.
 *
 * @throws {InitializationError} when an option is unknown, has a value that it cannot have, or does
 * not go with another one.
 */
export function resolveOptions(
  options: GlobalOptions,
  parts: Pick<Parts, "resolveEntrance" | "calm"> = providedParts(),
): ResolvedOptions {
  checkOptionNames("Global", options, NAMES);
  const {
    processName = `process-${makeUuid()}`,
    initController = false,
    initNode = true,
    defaultTimeout = Infinity,
    callbacks = processCallbacks,
    reconnect = true,
    heartbeat = true,
    maxFrameBytes = DEFAULT_MAX_FRAME_BYTES,
    logger = console,
  } = options;
  const problem = nameProblem(processName);
  if (problem !== undefined) throw new InitializationError(`Cannot start: processName ${problem}`);
  for (const [name, value] of Object.entries({ initController, initNode })) {
    if (typeof value !== "boolean") badOption(name, value, "true or false");
  }
  if (!initController && !initNode) {
    throw new InitializationError(
      "Cannot start: initController and initNode are both false",
    );
  }
  if (!(callbacks instanceof CallbackRegistry)) {
    badOption("callbacks", callbacks, "a CallbackRegistry");
  }
  checkInteger("maxFrameBytes", maxFrameBytes, MIN_MAX_FRAME_BYTES, MAX_MAX_FRAME_BYTES);
  if (typeof logger?.warn !== "function" || typeof logger?.error !== "function") {
    badOption("logger", logger, "an object with warn and error");
  }
  const { address, web, security } = parts.resolveEntrance(options);
  return {
    processName,
    initController,
    initNode,
    address,
    web,
    security,
    defaultTimeoutMs: parseDuration(defaultTimeout, "defaultTimeout", { allowInfinity: true }),
    callbacks,
    reconnect: resolveReconnect(reconnect),
    heartbeat: resolveHeartbeat(heartbeat),
    taskStore: options.taskStore,
    transfer: options.transfer,
    maxFrameBytes,
    logger: parts.calm(logger),
    hooks: resolveHooks(options),
  };
}

function resolveReconnect(reconnect: boolean | ReconnectOptions): ResolvedOptions["reconnect"] {
  if (reconnect === false) return undefined;
  if (reconnect !== true && (typeof reconnect !== "object" || reconnect === null)) {
    badOption("reconnect", reconnect, "true, false or an object");
  }
  if (reconnect !== true) {
    checkOptionNames("reconnect", reconnect, ["minDelayMs", "maxDelayMs", "maxAttempts"]);
  }
  const { minDelayMs = 100, maxDelayMs = 2_000, maxAttempts = Infinity } = reconnect === true
    ? {}
    : reconnect;
  for (const [name, value] of Object.entries({ minDelayMs, maxDelayMs })) {
    if (!(Number.isFinite(value) && value > 0)) {
      badOption(`reconnect.${name}`, value, "a number of milliseconds above zero");
    }
  }
  if (minDelayMs > maxDelayMs) {
    badOption("reconnect.minDelayMs", minDelayMs, `at most maxDelayMs, which is ${maxDelayMs}`);
  }
  if (maxAttempts !== Infinity) {
    checkInteger("reconnect.maxAttempts", maxAttempts, 1, Number.MAX_SAFE_INTEGER);
  }
  return { minDelayMs, maxDelayMs, maxAttempts };
}

function resolveHeartbeat(heartbeat: boolean | HeartbeatOptions): ResolvedOptions["heartbeat"] {
  if (heartbeat === false) return undefined;
  if (heartbeat !== true && (typeof heartbeat !== "object" || heartbeat === null)) {
    badOption("heartbeat", heartbeat, "true, false or an object");
  }
  if (heartbeat !== true) checkOptionNames("heartbeat", heartbeat, ["interval", "timeout"]);
  const { interval = "5s", timeout = "15s" } = heartbeat === true ? {} : heartbeat;
  const intervalMs = parseDuration(interval, "heartbeat.interval");
  const timeoutMs = parseDuration(timeout, "heartbeat.timeout");
  if (timeoutMs <= intervalMs) {
    badOption("heartbeat.timeout", timeout, `more than interval, which is ${show(interval)}`);
  }
  return { intervalMs, timeoutMs };
}

function resolveHooks(options: GlobalOptions): Pick<GlobalOptions, HookName> {
  const hooks: Partial<Record<HookName, unknown>> = {};
  for (const name of HOOKS) {
    const hook = options[name];
    if (hook === undefined) continue;
    if (typeof hook !== "function") badOption(name, hook, "a function");
    hooks[name] = hook;
  }
  return hooks as Pick<GlobalOptions, HookName>;
}
