/**
 * A process's place in the network: joins, takes part, comes back after a loss, and leaves.
 *
 * @module
 */

import { ConnectionError, DaffiError, ProtocolError } from "../errors.ts";
import type { Logger } from "../internal/log.ts";
import type { CallScope } from "../internal/call_scope.ts";
import { anotherOf } from "../internal/concerning.ts";
import { monotonicMs } from "../internal/monotonic.ts";
import { within } from "../internal/within.ts";
import { backoffMs, pauseFor, type ReconnectPolicy } from "../link/backoff.ts";
import type { Connection, ConnectionHandler } from "../link/connection.ts";
import { asConnectionError, isFinal, joinController } from "../link/join_controller.ts";
import type { Secret } from "../link/secret.ts";
import type { TaskFailureInfo } from "../scheduler/task.ts";
import type { CallbackRegistry } from "../registry/callback_registry.ts";
import type { ByteStream } from "../transport/transport.ts";
import { MessagePackCodec } from "../wire/codec.ts";
import type { LargePayloads } from "../wire/large_payloads.ts";
import { decodeDirectoryChange, type Welcome } from "../wire/control.ts";
import { type Frame, frame, Kind } from "../wire/frame.ts";
import { kindName } from "../wire/kind_name.ts";
import { AUTHORIZE_TIMEOUT_MS, HEADER_BYTES, LEAVE_TIMEOUT_MS } from "../wire/limits.ts";
import { Assembler } from "./assembler.ts";
import { Caller, type CallerCounts } from "./caller.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Network } from "./network.ts";
import { Offers } from "./offers.ts";
import { Outbox } from "./outbox.ts";
import { NOT_CONNECTED } from "./pending_call.ts";
import type { Session } from "./session.ts";
import type { TransferService } from "./transfer_service.ts";
import { type MakeTasks, readTaskFailure, type TaskService } from "./task_service.ts";
import { makeUuid } from "../internal/uuid.ts";

/** Who hears of what happens to a node. */
export interface NodeEvents {
  onConnect(): void;
  onDisconnect(error: Error | undefined): void;
  onJoin(processName: string): void;
  onLeave(processName: string): void;
  /** A run of a task of this process failed elsewhere. */
  onTaskFailure(failure: TaskFailureInfo): void;
  /** The controller asks the node to stop. */
  onShutdown(): void;
  /** The node has given up. */
  onFailure(error: DaffiError): void;
}

/** What a node needs. */
export interface NodeOptions {
  readonly processName: string;
  /** What callbacks get as `currentCall().g`. */
  readonly g: unknown;
  readonly registry: CallbackRegistry;
  readonly maxFrameBytes: number;
  readonly defaultTimeoutMs: number;
  /** Makes what runs tasks; `undefined` where none is ever run. */
  readonly makeTasks: MakeTasks | undefined;
  /** Runs the functions that others send. */
  readonly transfers: TransferService | undefined;
  /** `undefined` to give up at the first failure. */
  readonly reconnect: ReconnectPolicy | undefined;
  /** What it proves to the controller, and the controller to it. */
  readonly secret?: Secret | undefined;
  /** Without it large frames are sent as a whole. */
  readonly large?: LargePayloads | undefined;
  readonly logger: Logger;
  readonly events: NodeEvents;
  /** Closes the connection to the controller when it is lost. */
  readonly watch: (connection: Connection) => void;
  /** Opens a connection to the controller. @throws {ConnectionError} when nobody answers. */
  readonly connect: () => Promise<ByteStream>;
}

/** A node. */
export class Node {
  /** Calls others. */
  readonly caller: Caller;
  /** Who is there. */
  readonly network: Network;
  /** Resolves when the node has joined for the first time; rejects when it has given up. */
  readonly ready: Promise<void>;
  readonly #options: NodeOptions;
  readonly #codec: MessagePackCodec;
  readonly #tasks: TaskService | undefined;
  readonly #dispatcher: Dispatcher;
  readonly #instance = makeUuid();
  readonly #ready = Promise.withResolvers<void>();
  readonly #offers: Offers;
  readonly #unsubscribe: () => void;
  readonly #loop: Promise<void>;
  #joining: ByteStream | undefined;
  #session: Session | undefined;
  #assembler: Assembler | undefined;
  #stopping = false;
  #wake: (() => void) | undefined;

