/**
 * `Global`: a process's part in the network.
 *
 * @module
 */

import type { WaitOptions } from "./wait_options.ts";
import type { GlobalOptions, JoinOptions, StopOptions } from "./options.ts";
import { providedParts } from "./parts.ts";
import { remoteCallbacks } from "./remote_call.ts";
import type { RemoteCallbacks, UntypedCallbacks } from "./remote_types.ts";
import { resolveOptions } from "./resolve_options.ts";
import type { Runtime } from "./runtime.ts";
import type { ScheduledTaskInfo } from "./scheduler/task.ts";
import type { GlobalStats } from "./stats.ts";
import { readJoinOptions, readStopOptions } from "./stop_options.ts";
import { TaskClient } from "./task_client.ts";
import { TransferClient } from "./transfer_client.ts";

/**
 * A process's part in the network: a Controller, a Node, or both. Starts in the background; every
 * method waits until it is up.
 *
 * @typeParam Remote The callbacks of the other processes, for the compiler.
 *
 * @example
 * ```ts
 * import { callback, Global } from "@daffi/core";
 *
 * callback(function add(a: number, b: number) {
 *   return a + b;
 * });
 * await using g = new Global({ processName: "calculator", initController: true, host: "localhost" });
 * await g.ready;
 * console.log(`listening on port ${g.port}`);
 * ```
 */
export class Global<Remote = UntypedCallbacks> implements AsyncDisposable {
  /** The callbacks of the other processes, by name. */
  readonly call: RemoteCallbacks<Remote>;
  /**
   * Resolves when the Controller listens and the Node has joined; rejects with the reason when the
   * start fails. Whether somebody looks at it or not, a failed start fails every call.
   */
  readonly ready: Promise<void>;
  /**
   * Answers HTTP requests: nodes whose `url` leads here join by WebSocket. Bound to this `Global`, for
   * `Deno.serve(g.fetch)`, `export default { fetch: g.fetch }`, or a path of a server that does more.
   * Pages are let in as the option `web` says; what is no WebSocket is answered with status 426.
   *
   * `info` is what `Deno.serve` gives beside the request: by `info.remoteAddr.hostname`, a string, addresses
   * that send wrong secrets are slowed down, and `authorize` is told who wants to join. Of anything else
   * nothing is known. Behind a proxy it is the address of the proxy, which all share: give
   * `{ remoteAddr: { hostname } }` with what your proxy says, or nothing.
   *
   * @throws {GlobalContextError} when the Controller is not in this process.
   *
   * @example
   * ```ts
   * import { Global } from "@daffi/core";
   *
   * await using g = new Global({ initController: true, web: true });
   * await using server = Deno.serve({ port: 0 }, (request, info) => {
   *   if (new URL(request.url).pathname === "/daffi") return g.fetch(request, info);
   *   return new Response("Hello!");
   * });
   * await using node = new Global({ url: `ws://localhost:${server.addr.port}/daffi` });
   * await node.ready;
   * ```
   */
  readonly fetch: (request: Request, info?: unknown) => Promise<Response>;
  /** How other processes name this node. */
  readonly processName: string;
  /** Whether the Controller runs in this process. */
  readonly isController: boolean;
  readonly #runtime: Runtime;
  readonly #tasks: TaskClient;
  readonly #transfers: TransferClient;

