/**
 * The parts of a `Global`: starts, owns and stops them.
 *
 * @module
 */

import { checkAwaitedName, readWaitOptions, type WaitOptions } from "./wait_options.ts";
import {
  CallCancelledError,
  CallTimeoutError,
  GlobalContextError,
  ProtocolError,
} from "./errors.ts";
import { GatedCalls, type NodeCalls } from "./gated_calls.ts";
import { Hooks } from "./hooks.ts";
import { waitFor } from "./internal/abort.ts";
import { currentScope } from "./internal/call_scope.ts";
import { anotherOf } from "./internal/concerning.ts";
import { stoppedError } from "./internal/stopped_error.ts";
import { connectInTime } from "./link/connect.ts";
import { Heartbeat } from "./link/heartbeat.ts";
import { Secret } from "./link/secret.ts";
import { Node } from "./node/node.ts";
import type { Parts } from "./parts.ts";
import type { ResolvedOptions } from "./resolve_options.ts";
import type { GlobalStats } from "./stats.ts";
import { DRAIN_TIMEOUT_MS } from "./stop_options.ts";
import { messageTransport } from "./transport/message_transport.ts";
import type { MessageAddress } from "./transport/places.ts";
import type { Address, ByteStream, Connecting } from "./transport/transport.ts";

/** What a controller in this process does for others than nodes. */
export interface Entrances {
  /** Answers an HTTP request. */
  fetch(request: Request, info: unknown): Promise<Response>;
  /** Lets whoever is at the other end of a port join. */
  attach(port: unknown): void;
}

/**
 * A Node that joins others, from its start to its end: all that a page has. {@linkcode FullRuntime} adds to it
 * what pages have no use for.
 */
export class Runtime {
  /** The way from `g.call` to the node. */
  readonly calls: GatedCalls;
  /** Resolves when everything is up. */
  readonly ready: Promise<void>;
  /** Where the controller is, as bound or connected. */
  address: Address = {};
  /** Without one nothing but a Controller runs. */
  protected readonly node: Node | undefined;
  /** The user's lifecycle functions. */
  protected readonly hooks: Hooks;
  /** Set when it is to stop. */
  protected stopping: Promise<void> | undefined;
  /** From when the process is asked to end, calls neither succeed nor fail: no part of the program shall trip over it. */
  protected terminating = false;
  /** What callbacks get as `currentCall().g`. */
  protected readonly g: unknown;
  /** What to run. */
  protected readonly options: ResolvedOptions;
  /** What proves that this process may join, or that others may. */
  protected readonly secret: Secret | undefined;
  readonly #connecting: Connecting | undefined;
  readonly #heartbeat: Heartbeat | undefined;
  /** Ends an attempt to connect. */
  readonly #connects = new AbortController();
  readonly #stopped = Promise.withResolvers<void>();
  #failure: Error | undefined;
  #lostConnections = 0;
  #protocolErrors = 0;

  /**
   * Starts in the background.
   *
   * @param g What callbacks get as `currentCall().g`.
   * @param options What to run.
   * @param parts What there is to run it.
   * @throws {InitializationError} when this runtime has no sockets, or the task store cannot be used.
   */
  constructor(g: unknown, options: ResolvedOptions, parts: Parts) {
    const { initController, address, security: { secret } } = options;
    this.g = g;
    this.options = options;
    if (secret !== undefined) this.secret = new Secret(secret);
    this.hooks = new Hooks(g, options.hooks, options.logger);
    if (options.heartbeat !== undefined) this.#heartbeat = new Heartbeat(options.heartbeat);
    if (!initController) this.#connecting = this.transportTo(options);
    if (address?.kind === "url") this.address = { url: address.url };
    // Before anything is started: a store that cannot be used must leave nothing behind.
    if (options.initNode) this.node = this.#makeNode(parts);
    this.calls = new GatedCalls({
      caller: (callbackName) => this.caller(callbackName),
      logger: options.logger,
    });
    // Not before all of it is there.
    this.ready = Promise.resolve().then(() => this.start());
    this.ready.catch((error: Error) => this.#fail(error));
    this.#stopped.promise.catch(() => {}); // a failed start is told by `ready`
  }

  /** What carries out a call; `undefined` if it is to come to nothing. @throws {GlobalContextError} when nothing does. */
  protected caller(callbackName: string): NodeCalls | undefined {
    return this.requireNode("call", callbackName).caller;
  }

  /** Resolves when everything is up. */
  protected async start(): Promise<void> {
    await this.node?.ready;
    this.hooks.run("onInit", this.options.processName);
  }

  #makeNode(parts: Parts): Node {
    const { callbacks, reconnect, processName, address, taskStore, initController } = this.options;
    const { transfer, maxFrameBytes, logger } = this.options;
    return new Node({
      ...this.options,
      g: this.g,
      registry: callbacks,
      secret: initController ? undefined : this.secret, // nobody is between the two
      transfers: parts.makeTransfers(transfer, maxFrameBytes, logger),
      large: parts.large?.(address),
      // After what may fail: a file must not stay open.
      makeTasks: parts.makeTasks(taskStore),
      // The own controller is lost only when this process is, and a port leads nowhere else.
      reconnect: initController || address?.kind === "port" ? undefined : reconnect,
      watch: (connection) => {
        if (!initController) this.#heartbeat?.watch(connection);
      },
      connect: async () => {
        await undefined; // the constructor is not over yet
        return await this.connect();
      },
      events: {
        onConnect: () => this.hooks.run("onNodeConnect", processName),
        onDisconnect: (error) => this.#onDisconnect(error),
        onJoin: (name) => this.hooks.run("onProcessJoin", name),
        onLeave: (name) => this.hooks.run("onProcessLeave", name),
        onTaskFailure: (failure) => this.hooks.run("onTaskFailure", failure),
        onShutdown: () => void this.stop(),
        onFailure: (error) => this.#fail(error),
      },
    });
  }

