/**
 * The options of a `Global`: what they mean and their defaults.
 *
 * @module
 */

import type { Global } from "./global.ts";
import type { Authorize } from "./internal/authorization.ts";
import type { Duration } from "./internal/duration.ts";
import type { Logger } from "./internal/log.ts";
import type { CallbackRegistry } from "./registry/callback_registry.ts";
import type { TaskFailureInfo } from "./scheduler/task.ts";
import type { TaskStore } from "./scheduler/task_store.ts";
import type { TransferMode, TransferOptions } from "./transfer/transfer_options.ts";

/**
 * A function that is called when something happens to a `Global`. It gets the own name, or, as
 * `onProcessJoin` and `onProcessLeave`, that of the other process. What it throws is logged. Nobody waits for it,
 * but {@linkcode Global.join} after a signal: up to 10 s. It is not called, and that is logged, while 16,384 calls of it
 * have not finished.
 */
// deno-lint-ignore no-explicit-any -- it must take a Global of any remote callbacks
export type LifecycleFunction = (g: Global<any>, processName: string) => void | Promise<void>;

/**
 * A function that is called when a run of a scheduled task fails. What it throws is logged. It is not called, and that is
 * logged, while 16,384 calls of it have not finished.
 */
export type TaskFailureFunction = (
  // deno-lint-ignore no-explicit-any -- it must take a Global of any remote callbacks
  g: Global<any>,
  failure: TaskFailureInfo,
) => void | Promise<void>;

/** How a node finds its controller again: full-jitter exponential backoff. */
export interface ReconnectOptions {
  /** Longest delay after the first failed attempt, in milliseconds. @default {100} */
  minDelayMs?: number | undefined;
  /** Longest delay there is, in milliseconds. @default {2000} */
  maxDelayMs?: number | undefined;
  /** Failed attempts in a row after which the node gives up. @default {Infinity} */
  maxAttempts?: number | undefined;
}

/** What a controller shows to its nodes, so that they know it and what is sent is encrypted. */
export interface ControllerTlsOptions {
  /** Its certificate first, then those between it and its authority, as PEM. It must be for its `host`. */
  cert: string;
  /** The certificate's private key, as PEM. */
  key: string;
}

/** What a node trusts. Certificates are always verified; there is no way around it. */
export interface NodeTlsOptions {
  /** Authorities, as PEM, besides those that the machine trusts. @default {none} */
  caCerts?: readonly string[] | undefined;
}

/** How soon the other side of a connection is known to be lost when it does not say so. */
export interface HeartbeatOptions {
  /** How often the other side of an idle connection is asked for a sign of life. @default {"5s"} */
  interval?: Duration | undefined;
  /**
   * How long nothing at all has to come for the connection to be lost. A callback may block its
   * process for less than that. More than `interval`. @default {"15s"}
   */
  timeout?: Duration | undefined;
}

/** How nodes, pages among them, reach a Controller by WebSocket. */
export interface WebOptions {
  /** Host to serve on. @default {"localhost" if `port` is given} */
  host?: string | undefined;
  /** Port to serve on; 0 for a free one, which `g.url` tells. @default {0 if `host` is given} */
  port?: number | undefined;
  /**
   * Origins of pages that are let in, such as `"https://example.com"`, or `"*"` for all. Any page can
   * open a WebSocket to any address that its browser reaches, this machine's own included. Who is not
   * a page sends no origin and is let in.
   * @default {the origin of the request itself, if by https, an IP address or localhost}
   */
  origins?: readonly string[] | undefined;
  /**
   * Secret texts of 1 to 4,096 characters, of which whoever comes must have one, as `token`, each time that it connects. Pages can
   * read theirs, so give them short-lived ones; one that comes back later makes a new `Global`, with a new one.
   * @default {none is needed}
   */
  tokens?: readonly string[] | undefined;
}

