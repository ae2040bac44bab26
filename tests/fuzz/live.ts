/**
 * A network in memory for one case: a controller and nodes that are attached by pipes.
 *
 * @module
 */

import { assertEquals } from "@std/assert";
import { CallbackRegistry, currentCall } from "../../mod.ts";
import { Controller } from "../../src/controller/controller.ts";
import type { CallRequest } from "../../src/internal/call_request.ts";
import type { Secret } from "../../src/link/secret.ts";
import { Node, type NodeOptions } from "../../src/node/node.ts";
import { resolveOptions } from "../../src/resolve_options.ts";
import { compileCron } from "../../src/scheduler/cron.ts";
import { MemoryTaskStore } from "../../src/scheduler/task_store.ts";
import { resolveTransfer } from "../../src/transfer/resolve_transfer.ts";
import { TaskService } from "../../src/node/task_service.ts";
import { TransferService } from "../../src/node/transfer_service.ts";
import { TransferRunner } from "../../src/transfer/transfer_runner.ts";
import { largePayloads } from "../../src/wire/large_payloads.ts";
import { memoryPipe } from "../../src/transport/memory.ts";
import type { ByteStream, Listener } from "../../src/transport/transport.ts";
import type { RecordingLogger } from "../helpers/recording_logger.ts";

/** What the callbacks of a node were called for, by caller. */
export class Runs {
  readonly byCaller = new Map<string, number>();
  /** Lets `wait` go on. */
  readonly gate: PromiseWithResolvers<string> = Promise.withResolvers();

  /** Registers what every fuzzed node offers: its numbers are 1 `add`, 2 `wait`, 3 `count`, 4 `sum`. */
  offer(): CallbackRegistry {
    const registry = new CallbackRegistry();
    const { callback } = registry;
    const counted = () => {
      const { caller } = currentCall()!;
      this.byCaller.set(caller, (this.byCaller.get(caller) ?? 0) + 1);
    };
    callback("add", (a: number, b: number) => {
      counted();
      return a + b;
    });
    callback("wait", () => {
      counted();
      return this.gate.promise;
    });
    callback("count", function* (to: number) {
      counted();
      for (let i = 0; typeof to === "number" && i < Math.min(to, 1_000); i++) yield i;
    });
    callback("sum", async (items: AsyncIterable<number>) => {
      counted();
      if (typeof items !== "object" || items === null || !(Symbol.asyncIterator in items)) return 0;
      let sum = 0;
      for await (const item of items) sum += item;
      return sum;
    });
    return registry;
  }
}

/** What the test says about a node, and what is heard of it. */
export interface NodeSetting {
  processName: string;
  runs: Runs;
  logger: RecordingLogger;
  connect: () => Promise<ByteStream>;
  /** What it must know to join. */
  secret?: Secret | undefined;
  events?: Partial<NodeOptions["events"]>;
}

/** Starts a node that comes back at once. */
export function startNode(setting: NodeSetting): Node {
  const { processName, runs, logger, connect, secret, events } = setting;
  const options = resolveOptions({
    processName,
    port: 1, // where it would be, were there no pipe
    callbacks: runs.offer(),
    transfer: "deny",
    reconnect: { minDelayMs: 0.001, maxDelayMs: 0.01 },
    logger,
  });
  return new Node({
    ...options,
    g: {},
    registry: options.callbacks,
    transfers: new TransferService(
      new TransferRunner(
        resolveTransfer(options.transfer),
        options.maxFrameBytes,
        options.logger,
      ),
    ),
    makeTasks: (node) => new TaskService({ ...node, store: new MemoryTaskStore(), compileCron }),
    connect,
    secret,
    large: largePayloads,
    watch() {},
    events: {
      onConnect() {},
      onDisconnect() {},
      onJoin() {},
      onLeave() {},
      onTaskFailure() {},
      onShutdown() {},
      onFailure() {},
      ...events,
    },
  });
}

/** A controller that strangers reach by pipes. */
export class LiveController {
  readonly #controller: Controller;
  readonly #arrived: ByteStream[] = [];
  #accept: ((stream: ByteStream | null) => void) | undefined;

  /**
   * @param logger Where it logs.
   * @param secret What nodes must know to join.
   */
  constructor(logger: RecordingLogger, secret?: Secret) {
    const options = resolveOptions({ initController: true, port: 0, logger });
    this.#controller = new Controller({
      ...options,
      secret,
      watch() {},
      onJoin() {},
      onLeave() {},
    });
    const listener: Listener = {
      address: {},
      accept: () => new Promise((resolve) => this.#hand(resolve)),
      close: () => this.#accept?.(null),
    };
    void this.#controller.listen({ listen: () => Promise.resolve(listener) });
  }

  #hand(resolve: (stream: ByteStream | null) => void): void {
    const stream = this.#arrived.shift();
    if (stream === undefined) this.#accept = resolve;
    else resolve(stream);
  }

  /** How many connections broke the protocol, as it has counted. */
  get protocolErrors(): number {
    return this.#controller.counts.protocolErrors;
  }

  /** A fresh connection to it. */
  connect(): ByteStream {
    const [here, there] = memoryPipe();
    const accept = this.#accept;
    this.#accept = undefined;
    if (accept === undefined) this.#arrived.push(there);
    else accept(there);
    return here;
  }

  /** Stops it. */
  async stop(): Promise<void> {
    await this.#controller.stop();
  }
}

/** Writes all of it, if the other side takes it, and says whether it did. */
export async function writeAll(stream: ByteStream, bytes: Uint8Array): Promise<boolean> {
  try {
    for (let at = 0; at < bytes.length;) at += await stream.write(bytes.subarray(at));
    return true;
  } catch {
    return false;
  }
}

/** Reads until the end of the connection. @returns How many bytes came. */
export async function drain(stream: ByteStream): Promise<number> {
  const buffer = new Uint8Array(64 * 1024);
  let total = 0;
  try {
    for (let n = await stream.read(buffer); n !== null; n = await stream.read(buffer)) total += n;
  } catch {
    // It was closed.
  }
  return total;
}

/** A call as the node below `g.call` takes it. */
export function request(
  callbackName: string,
  args: readonly unknown[],
  fields: Partial<CallRequest> = {},
): CallRequest {
  return {
    callbackName,
    args,
    timeoutMs: undefined,
    etaMs: undefined,
    signal: undefined,
    to: undefined,
    strategy: "random",
    site: undefined,
    ...fields,
  };
}

/** Waits until a node knows of another one. */
export async function knows(node: Node, processName: string): Promise<void> {
  const [met] = node.network.when("process", processName);
  await met;
}

/** Stops a node that waits for nothing. */
export async function stopNode(node: Node): Promise<void> {
  await node.stop(1, () => new Error("stopped") as never);
}

/** Fails when a callback was run for somebody who did not call it. */
export function assertRuns(runs: Runs, caller: string, count: number): void {
  assertEquals(runs.byCaller.get(caller) ?? 0, count, `runs for ${caller}`);
}
