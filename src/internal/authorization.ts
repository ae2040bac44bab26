/**
 * What an `authorize` function is asked.
 *
 * @module
 */

import type { TaskOperation } from "./task_operations.ts";

/** What a process is about to do, told apart by `action`. */
export type AuthorizationRequest =
  | {
    /** A process wants to join. */
    readonly action: "join";
    /** The name that it wants. */
    readonly processName: string;
    /** Its network address; `undefined` over UNIX sockets and MessagePorts, and if `g.fetch` is not told it. */
    readonly address: string | undefined;
    /** What it offers. */
    readonly callbacks: readonly string[];
  }
  | {
    /** A process wants to offer more callbacks than those that it joined with. */
    readonly action: "offer";
    /** The process. */
    readonly processName: string;
    /** What it wants to offer more. */
    readonly callbacks: readonly string[];
  }
  | {
    /** A process wants to call another's callback. */
    readonly action: "call";
    /** The process that calls. */
    readonly caller: string;
    /** The process that is called. */
    readonly processName: string;
    /** The callback. */
    readonly callbackName: string;
  }
  | {
    /** A process wants something of another's scheduler. */
    readonly action: "schedule";
    /** The process that asks. */
    readonly caller: string;
    /** The process that runs the tasks. */
    readonly processName: string;
    /** What it wants. */
    readonly operation: TaskOperation;
    /** The callback that a task to `"create"` would run. */
    readonly callbackName?: string;
    /** The task, if it concerns one that is there. */
    readonly uuid?: string;
  }
  | {
    /** A process wants to run functions that it sends to another. */
    readonly action: "transfer";
    /** The process that sends them. */
    readonly caller: string;
    /** The process that runs them. */
    readonly processName: string;
  }
  | {
    /** This process wants to stop all others, by `stop({ killAllConnectedNodes: true })`. */
    readonly action: "stopNodes";
    /** This process. */
    readonly processName: string;
  };

/** Decides: only `true` allows; anything else, an error or no answer in time denies. */
export type Authorize = (request: AuthorizationRequest) => boolean | Promise<boolean>;
