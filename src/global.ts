/**
 * `Global`: starts, owns and stops the parts.
 *
 * @module
 */

import type { WaitOptions } from "./async_result.ts";
import { Controller } from "./controller/controller.ts";
import { CallCancelledError, CallTimeoutError, GlobalContextError } from "./errors.ts";
import { waitFor } from "./internal/abort.ts";
import { currentScope } from "./internal/call_scope.ts";
import { parseDuration } from "./internal/duration.ts";
import { onTermination } from "./internal/termination.ts";
import type { Network } from "./node/network.ts";
import { Node } from "./node/node.ts";
import {
  type GlobalOptions,
  type HookName,
  type ResolvedOptions,
  resolveOptions,
  type StopOptions,
} from "./options.ts";
import { GatedCalls } from "./gated_calls.ts";
import { remoteCallbacks } from "./remote_call.ts";
import type { RemoteCallbacks, UntypedCallbacks } from "./remote_types.ts";
import { memoryPipe } from "./transport/memory.ts";
import { transportFor } from "./transport/select.ts";
import type { Address, ByteStream, Transport } from "./transport/transport.ts";

/** What was counted of things that no caller hears of, since the start. */
export interface GlobalStats {
  /** Calls without answer that left this node and were not delivered. */
  readonly droppedCalls: number;
  /** Calls without answer whose callback failed here. */
  readonly failedCalls: number;
  /** Answers that came after their call was over, or from processes that were not asked. */
  readonly lateAnswers: number;
  /** Frames that the Controller here has passed on. */
  readonly forwardedFrames: number;
  /** Frames that the Controller here has dropped, for their target was gone. */
  readonly droppedFrames: number;
  /** Connections that the Controller here has turned away. */
  readonly refusedConnections: number;
}

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
  /** How other processes name this node. */
  readonly processName: string;
  /** Whether the Controller runs in this process. */
  readonly isController: boolean;
  readonly #options: ResolvedOptions;
  readonly #controller: Controller | undefined;
  readonly #node: Node | undefined;
  readonly #calls: GatedCalls;
  readonly #stopped = Promise.withResolvers<void>();
  #address: Address = {};
  #stopping: Promise<void> | undefined;
  #failure: Error | undefined;
  #terminating = false;

  /**
   * Checks the options and starts in the background.
   *
   * @param options What to run, and where.
   * @throws {InitializationError} when an option is not valid.
   */
  constructor(options: GlobalOptions = {}) {
    this.#options = resolveOptions(options);
    const { processName, initController, initNode, address, maxFrameBytes, logger } = this.#options;
    const transport = transportFor(address);
    this.processName = processName;
    this.isController = initController;
    if (address.kind === "tcp") this.#address = { host: address.host, port: address.port };
    let listening: Promise<void> = Promise.resolve();
    if (initController) {
      this.#controller = new Controller({ maxFrameBytes, logger });
      listening = this.#listen(this.#controller, transport);
    }
    if (initNode) this.#node = this.#makeNode(transport, listening);
    this.#calls = new GatedCalls({
      caller: (callbackName) => this.#requireNode(`call ${callbackName}`).caller,
      logger,
    });
    this.call = remoteCallbacks(this.#calls) as RemoteCallbacks<Remote>;
    this.ready = this.#start(listening);
    this.ready.catch((error: Error) => this.#fail(error));
    this.#stopped.promise.catch(() => {}); // a failed start is told by `ready`
  }

  async #listen(controller: Controller, transport: Transport): Promise<void> {
    this.#address = await controller.listen(transport);
  }

  async #start(listening: Promise<void>): Promise<void> {
    await listening;
    await this.#node?.ready;
    this.#run("onInit", this.processName);
  }

  #makeNode(transport: Transport, listening: Promise<void>): Node {
    const { processName, callbacks, maxFrameBytes, defaultTimeoutMs, reconnect, logger } =
      this.#options;
    const controller = this.#controller;
    return new Node({
      processName,
      g: this,
      registry: callbacks,
      maxFrameBytes,
      defaultTimeoutMs,
      // The own controller is lost only when this process is.
      reconnect: controller === undefined ? reconnect : undefined,
      logger,
      connect: controller === undefined
        ? () => this.#connect(transport)
        : () => attach(controller, listening),
      events: {
        onConnect: () => this.#run("onNodeConnect", processName),
        onDisconnect: () => this.#run("onNodeDisconnect", processName),
        onJoin: (name) => this.#run("onProcessJoin", name),
        onLeave: (name) => this.#run("onProcessLeave", name),
        onShutdown: () => void this.stop(),
        onFailure: (error) => this.#fail(error),
      },
    });
  }

  async #connect(transport: Transport): Promise<ByteStream> {
    const { stream, address } = await transport.connect();
    this.#address = address;
    return stream;
  }

  /** The start failed, or the node had to give up later: nobody may be looking, so it is told. */
  #fail(error: Error): void {
    if (this.#stopping !== undefined) return;
    this.#failure = error;
    this.#options.logger.error(`daffi: ${this.processName} has failed: ${error.message}`);
    this.#stopped.reject(error);
    void this.stop();
  }

  /** Lifecycle functions are the user's: they run in a turn of their own, and their errors are told. */
  async #run(hook: HookName, processName: string): Promise<void> {
    const fn = this.#options.hooks[hook];
    if (fn === undefined) return;
    await Promise.resolve();
    try {
      await fn(this, processName);
    } catch (error) {
      this.#options.logger.error(`daffi: ${hook} failed:`, error);
    }
  }

  /** TCP host as bound or connected. */
  get host(): string | undefined {
    return this.#address.host;
  }

  /** TCP port as bound or connected; of a controller without a given port known once it is ready. */
  get port(): number | undefined {
    return this.#address.port === 0 ? undefined : this.#address.port;
  }

  /** Path of the UNIX socket as bound or connected; known once it is ready. */
  get socketPath(): string | undefined {
    return this.#address.socketPath;
  }

  /** The callbacks of the other processes by process name, as of now. */
  get registeredCallbacks(): Record<string, string[]> {
    return this.#requireNode("look at the callbacks of others").network.registeredCallbacks();
  }

  /** What was counted of things that no caller hears of. */
  get stats(): GlobalStats {
    const node = this.#node?.counts;
    const controller = this.#controller?.counts;
    return {
      droppedCalls: this.#calls.dropped + (node?.droppedCalls ?? 0),
      failedCalls: node?.failedCalls ?? 0,
      lateAnswers: node?.lateAnswers ?? 0,
      forwardedFrames: controller?.forwarded ?? 0,
      droppedFrames: controller?.dropped ?? 0,
      refusedConnections: controller?.refused ?? 0,
    };
  }

  #requireNode(what: string): Node {
    // What runs while the node drains may still call on.
    if (this.#stopping !== undefined && currentScope() === undefined) {
      throw this.#failure ?? stoppedError(what);
    }
    if (this.#node !== undefined) return this.#node;
    throw new GlobalContextError(
      `Cannot ${what}: this Global runs no Node; leave initNode out or set it to true`,
      { executed: "never" },
    );
  }

  /**
   * Waits until a process is connected.
   *
   * @param processName Its name.
   * @throws {CallTimeoutError} when it does not come in time.
   * @throws {CallCancelledError} when `signal` aborts.
   * @throws {GlobalContextError} when this `Global` is stopped meanwhile.
   */
  waitProcess(processName: string, options?: WaitOptions): Promise<void> {
    return this.#wait(
      `process ${processName}`,
      (network) => network.whenProcess(processName),
      options,
    );
  }

  /**
   * Waits until another process offers a callback.
   *
   * @param callbackName Its name.
   * @throws {CallTimeoutError} when nobody does in time.
   * @throws {CallCancelledError} when `signal` aborts.
   * @throws {GlobalContextError} when this `Global` is stopped meanwhile.
   */
  waitFunction(callbackName: string, options?: WaitOptions): Promise<void> {
    return this.#wait(
      `callback ${callbackName}`,
      (network) => network.whenFunction(callbackName),
      options,
    );
  }

  async #wait(
    what: string,
    begin: (network: Network) => [Promise<void>, () => void],
    { timeout = Infinity, signal }: WaitOptions = {},
  ): Promise<void> {
    const timeoutMs = parseDuration(timeout, "timeout", { allowInfinity: true });
    const node = this.#requireNode(`wait for ${what}`);
    const [met, giveUp] = begin(node.network);
    try {
      await waitFor(met, {
        timeoutMs,
        signal,
        onTimeout: () => new CallTimeoutError(`${what} was not there within ${timeoutMs} ms`),
        onAbort: (cause) => new CallCancelledError(`The wait for ${what} was given up`, { cause }),
      });
    } finally {
      giveUp();
    }
  }

  /**
   * Waits until this `Global` has stopped. Meanwhile SIGINT and SIGTERM stop it gracefully, and the
   * process then ends with code 0.
   *
   * @throws {DaffiError} the reason, when the start failed or the node had to give up.
   */
  async join(): Promise<void> {
    const leave = onTermination(async () => {
      this.#terminating = true;
      this.#calls.terminate();
      await this.stop();
    });
    try {
      await this.#stopped.promise;
    } finally {
      leave();
    }
  }

  /**
   * Stops: takes no more calls, lets running callbacks finish, tells the peers, and frees sockets
   * and socket file. Idempotent: every call gives the same promise's outcome.
   *
   * @param options How long to wait for callbacks, and whether to stop the connected nodes too.
   * @throws {GlobalContextError} when other nodes are to be stopped from where no Controller is.
   */
  stop(options: StopOptions = {}): Promise<void> {
    const { drainTimeout = "10s", killAllConnectedNodes = false } = options;
    if (killAllConnectedNodes && this.#controller === undefined) {
      return Promise.reject(
        new GlobalContextError(
          "Cannot stop the connected nodes: the Controller is not in this process",
        ),
      );
    }
    return this.#stopping ??= this.#stop(
      parseDuration(drainTimeout, "drainTimeout"),
      killAllConnectedNodes,
    );
  }

  async #stop(drainTimeoutMs: number, killAllConnectedNodes: boolean): Promise<void> {
    if (killAllConnectedNodes) {
      await this.ready.catch(() => {});
      await this.#controller!.stopNodes(this.processName, drainTimeoutMs);
    }
    const reason = this.#terminating ? undefined : () => stoppedError("go on");
    if (reason !== undefined) this.#calls.end(reason);
    await this.#node?.stop(drainTimeoutMs, reason);
    await this.#controller?.stop();
    this.#stopped.resolve();
  }

  /** The same as {@linkcode Global.stop}: for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function attach(controller: Controller, listening: Promise<void>): Promise<ByteStream> {
  await listening;
  const [here, there] = memoryPipe();
  controller.attach(there);
  return here;
}

function stoppedError(what: string): GlobalContextError {
  return new GlobalContextError(`Cannot ${what}: this Global is stopped`);
}