  /** Starts joining at once. */
  constructor(options: NodeOptions) {
    const { registry, logger, defaultTimeoutMs, g, events } = options;
    const codec = this.#codec = new MessagePackCodec(options.large);
    this.#options = options;
    (this.ready = this.#ready.promise).catch(() => {}); // whoever cares looks at it
    const network = this.network = new Network({
      onJoin: (process) => events.onJoin(process.name),
      onLeave: (process, graceful) => {
        this.#assembler?.forget(process.id);
        this.caller.onLeave(process, graceful);
        this.#dispatcher.onLeave(process);
        options.transfers?.leave(process.name);
        events.onLeave(process.name);
      },
      offersItself: (name) => registry.get(name) !== undefined,
    });
    this.caller = new Caller({ codec, network, logger, defaultTimeoutMs });
    this.#dispatcher = new Dispatcher({
      ...{ g, codec, network, registry, logger },
      handleTask: (request, owner) => this.handleTask(request, owner),
      transferred: options.transfers?.callback,
    });
    this.#tasks = options.makeTasks?.({
      ...options,
      ...{ codec, network, dispatcher: this.#dispatcher },
      outbox: () => this.#session?.outbox,
    });
    this.#offers = new Offers(registry, (frame) => this.#session?.connection.send(frame));
    this.#unsubscribe = registry.subscribe((change) => {
      if (!this.#stopping) this.#offers.changed(change);
    });
    this.#loop = this.#stayConnected();
  }

  /** Why nothing can be sent now, for the end of a message; empty if it can. */
  get whyNotSent(): string {
    return this.#session === undefined ? NOT_CONNECTED : "";
  }

  /** What no caller heard of so far. */
  get counts(): CallerCounts & Dispatcher["counts"] {
    return { ...this.caller.counts, ...this.#dispatcher.counts };
  }

  async #stayConnected(): Promise<void> {
    const { reconnect, logger, connect } = this.#options;
    for (let failures = 0, shortStays = 0, hasJoined = false; !this.#stopping;) {
      try {
        const connection = await this.#join(await connect());
        failures = 0;
        hasJoined = true;
        this.#ready.resolve();
        this.#options.watch(connection);
        const joinedAt = monotonicMs();
        await connection.over;
        if (reconnect === undefined) throw new ConnectionError("The controller is lost");
        shortStays = monotonicMs() - joinedAt < reconnect.maxDelayMs ? shortStays + 1 : 0;
      } catch (error) {
        if (this.#stopping) return;
        failures++;
        if (
          reconnect === undefined || failures >= reconnect.maxAttempts || isFinal(error, hasJoined)
        ) {
          return this.#giveUp(asConnectionError(error as Error));
        }
        const isTold = (failures & (failures - 1)) === 0; // less and less often
        const why = (error as Error).message;
        if (isTold) logger.warn(`daffi: ${why}; trying again until a controller answers`);
      }
      if (this.#stopping || reconnect === undefined) return;
      const { minDelayMs, maxDelayMs } = reconnect;
      const pause = pauseFor(backoffMs(Math.max(1, failures, shortStays), minDelayMs, maxDelayMs));
      this.#wake = pause.end;
      await pause.over;
    }
  }

  async #join(stream: ByteStream): Promise<Connection> {
    if (this.#stopping) {
      stream.close();
      throw new ConnectionError("The node is stopping");
    }
    const { processName: process, registry, maxFrameBytes, secret } = this.#options;
    this.#joining = stream;
    const hello = { process, instance: this.#instance, maxFrameBytes, callbacks: registry.names() };
    try {
      return await joinController(stream, hello, (welcome, connection) => {
        if (this.#stopping) return undefined;
        this.#onWelcome(welcome, connection);
        return this.#handler(connection);
      }, secret);
    } finally {
      if (!this.#stopping) this.#joining = undefined; // it is closed, or the session's
    }
  }

  #onWelcome(welcome: Welcome, connection: Connection): void {
    this.network.reset(welcome); // first, for it may be no network
    const outbox = new Outbox(connection, this.#options.large?.divide);
    const session = { connection, outbox, maxFrameBytes: welcome.maxFrameBytes };
    this.#session = session;
    this.#codec.maxBytes = welcome.maxFrameBytes - HEADER_BYTES;
    this.#dispatcher.connected(session);
    this.#offers.catchUp(welcome);
    this.caller.connected(session);
    this.#options.events.onConnect();
  }

  #handler(connection: Connection): ConnectionHandler {
    const { maxFrameBytes } = this.#options;
    const deliver = (incoming: Frame, problem?: DaffiError) => this.#onFrame(incoming, problem);
    const assembler = this.#assembler = new Assembler({ maxFrameBytes, deliver });
    return {
      onFrame: (incoming) => assembler.onFrame(incoming),
      onDrain: () => this.#session?.outbox.drained(),
      onClose: (error) => this.#onClose(connection, error),
    };
  }

  #onFrame(incoming: Frame, problem?: DaffiError): void {
    switch (incoming.kind) {
      case Kind.Call:
      case Kind.Task:
      case Kind.Transfer:
      case Kind.Cancel:
        return this.#dispatcher.onFrame(incoming, problem);
      case Kind.Result:
      case Kind.Error:
      case Kind.Stream:
      case Kind.Targets:
      case Kind.Undelivered:
        return this.caller.onFrame(incoming, problem);
      case Kind.Item: // stream 0 runs to the caller, the others to the callback
      case Kind.End:
      case Kind.Fail:
        return (incoming.stream === 0 ? this.caller : this.#dispatcher).onFrame(incoming, problem);
      case Kind.Credit:
      case Kind.Stop:
        return (incoming.stream === 0 ? this.#dispatcher : this.caller).onFrame(incoming);
      case Kind.TaskFailed:
        return this.#onTaskFailed(incoming);
      case Kind.Directory:
        this.network.apply(decodeDirectoryChange(incoming.payload));
        return this.caller.networkChanged();
      case Kind.Pause:
        return this.#session?.outbox.pause(incoming.peer);
      case Kind.Resume:
        return this.#session?.outbox.resume(incoming.peer);
      case Kind.Shutdown:
        return this.#options.events.onShutdown();
      case Kind.Ping:
        return this.#session?.connection.send(frame(Kind.Pong, { value: incoming.value }));
      case Kind.Pong:
        return;
      default:
        throw new ProtocolError(`${kindName(incoming.kind)} is not allowed from a controller`);
    }
  }

  /** Does what is asked of the scheduler, by whoever it is. @throws {DaffiError} when it cannot be done. */
  handleTask(request: unknown, owner: string): unknown {
    if (this.#tasks !== undefined) return this.#tasks.handle(request, owner);
    throw new DaffiError("TASK", "A page runs no tasks", { executed: "never" });
  }

  #onTaskFailed({ peer, payload }: Frame): void {
    const processName = this.network.byId(peer)?.name;
    const failure = readTaskFailure(payload);
    if (processName === undefined || failure === undefined) return;
    this.#options.events.onTaskFailure({ ...failure, processName });
  }

  #onClose(connection: Connection, error: Error | undefined): void {
    if (this.#session?.connection !== connection) return;
    this.#session = undefined;
    this.caller.disconnected(this.#stopping);
    this.#dispatcher.disconnected();
    this.network.clear();
    if (!this.#stopping) {
      const why = error === undefined ? "" : `: ${error.message}`;
      this.#options.logger.warn(`daffi: the connection to the controller was lost${why}`);
    }
    this.#options.events.onDisconnect(error);
  }

  #giveUp(error: DaffiError): void {
    this.#end(() => anotherOf(error));
    this.#ready.reject(error);
    this.#options.events.onFailure(error);
  }

  #end(reason: (() => DaffiError) | undefined): void {
    this.#unsubscribe();
    this.#tasks?.close();
    this.caller.end(reason);
    if (reason !== undefined) this.network.end(reason);
    this.#dispatcher.end();
  }

  /**
   * Leaves the network: takes no more calls, lets those that run finish, and says goodbye.
   *
   * @param drainTimeoutMs How long running callbacks may take; their signals are aborted after it.
   * @param reason Makes the error for whoever still waits for something; without it they go on
   * waiting, for the process is about to end.
   */
  async stop(drainTimeoutMs: number, reason: (() => DaffiError) | undefined): Promise<void> {
    // Nobody should choose this node any more; what is under way is still answered.
    this.#offers.withdrawAll();
    this.#stopping = true;
    this.#tasks?.stop();
    this.#wake?.();
    if (this.#session === undefined) this.caller.end(reason);
    const isDone = await this.#dispatcher.drain(drainTimeoutMs);
    this.#end(reason);
    if (reason !== undefined) this.#ready.reject(reason());
    const connection = this.#session?.connection;
    // It says that all calls were answered. The controller looks at it when it has decided about what came before.
    if (isDone) connection?.send(frame(Kind.Leave));
    await this.#options.transfers?.stop();
    const decisionMs = isDone && connection !== undefined ? AUTHORIZE_TIMEOUT_MS : 0;
    await within(this.#loop, LEAVE_TIMEOUT_MS + decisionMs);
    connection?.close();
    this.#joining?.close();
  }

  /** Resolves when this stops and no call runs any more but this one, and others that wait for just that. */
  othersDone(call: CallScope): Promise<void> {
    return this.#dispatcher.othersDone(call);
  }
}