  /**
   * Checks the options and starts in the background.
   *
   * @param options What to run, and where.
   * @throws {InitializationError} when an option is not valid.
   */
  constructor(options: GlobalOptions = {}) {
    const parts = providedParts();
    const resolved = resolveOptions(options, parts);
    const { processName, initController } = resolved;
    this.processName = processName;
    this.isController = initController;
    this.#runtime = parts.makeRuntime(this, resolved, parts);
    const requireNode = (verb: string, object: string) => this.#runtime.requireNode(verb, object);
    this.#tasks = new TaskClient(processName, requireNode, parts.compileCron);
    this.#transfers = new TransferClient(requireNode, parts.sourceOf);
    this.call = remoteCallbacks(this.#runtime.calls, this.#tasks) as RemoteCallbacks<Remote>;
    this.ready = this.#runtime.ready;
    this.fetch = (request, info) => this.#runtime.fetch(request, info);
  }

  /** TCP host as bound or connected. */
  get host(): string | undefined {
    return this.#runtime.address.host;
  }

  /** TCP port as bound or connected; of a controller without a given port known once it is ready. */
  get port(): number | undefined {
    return this.#runtime.address.port || undefined;
  }

  /** Path of the UNIX socket as bound or connected; known once it is ready. */
  get socketPath(): string | undefined {
    return this.#runtime.address.socketPath;
  }

  /** WebSocket URL as served or connected; of a controller known once it is ready. */
  get url(): string | undefined {
    return this.#runtime.address.url;
  }

  /**
   * Lets the node at the other end of a port join: one in a `Worker`, a frame, or whatever else can be
   * sent a port. It has a minute to join. When the port closes, its node is gone, and its `Global` fails: a new one
   * needs a new port.
   *
   * @param port One end; the other is the node's option `port`.
   * @throws {GlobalContextError} when the Controller is not in this process.
   * @throws {InitializationError} when it is no port.
   *
   * @example
   * ```ts
   * import { Global } from "@daffi/core";
   *
   * await using g = new Global({ initController: true, host: "localhost" });
   * const { port1, port2 } = new MessageChannel();
   * g.attach(port1);
   * // In a worker: `worker.postMessage(port2, [port2])` here, and there
   * // `self.onmessage = ({ data }) => new Global({ processName: "worker", port: data })`.
   * await using node = new Global({ processName: "node", port: port2 });
   * await g.waitProcess("node");
   * ```
   */
  attach(port: MessagePort): void {
    this.#runtime.attach(port);
  }

  /**
   * The callbacks of the other processes by process name: the same object each time, which changes with the network.
   *
   * @throws {GlobalContextError} when there is no Node, or it is stopped.
   */
  get registeredCallbacks(): Record<string, string[]> {
    return this.#runtime.requireNode("look at", "the callbacks of others").network
      .registeredCallbacks();
  }

  /** What was counted of things that no caller hears of. */
  get stats(): GlobalStats {
    return this.#runtime.stats;
  }

  /**
   * Waits until a process is connected.
   *
   * @param processName Its name.
   * @throws {CallTimeoutError} when it does not come in time.
   * @throws {CallCancelledError} when `signal` aborts.
   * @throws {InitializationError} when the name or an option is not valid.
   * @throws {GlobalContextError} when there is no Node, or it is stopped meanwhile.
   */
  waitProcess(processName: string, options: WaitOptions = {}): Promise<void> {
    return this.#runtime.wait("process", processName, options);
  }

  /**
   * Waits until another process offers a callback.
   *
   * @param callbackName Its name.
   * @throws {DaffiError} as {@linkcode Global.waitProcess}.
   */
  waitFunction(callbackName: string, options: WaitOptions = {}): Promise<void> {
    return this.#runtime.wait("callback", callbackName, options);
  }

  /**
   * Sends a function to another process and runs it there. It takes nothing along but its own source:
   * what it needs comes as arguments, or is imported in its body.
   *
   * @param processName The process that is to run it.
   * @param fn The function, sync or async.
   * @param args Its arguments.
   * @returns Its result.
   * @throws {TransferError} when it cannot be sent, is not allowed there, or was ended there.
   * @throws {RemoteCallError} when it throws.
   * @throws {ProcessNotFoundError} when the process is not connected.
   * @throws {EncodeError} when an argument or the result cannot travel.
   * @throws {CallTimeoutError} when `defaultTimeout` is over, or the time of the call that this is part of.
   * @throws {CallCancelledError} when the call that this is part of is cancelled, or the process stops.
   * @throws {OverloadedError} when too many wait for their turn there, or for the connection here.
   * @throws {PeerLostError} when the process, or the connection, is lost.
   * @throws {AuthenticationError} when `authorize` does not allow it.
   * @throws {InitializationError} when the name of the process is none.
   * @throws {GlobalContextError} when there is no Node, or it is stopped.
   *
   * @example
   * ```ts
   * import { Global } from "@daffi/core";
   *
   * await using g = new Global({ host: "localhost", port: 8888 });
   * await g.waitProcess("other_process");
   * console.log(await g.transferAndCall("other_process", () => Deno.pid));
   * ```
   */
  // deno-lint-ignore no-explicit-any -- by `unknown` a parameter with a default, whose argument is left out, would be so
  transferAndCall<A extends any[], R>(
    processName: string,
    fn: (...args: A) => R,
    ...args: A
  ): Promise<Awaited<R>> {
    const method = this.transferAndCall;
    return this.#transfers.call(processName, fn, args, method) as Promise<Awaited<R>>;
  }

  /**
   * The UUIDs of all tasks that are scheduled on a process, whoever has scheduled them.
   *
   * @param processName The process; may be the own one.
   * @throws {ProcessNotFoundError} when it is not connected.
   * @throws {PeerLostError} when it, or the connection, is lost meanwhile.
   * @throws {CallTimeoutError} when `defaultTimeout` is over.
   * @throws {AuthenticationError} when `authorize` does not allow to schedule there.
   * @throws {InitializationError} when its name is none.
   * @throws {GlobalContextError} when there is no Node, or it is stopped.
   * @throws {DaffiError} with code `TASK` when it has no scheduler, as a page has none.
   */
  getScheduledTasks(processName: string): Promise<string[]> {
    return this.#tasks.list(processName);
  }

  /**
   * What is known of all tasks that are scheduled on a process.
   *
   * @param processName The process; may be the own one.
   * @throws {DaffiError} as {@linkcode Global.getScheduledTasks}.
   */
  describeScheduledTasks(processName: string): Promise<ScheduledTaskInfo[]> {
    return this.#tasks.describe(processName);
  }

  /**
   * Cancels what is left of a task. A run that is under way goes on.
   *
   * @param processName The process that runs it; may be the own one.
   * @param uuid The task.
   * @returns `true` if it was scheduled and is cancelled now.
   * @throws {InitializationError} when `uuid` is no UUID.
   * @throws {DaffiError} as {@linkcode Global.getScheduledTasks}; also with code `TASK` when it cannot be recorded.
   */
  cancelScheduledTaskByUuid(processName: string, uuid: string): Promise<boolean> {
    return this.#tasks.change("cancel", processName, uuid);
  }

  /**
   * Lets a task rest until it is resumed.
   *
   * @param processName The process that runs it; may be the own one.
   * @param uuid The task.
   * @returns `true` if it was scheduled and rests now.
   * @throws {DaffiError} as {@linkcode Global.cancelScheduledTaskByUuid}.
   */
  pauseScheduledTaskByUuid(processName: string, uuid: string): Promise<boolean> {
    return this.#tasks.change("pause", processName, uuid);
  }

  /**
   * Lets a paused task go on from now; what it missed is not made up for.
   *
   * @param processName The process that runs it; may be the own one.
   * @param uuid The task.
   * @returns `true` if it was paused and goes on now.
   * @throws {DaffiError} as {@linkcode Global.cancelScheduledTaskByUuid}.
   */
  resumeScheduledTaskByUuid(processName: string, uuid: string): Promise<boolean> {
    return this.#tasks.change("resume", processName, uuid);
  }

  /**
   * Runs a task now, besides its schedule: `overlap` and `maxRuns` hold, and what `overlap` or a full disk leaves out
   * counts as skipped.
   *
   * @param processName The process that runs it; may be the own one.
   * @param uuid The task.
   * @returns `true` if it is there, its callback is offered, and `maxRuns` is not reached.
   * @throws {DaffiError} as {@linkcode Global.cancelScheduledTaskByUuid}.
   */
  runScheduledTaskByUuid(processName: string, uuid: string): Promise<boolean> {
    return this.#tasks.change("run", processName, uuid);
  }

  /**
   * Waits until this `Global` has stopped. Meanwhile SIGINT and SIGTERM stop it gracefully; the process then ends
   * with code 0, 200 ms later: longer clean-up belongs into `onNodeDisconnect`, which has 10 s.
   *
   * @param options How long running callbacks may take then.
   * @throws {DaffiError} the reason, when the start failed or the node had to give up.
   */
  async join(options: JoinOptions = {}): Promise<void> {
    await this.#runtime.join(readJoinOptions(options));
  }

  /**
   * Stops: withdraws the callbacks, lets run what was called before others heard of it, tells the peers, and frees
   * sockets and socket file. Idempotent: later calls wait for the first one, and their options count no more. Within a
   * callback of its own it resolves when all others have finished, so that this one can still answer.
   *
   * @param options How long to wait for callbacks, and whether to stop the connected nodes too.
   * @throws {InitializationError} when an option is not valid.
   * @throws {GlobalContextError} when other nodes are to be stopped from where no Controller is.
   * @throws {AuthenticationError} when `authorize` does not allow to stop them.
   */
  async stop(options: StopOptions = {}): Promise<void> {
    await this.#runtime.stop(...readStopOptions(options));
  }

  /** The same as {@linkcode Global.stop}: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
