/**
 * The parts of a `Global`: starts, owns and stops them.
 *
 * @module
 */

import { checkAwaitedName, readWaitOptions, type WaitOptions } from "./wait_options.ts";
import type { ControllerHost } from "./controller/controller_host.ts";
import {
  CallCancelledError,
  CallTimeoutError,
  DaffiError,
  GlobalContextError,
  ProtocolError,
} from "./errors.ts";
import { GatedCalls } from "./gated_calls.ts";
import type { Hooks } from "./hooks.ts";
import { waitFor } from "./internal/abort.ts";
import { currentScope } from "./internal/call_scope.ts";
import { stoppedError } from "./internal/stopped_error.ts";
import { within } from "./internal/within.ts";
import { connectInTime } from "./link/connect.ts";
import type { Connection } from "./link/connection.ts";
import { Heartbeat } from "./link/heartbeat.ts";
import { Secret } from "./link/secret.ts";
import { Node } from "./node/node.ts";
import type { JoinOptions, StopOptions } from "./options.ts";
import type { Parts } from "./parts.ts";
import type { HookName, ResolvedOptions } from "./resolve_options.ts";
import type { GlobalStats } from "./stats.ts";
import { readJoinOptions, readStopOptions } from "./stop_options.ts";
import { connectingTo, listeningAt } from "./transport/select.ts";
import type { Address, ByteStream, Connecting, Listening } from "./transport/transport.ts";

/** How long the process waits for lifecycle functions when it is asked to end. */
const HOOKS_TIMEOUT_MS = 10_000;

/** A Controller, a Node, or both, from their start to their end. */
export class Runtime {
  /** The way from `g.call` to the node. */
  readonly calls: GatedCalls;
  /** Resolves when everything is up. */
  readonly ready: Promise<void>;
  readonly #g: unknown;
  readonly #options: ResolvedOptions;
  readonly #hooks: Hooks;
  readonly #controller: ControllerHost | undefined;
  readonly #onTermination: Parts["onTermination"];
  readonly #connecting: Connecting | undefined;
  readonly #node: Node | undefined;
  readonly #heartbeat: Heartbeat | undefined;
  /** Ends an attempt to connect. */
  readonly #connects = new AbortController();
  readonly #listening: Promise<void>;
  readonly #stopped = Promise.withResolvers<void>();
  #address: Address = {};
  #stopping: Promise<void> | undefined;
  /** Whether the connected nodes may be stopped. */
  #deciding: Promise<void> | undefined;
  #failure: Error | undefined;
  #terminating = false;
  #lostConnections = 0;
  #protocolErrors = 0;

  /**
   * Starts in the background.
   *
   * @param g What callbacks get as `currentCall().g`.
   * @param options What to run.
   * @param parts What there is to run it.
   * @param hooks The user's lifecycle functions.
   * @throws {InitializationError} when this runtime has no sockets, or the task store cannot be used.
   */
  constructor(
    g: unknown,
    options: ResolvedOptions,
    parts: Parts,
    hooks: Hooks,
  ) {
    const { initController, initNode, address, web, maxFrameBytes, logger } = options;
    const { tls, authorize } = options.security;
    const secret = options.security.secret === undefined
      ? undefined
      : new Secret(options.security.secret);
    this.#g = g;
    this.#options = options;
    this.#hooks = hooks;
    this.#onTermination = parts.onTermination;
    if (options.heartbeat !== undefined) this.#heartbeat = new Heartbeat(options.heartbeat);
    if (initController) {
      const watch = (connection: Connection) => this.#heartbeat?.watch(connection, true);
      // A node hears of the others by itself.
      const tell = (hook: HookName) =>
        initNode ? () => {} : (name: string) => this.#hooks.run(hook, name);
      const [onJoin, onLeave] = [tell("onProcessJoin"), tell("onProcessLeave")];
      this.#controller = parts.makeController(
        { maxFrameBytes, secret, authorize, logger, watch, onJoin, onLeave },
        web,
      );
    } else if (address !== undefined) {
      this.#connecting = connectingTo(address, parts.socketTransport, tls);
    }
    const listening = initController ? listeningAt(address, parts.socketTransport, tls) : [];
    if (address?.kind === "tcp") this.#address = { host: address.host, port: address.port };
    if (address?.kind === "url") this.#address = { url: address.url };
    // Before anything is started: a store that cannot be used must leave nothing behind.
    if (initNode) this.#node = this.#makeNode(g, parts, secret);
    this.#listening = this.#listen(listening);
    this.calls = new GatedCalls({
      g,
      caller: (callbackName) => this.requireNode("call", callbackName).caller,
      logger,
    });
    this.ready = this.#start();
    this.ready.catch((error: Error) => this.#fail(error));
    this.#stopped.promise.catch(() => {}); // a failed start is told by `ready`
  }

