/**
 * What runs where there is more than a page has: a Controller, and an end that the system asks for.
 *
 * @module
 */

import type { Controller } from "./controller/controller.ts";
import { ControllerHost } from "./controller/controller_host.ts";
import { GlobalContextError } from "./errors.ts";
import type { NodeCalls } from "./gated_calls.ts";
import { loadAsyncContexts } from "./internal/async_contexts.ts";
import { currentScope } from "./internal/call_scope.ts";
import { onTermination } from "./internal/termination.ts";
import { within } from "./internal/within.ts";
import { NodeHeartbeat } from "./link/node_heartbeat.ts";
import type { Node } from "./node/node.ts";
import type { Parts } from "./parts.ts";
import type { HookName, ResolvedOptions } from "./resolve_options.ts";
import { Runtime } from "./runtime.ts";
import type { GlobalStats } from "./stats.ts";
import { DRAIN_TIMEOUT_MS } from "./stop_options.ts";
import { connectingTo, listeningAt } from "./transport/select.ts";
import type { ByteStream, Connecting, Listening } from "./transport/transport.ts";

/** How long the process waits for lifecycle functions when it is asked to end. */
const HOOKS_TIMEOUT_MS = 10_000;

/** A Controller, a Node, or both, from their start to their end. */
export class FullRuntime extends Runtime {
  readonly #host: ControllerHost | undefined;
  readonly #listening: Promise<void>;
  /** Whether the connected nodes may be stopped. */
  #deciding: Promise<void> | undefined;

  /**
   * Starts in the background; see {@linkcode Runtime}.
   *
   * @throws {InitializationError} when this runtime has no sockets, or the task store cannot be used.
   */
  constructor(g: unknown, options: ResolvedOptions, parts: Parts) {
    const { initController, initNode, address, web, maxFrameBytes, logger } = options;
    const { tls, authorize } = options.security;
    // What may fail, before there is a node.
    const listening = initController ? listeningAt(address, tls) : [];
    super(g, options, parts);
    if (address?.kind === "tcp") this.address = { host: address.host, port: address.port };
    if (initController) {
      // A node hears of the others by itself.
      const tell = (hook: HookName) =>
        initNode ? () => {} : (name: string) => this.hooks.run(hook, name);
      const heartbeat = options.heartbeat && new NodeHeartbeat(options.heartbeat);
      this.#host = new ControllerHost({
        maxFrameBytes,
        secret: this.secret,
        authorize,
        logger,
        watch: (connection) => heartbeat?.watch(connection),
        onJoin: tell("onProcessJoin"),
        onLeave: tell("onProcessLeave"),
      }, web!);
    }
    this.#listening = this.#listen(listening);
    this.#listening.catch(() => {}); // that is told by `ready`
  }

  async #listen(listening: Listening[]): Promise<void> {
    if (this.#host !== undefined) this.address = await this.#host.listen(listening);
  }

  protected override async start(): Promise<void> {
    await this.#listening;
    await super.start();
  }

  protected override transportTo({ address, security }: ResolvedOptions): Connecting {
    return connectingTo(address!, security.tls);
  }

  protected override async connect(): Promise<ByteStream> {
    await loadAsyncContexts();
    if (this.#host === undefined) return await super.connect();
    await this.#listening;
    return this.#host.controller.connect();
  }

  protected override requireController(verb: string): ControllerHost {
    return this.#host ?? super.requireController(verb) as never; // it throws
  }

  override requireNode(verb: string, object: string): Node {
    const node = super.requireNode(verb, object);
    if (this.options.initNode) return node;
    throw new GlobalContextError(
      `Cannot ${verb} ${object}: this Global runs no Node; leave initNode out or set it to true`,
    );
  }

  protected override caller(callbackName: string): NodeCalls | undefined {
    if (this.terminating && currentScope()?.g !== this.g) return undefined;
    return super.caller(callbackName);
  }

  override get stats(): GlobalStats {
    const stats = super.stats;
    const counts = this.#host?.controller.counts;
    if (counts === undefined) return stats;
    return {
      ...stats,
      forwardedFrames: counts.forwarded,
      droppedFrames: counts.dropped,
      refusedConnections: counts.refused,
      failedAuthentications: counts.unauthenticated,
      deniedActions: counts.denied,
      lostConnections: stats.lostConnections + counts.lost,
      protocolErrors: stats.protocolErrors + counts.protocolErrors,
    };
  }

  override async join(drainTimeoutMs: number): Promise<void> {
    const leave = onTermination(async () => {
      this.terminating = true;
      await this.stop(drainTimeoutMs);
      await within(this.hooks.finished(), HOOKS_TIMEOUT_MS);
    });
    try {
      await super.join(drainTimeoutMs);
    } finally {
      leave();
    }
  }

  override async stop(drainTimeoutMs: number = DRAIN_TIMEOUT_MS, killAll = false): Promise<void> {
    const controller = killAll && this.requireController("stop the connected nodes").controller;
    if (this.#deciding !== undefined) await this.#deciding.catch(() => {}); // who asked first comes first
    if (controller && this.stopping === undefined) {
      this.#deciding = controller.authorizeStop(this.options.processName)
        .finally(() => this.#deciding = undefined);
      await this.#deciding;
      this.stopping ??= this.#finishAll(controller, drainTimeoutMs);
    }
    await super.stop(drainTimeoutMs);
  }

  async #finishAll(controller: Controller, drainTimeoutMs: number): Promise<void> {
    await this.ready.catch(() => {});
    await controller.stopNodes(this.options.processName, drainTimeoutMs);
    await this.finish(drainTimeoutMs);
  }

  protected override async end(): Promise<void> {
    await this.#host?.stop();
    await super.end();
  }
}