/** Options of a {@linkcode Global}. */
export interface GlobalOptions {
  /** How other processes name this node: at most 256 bytes as UTF-8. @default {random and unique} */
  processName?: string | undefined;
  /** Whether to run the Controller in this process. @default {false} */
  initController?: boolean | undefined;
  /** Whether to run a Node in this process. @default {true} */
  initNode?: boolean | undefined;
  /** TCP host to listen on or to connect to. @default {"localhost" if `port` is given} */
  host?: string | undefined;
  /**
   * TCP port; a controller without one takes a free one. For a node in a worker the `MessagePort` whose
   * other end its parent gives to {@linkcode Global.attach}.
   * @default {none}
   */
  port?: number | MessagePort | undefined;
  /**
   * Directory of the UNIX socket `.sock`.
   * @default {"<temp dir>/daffi", if none of `host`, `port`, `url` and `web` is given}
   */
  unixSockPath?: string | undefined;
  /**
   * What the controller and all nodes must know: each side proves it to the other, and it is never
   * sent. Make it random, with 32 bytes or so, for instance by
   * `crypto.getRandomValues(new Uint8Array(32)).toHex()`: whoever listens to a handshake can try out
   * secrets at home. It decides who may join, and does not encrypt what is sent then: see `tls`.
   * @default {none}
   */
  secret?: string | undefined;
  /**
   * Encrypts TCP by TLS. `{ cert, key }` where the Controller is; `{}` or `{ caCerts }` in its nodes,
   * to which the Controller proves by its certificate who it is. It does not tell who they are: see
   * `secret` and `authorize`.
   * @default {none}
   */
  tls?: ControllerTlsOptions | NodeTlsOptions | undefined;
  /**
   * Decides, where the Controller is, who may do what: join, offer callbacks, call them, schedule
   * tasks, send functions. Only `true` allows it, at once or within four seconds; otherwise the process gets an
   * `AuthenticationError`. If it throws or takes longer when a node joins, the node is refused, but tries again.
   * It is called once per caller, callback and target, and the answer is kept until caller or target leaves. While it
   * decides, everything from that caller waits, so it must not itself wait for the caller. The node in the
   * Controller's own process is not checked, except for `"stopNodes"`.
   * @default {everything is allowed to whoever has joined}
   */
  authorize?: Authorize | undefined;
  /**
   * Whether a Controller may listen on an address that other machines reach without a `secret`, and without `tls`
   * plus `authorize` (for `host`) or `web.tokens` (for `web.host`).
   * @default {false}
   */
  insecure?: boolean | undefined;
  /** Where a node finds its controller by WebSocket: `ws://…` or `wss://…`. @default {none} */
  url?: string | undefined;
  /** What the `web.tokens` of the controller at `url` ask for. @default {none} */
  token?: string | undefined;
  /**
   * How nodes reach the Controller by WebSocket, besides TCP or a UNIX socket, or, if no address of
   * these is given, alone. With `host` or `port` it serves them itself; `true` or no address leaves it
   * to {@linkcode Global.fetch}.
   * @default {true; without any address the Controller then listens on the UNIX socket as well}
   */
  web?: true | WebOptions | undefined;
  /** Timeout of calls that give none. @default {none} */
  defaultTimeout?: Duration | undefined;
  /** The callbacks that the node offers. @default {those registered by `callback`} */
  callbacks?: CallbackRegistry | undefined;
  /**
   * How the node finds its controller again; `false` to give up instead. One that has joined by a `MessagePort` cannot.
   * @default {on}
   */
  reconnect?: boolean | ReconnectOptions | undefined;
  /**
   * How soon a process that is frozen or cut off counts as lost; `false` to notice only what the
   * system tells of a connection. @default {on}
   */
  heartbeat?: boolean | HeartbeatOptions | undefined;
  /** Called once, after the start. */
  onInit?: LifecycleFunction | undefined;
  /** Called each time the node has connected. */
  onNodeConnect?: LifecycleFunction | undefined;
  /** Called each time the node has lost its connection or left. */
  onNodeDisconnect?: LifecycleFunction | undefined;
  /**
   * Called when another process came, with its name; also for each that is there when this node joins,
   * before `onNodeConnect` and `onInit`.
   */
  onProcessJoin?: LifecycleFunction | undefined;
  /**
   * Called when another process left, with its name; also for each that was there when this node's own
   * connection ends, before `onNodeDisconnect`.
   */
  onProcessLeave?: LifecycleFunction | undefined;
  /**
   * What happens to functions that others send by `transferAndCall`: they run in a sandbox without
   * permissions, in the node's own isolate, or not at all.
   * @default {"sandbox", or "deny" in pages, Node.js, Bun and programs made by `deno compile`}
   */
  transfer?: TransferMode | TransferOptions | undefined;
  /**
   * Called when a run fails of a task that this process, or one that had its name before, has scheduled on another one.
   */
  onTaskFailure?: TaskFailureFunction | undefined;
  /**
   * Where this node keeps the tasks that are scheduled on it: `"memory"`, the path of a SQLite file, so
   * that they survive a restart, or a store of your own.
   * @default {"memory"}
   */
  taskStore?: string | TaskStore | undefined;
  /**
   * Largest frame, and so nearly the largest value, in bytes: 65,536 (64 KiB) to 1,073,741,824 (1 GiB).
   * @default {67108864}
   */
  maxFrameBytes?: number | undefined;
  /** Where to tell what no caller hears of. @default {console} */
  logger?: Logger | undefined;
}

/** Options of {@linkcode Global.join}. */
export interface JoinOptions {
  /** How long running callbacks may take to finish after SIGINT or SIGTERM. @default {"10s"} */
  drainTimeout?: Duration | undefined;
}

/** Options of {@linkcode Global.stop}. */
export interface StopOptions {
  /** How long running callbacks may take to finish. @default {"10s"} */
  drainTimeout?: Duration | undefined;
  /**
   * Whether to stop every connected node too; only where the Controller is. They are waited for up to `drainTimeout`,
   * before the own callbacks are; each lets its callbacks finish for 10 s.
   * @default {false}
   */
  killAllConnectedNodes?: boolean | undefined;
}
