/**
 * Parts of a `Global` that a page cannot have, or would load in vain.
 *
 * @module
 */

import { InitializationError, TransferError } from "./errors.ts";
import { type Logger, safely } from "./internal/log.ts";
import { messageAddress } from "./message_address.ts";
import type { TransferService } from "./node/transfer_service.ts";
import type { GlobalOptions } from "./options.ts";
import type { AnyFunction } from "./registry/registered_callback.ts";
import type { ResolvedOptions } from "./resolve_options.ts";
import { type ResolvedSecurity, resolveSecret } from "./resolve_security.ts";
import { Runtime } from "./runtime.ts";
import type { MakeTasks } from "./node/task_service.ts";
import type { TaskStore } from "./scheduler/task_store.ts";
import type { CompileCron } from "./scheduler/trigger.ts";
import type { FunctionSource } from "./transfer/function_source.ts";
import type { ControllerAddress, WebPlace } from "./transport/places.ts";
import type { LargePayloads } from "./wire/large_payloads.ts";

/** Where the controller is, and how processes get in. */
export interface Entrance {
  readonly address: ControllerAddress | undefined;
  readonly web: WebPlace | undefined;
  readonly security: ResolvedSecurity;
}

/** What a `Global` may have besides a node that joins by WebSocket or MessagePort. */
export interface Parts {
  /** Checks the options that say where the controller is, and who may join, and those that a page does not have. */
  readonly resolveEntrance: (options: GlobalOptions) => Entrance;
  /** Starts everything. */
  readonly makeRuntime: (g: unknown, options: ResolvedOptions, parts: Parts) => Runtime;
  /** Makes what runs tasks, with what the option `taskStore` stands for; `undefined` where none is ever run. */
  readonly makeTasks: (store: string | TaskStore | undefined) => MakeTasks | undefined;
  /** Makes what runs the functions that others send; `undefined` where none is ever run. */
  readonly makeTransfers: (
    transfer: GlobalOptions["transfer"],
    maxFrameBytes: number,
    logger: Logger,
  ) => TransferService | undefined;
  /** Takes the source of a function that is sent. A page leaves it to the receiver to see what it is. */
  readonly sourceOf: (fn: AnyFunction) => FunctionSource;
  /** Makes a logger that others cannot fill; a page's log is nobody's file. */
  readonly calm: (logger: Logger) => Logger;
  /** Sends large frames in parts, as it suits where the controller is; a page sends them as a whole. */
  readonly large: ((address: ControllerAddress | undefined) => LargePayloads) | undefined;
  /** Reads cron expressions. */
  readonly compileCron: CompileCron | undefined;
}

const refuse = (what: string, instead = "import Global from @daffi/core for that"): never => {
  throw new InitializationError(`Cannot start: @daffi/core/browser has no ${what}; ${instead}`);
};

let parts: Parts = {
  resolveEntrance(options) {
    const { initController, secret, tls, authorize, url, port, host, unixSockPath, web } = options;
    if (initController) refuse("Controller");
    if (tls !== undefined) refuse("tls", "give url with wss:");
    if (authorize !== undefined) refuse("authorize");
    const address = messageAddress(options);
    const other = host ?? unixSockPath ?? web ?? (url === undefined ? undefined : port);
    if (address === undefined || other !== undefined) {
      refuse("TCP and no UNIX sockets", "give either url, or port as a MessagePort");
    }
    return {
      address,
      web: undefined,
      security: { secret: resolveSecret(secret) },
    };
  },
  makeRuntime: (...all) => new Runtime(...all),
  makeTasks(store) {
    if ((store ?? "memory") !== "memory") refuse("taskStore");
    return undefined;
  },
  makeTransfers(transfer = "deny") {
    if (transfer !== "deny") refuse('transfer but "deny"');
    return undefined;
  },
  sourceOf(fn) {
    if (typeof fn !== "function") throw new TransferError("Cannot send it: it is no function");
    return { name: fn.name || "the function", source: String(fn) };
  },
  calm: safely,
  large: undefined,
  compileCron: undefined, // that is left to the process that runs the task
};

/** Provides all parts, while `mod.ts` is loaded and before there is any `Global`. */
export function provideParts(all: Parts): void {
  parts = all;
}

/** The parts that there are. */
export function providedParts(): Parts {
  return parts;
}