  #onDisconnect(error: Error | undefined): void {
    if (this.stopping === undefined) this.#lostConnections++;
    if (error instanceof ProtocolError) this.#protocolErrors++;
    this.hooks.run("onNodeDisconnect", this.options.processName);
  }

  /** What connects it. @throws {InitializationError} when this runtime has nothing of the kind. */
  protected transportTo({ address }: ResolvedOptions): Connecting {
    return messageTransport(address as MessageAddress);
  }

  /** Connects the node. */
  protected async connect(): Promise<ByteStream> {
    const { stream, address } = await connectInTime(this.#connecting!, this.#connects.signal);
    this.address = address;
    return stream;
  }

  /** The start failed, or the node had to give up later: nobody may be looking, so it is told. */
  #fail(error: Error): void {
    if (this.stopping !== undefined) return;
    this.#failure = error;
    if (error instanceof ProtocolError) this.#protocolErrors++;
    const { logger, processName } = this.options;
    logger.error(`daffi: ${processName} has failed: ${error.message}`);
    this.#stopped.reject(error);
    void this.stop();
  }

  /** Answers an HTTP request; see `Global.fetch`. */
  async fetch(request: Request, info: unknown): Promise<Response> {
    return await this.requireController("answer a request").fetch(request, info);
  }

  /** Lets whoever is at the other end of a port join; see `Global.attach`. */
  attach(port: unknown): void {
    this.requireController("attach a port").attach(port);
  }

  /** @throws {GlobalContextError} when the controller is not in this process. */
  protected requireController(verb: string): Entrances {
    throw new GlobalContextError(
      `Cannot ${verb}: the Controller is not in this process; set initController to true`,
    );
  }

  /** What was counted so far. */
  get stats(): GlobalStats {
    const counts = this.node?.counts;
    return {
      pendingCalls: 0,
      runningCalls: 0,
      failedCalls: 0,
      lateAnswers: 0,
      forwardedFrames: 0,
      droppedFrames: 0,
      refusedConnections: 0,
      failedAuthentications: 0,
      deniedActions: 0,
      ...counts,
      droppedCalls: this.calls.dropped + (counts?.droppedCalls ?? 0),
      lostConnections: this.#lostConnections,
      protocolErrors: this.#protocolErrors,
    };
  }

  /**
   * The node.
   *
   * @param verb What it is needed for, for the message.
   * @param object The same.
   * @throws {GlobalContextError} when there is none, or it is stopped.
   */
  requireNode(verb: string, object: string): Node {
    // What runs while the node drains may still call on.
    if (this.stopping !== undefined && currentScope()?.g !== this.g) {
      throw this.#failure === undefined
        ? stoppedError(`${verb} ${object}`)
        : anotherOf(this.#failure);
    }
    return this.node!;
  }

  /** Waits for something in the network. */
  async wait(kind: "process" | "callback", name: string, options: WaitOptions): Promise<void> {
    const { timeoutMs, signal } = readWaitOptions("wait", options);
    checkAwaitedName(name);
    const what = `${kind} ${name}`;
    const node = this.requireNode("wait for", what);
    const [met, giveUp] = node.network.when(kind, name);
    try {
      await waitFor(met, {
        timeoutMs,
        signal,
        onTimeout: () =>
          new CallTimeoutError(`${what} was not there within ${timeoutMs} ms${node.whyNotSent}`),
        onAbort: (cause) => new CallCancelledError(`The wait for ${what} was given up`, { cause }),
      });
    } finally {
      giveUp();
    }
  }

  /**
   * Waits until everything has stopped; see `Global.join`.
   *
   * @param _drainTimeoutMs How long what runs may take when the process is asked to end, as a page never is.
   */
  async join(_drainTimeoutMs: number): Promise<void> {
    await this.#stopped.promise;
  }

  /**
   * Stops everything; see `Global.stop`.
   *
   * @param drainTimeoutMs How long what runs may take.
   * @param killAll Whether the connected nodes stop, too.
   */
  async stop(drainTimeoutMs: number = DRAIN_TIMEOUT_MS, killAll = false): Promise<void> {
    if (killAll) this.requireController("stop the connected nodes");
    this.stopping ??= this.finish(drainTimeoutMs);
    const call = currentScope();
    // A callback that waited for the end would wait for itself.
    const isOwn = call !== undefined && call.g === this.g;
    await Promise.race([this.stopping, ...isOwn ? [this.node!.othersDone(call)] : []]);
  }

  /** Does it. */
  protected async finish(drainTimeoutMs: number): Promise<void> {
    const reason = this.terminating ? undefined : () => stoppedError("go on");
    if (reason !== undefined) {
      this.calls.end(() => this.#failure === undefined ? reason() : anotherOf(this.#failure));
    }
    const left = this.node?.stop(drainTimeoutMs, reason);
    this.#connects.abort();
    await left;
    await this.end();
    this.#stopped.resolve();
  }

  /** Leaves nothing behind, once the node has stopped. */
  protected async end(): Promise<void> {
    await this.#connecting?.end?.();
  }
}