  async #listen(listening: Listening[]): Promise<void> {
    if (this.#controller !== undefined) this.#address = await this.#controller.listen(listening);
  }

  async #start(): Promise<void> {
    await this.#listening;
    await this.#node?.ready;
    this.#hooks.run("onInit", this.#options.processName);
  }

  #makeNode(g: unknown, parts: Parts, secret: Secret | undefined): Node {
    const { callbacks, reconnect, processName, address, taskStore } = this.#options;
    const { transfer, maxFrameBytes, logger } = this.#options;
    const controller = this.#controller;
    // The own controller is lost only when this process is, and a port leads nowhere else.
    const once = controller !== undefined || address?.kind === "port";
    return new Node({
      ...this.#options,
      g,
      registry: callbacks,
      secret: controller === undefined ? secret : undefined, // nobody is between the two
      transfers: parts.makeTransfers(transfer, maxFrameBytes, logger),
      large: parts.large?.(address),
      // After what may fail: a file must not stay open.
      makeTasks: parts.makeTasks(taskStore),
      reconnect: once ? undefined : reconnect,
      watch: (connection) => {
        if (controller === undefined) this.#heartbeat?.watch(connection, false);
      },
      connect: async () => {
        await parts.prepareNode?.();
        if (controller === undefined) return await this.#connect(this.#connecting!);
        await this.#listening;
        return controller.connect();
      },
      events: {
        onConnect: () => this.#hooks.run("onNodeConnect", processName),
        onDisconnect: (error) => this.#onDisconnect(error),
        onJoin: (name) => this.#hooks.run("onProcessJoin", name),
        onLeave: (name) => this.#hooks.run("onProcessLeave", name),
        onTaskFailure: (failure) => this.#hooks.run("onTaskFailure", failure),
        onShutdown: () => void this.stop(),
        onFailure: (error) => this.#fail(error),
      },
    });
  }

  #onDisconnect(error: Error | undefined): void {
    if (this.#stopping === undefined) this.#lostConnections++;
    if (error instanceof ProtocolError) this.#protocolErrors++;
    this.#hooks.run("onNodeDisconnect", this.#options.processName);
  }

  async #connect(transport: Connecting): Promise<ByteStream> {
    const { stream, address } = await connectInTime(transport, this.#connects.signal);
    this.#address = address;
    return stream;
  }

  /** The start failed, or the node had to give up later: nobody may be looking, so it is told. */
  #fail(error: Error): void {
    if (this.#stopping !== undefined) return;
    this.#failure = error;
    if (error instanceof ProtocolError) this.#protocolErrors++;
    const { logger, processName } = this.#options;
    logger.error(`daffi: ${processName} has failed: ${error.message}`);
    this.#stopped.reject(error);
    void this.stop();
  }

  /** Answers an HTTP request; see `Global.fetch`. */
  async fetch(request: Request, info: unknown): Promise<Response> {
    return await this.#requireController("answer a request").fetch(request, info);
  }

  /** Lets whoever is at the other end of a port join; see `Global.attach`. */
  attach(port: unknown): void {
    this.#requireController("attach a port").attach(port);
  }

  #requireController(verb: string): ControllerHost {
    if (this.#controller !== undefined) return this.#controller;
    throw new GlobalContextError(
      `Cannot ${verb}: the Controller is not in this process; set initController to true`,
    );
  }

  /** Where the controller is, as bound or connected. */
  get address(): Address {
    return this.#address;
  }

  /** What was counted so far. */
  get stats(): GlobalStats {
    const node = this.#node?.counts;
    const controller = this.#controller?.counts;
    return {
      pendingCalls: node?.pendingCalls ?? 0,
      runningCalls: node?.runningCalls ?? 0,
      droppedCalls: this.calls.dropped + (node?.droppedCalls ?? 0),
      failedCalls: node?.failedCalls ?? 0,
      lateAnswers: node?.lateAnswers ?? 0,
      forwardedFrames: controller?.forwarded ?? 0,
      droppedFrames: controller?.dropped ?? 0,
      refusedConnections: controller?.refused ?? 0,
      failedAuthentications: controller?.unauthenticated ?? 0,
      deniedActions: controller?.denied ?? 0,
      lostConnections: this.#lostConnections + (controller?.lost ?? 0),
      protocolErrors: this.#protocolErrors + (controller?.protocolErrors ?? 0),
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
    if (this.#stopping !== undefined && currentScope()?.g !== this.#g) {
      throw this.#failure === undefined ? stoppedError(`${verb} ${object}`) : copyOf(this.#failure);
    }
    if (this.#node !== undefined) return this.#node;
    throw new GlobalContextError(
      `Cannot ${verb} ${object}: this Global runs no Node; leave initNode out or set it to true`,
    );
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

  /** Waits until everything has stopped; see `Global.join`. */
  async join(options: JoinOptions = {}): Promise<void> {
    const stopOptions = readJoinOptions(options);
    const leave = this.#onTermination(async () => {
      this.#terminating = true;
      this.calls.terminate();
      await this.stop(stopOptions);
      await within(this.#hooks.finished(), HOOKS_TIMEOUT_MS);
    });
    try {
      await this.#stopped.promise;
    } finally {
      leave();
    }
  }

  /** Stops everything; see `Global.stop`. */
  async stop(options: StopOptions = {}): Promise<void> {
    const [drainTimeoutMs, killAllConnectedNodes] = readStopOptions(options);
    const controller = killAllConnectedNodes &&
      this.#requireController("stop the connected nodes");
    if (this.#deciding !== undefined) await this.#deciding.catch(() => {}); // who asked first comes first
    if (controller && this.#stopping === undefined) {
      this.#deciding = controller.authorizeStop(this.#options.processName)
        .finally(() => this.#deciding = undefined);
      await this.#deciding;
    }
    this.#stopping ??= this.#stop(drainTimeoutMs, killAllConnectedNodes);
    const call = currentScope();
    // A callback that waited for the end would wait for itself.
    const isOwn = call !== undefined && call.g === this.#g;
    await Promise.race([this.#stopping, ...isOwn ? [this.#node!.othersDone(call)] : []]);
  }

  async #stop(drainTimeoutMs: number, killAllConnectedNodes: boolean): Promise<void> {
    if (killAllConnectedNodes) {
      await this.ready.catch(() => {});
      await this.#controller!.stopNodes(this.#options.processName, drainTimeoutMs);
    }
    const reason = this.#terminating ? undefined : () => stoppedError("go on");
    if (reason !== undefined) {
      this.calls.end(() => this.#failure === undefined ? reason() : copyOf(this.#failure));
    }
    const left = this.#node?.stop(drainTimeoutMs, reason);
    this.#connects.abort();
    await left;
    await this.#controller?.stop();
    await this.#connecting?.end?.();
    this.#stopped.resolve();
  }
}

/** Each call gets an error of its own, for each says which call it was. */
function copyOf(error: Error): Error {
  if (!(error instanceof DaffiError)) return error;
  const Class = error.constructor as new (message: string, options: { cause: unknown }) => Error;
  return new Class(error.message, { cause: error });
}
