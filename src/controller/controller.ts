/**
 * The Controller, to which all nodes connect: lets them in, and does what their control frames ask for.
 *
 * @module
 */

import { AuthenticationError, OverloadedError, ProtocolError } from "../errors.ts";
import type { Logger } from "../internal/log.ts";
import type { Authorize } from "../internal/authorization.ts";
import { stoppedError } from "../internal/stopped_error.ts";
import { within } from "../internal/within.ts";
import type { Connection, ConnectionHandler } from "../link/connection.ts";
import type { Secret } from "../link/secret.ts";
import { memoryPipe } from "../transport/memory.ts";
import type { Address, ByteStream, Listener, Listening } from "../transport/transport.ts";
import { MessagePackCodec } from "../wire/codec.ts";
import { type Hello, readNames } from "../wire/control.ts";
import { type Frame, frame, Kind, Undelivered } from "../wire/frame.ts";
import { MAX_CALLBACKS_PER_NODE } from "../wire/limits.ts";
import { Authorizer } from "./authorizer.ts";
import { Doorkeeper, type DoorkeeperCounts } from "./doorkeeper.ts";
import { Gate } from "./gate.ts";
import { Members } from "./members.ts";
import type { Peer } from "./peer.ts";
import { Router, type RouterCounts } from "./router.ts";

/** How long a controller that stops waits for what it still has to send. */
const FLUSH_TIMEOUT_MS = 1_000;

/** What a controller needs. */
export interface ControllerOptions {
  /** Largest frame that it accepts. */
  maxFrameBytes: number;
  /** What nodes have to prove, and it to them. */
  secret?: Secret | undefined;
  /** What decides who may do what; the node in the same process is not asked about. */
  authorize?: Authorize | undefined;
  /** Where it tells what no caller hears of. */
  logger: Logger;
  /** Closes a connection of another process when it is lost. */
  watch(connection: Connection): void;
  /** A process has joined. */
  onJoin(processName: string): void;
  /** A process is gone. */
  onLeave(processName: string): void;
}

/** What a controller has counted since it was made. */
export interface ControllerCounts extends RouterCounts, DoorkeeperCounts {
  /** What nodes wanted to do and were not allowed to. */
  denied: number;
  /** Joined connections that ended without a goodbye. */
  lost: number;
}

/** Accepts nodes, and lets the router forward their frames. */
export class Controller {
  readonly #options: ControllerOptions;
  readonly #members: Members;
  readonly #router: Router;
  /** Listeners with their accept loops. */
  readonly #listeners = new Map<Listener, Promise<void>>();
  readonly #codec = new MessagePackCodec();
  readonly #authorizer: Authorizer | undefined;
  readonly #door: Doorkeeper;
  #lost = 0;
  #protocolErrors = 0;
  #stopped = false;

  /** @param options What it needs. */
  constructor(options: ControllerOptions) {
    const { authorize, logger, maxFrameBytes } = options;
    const members = this.#members = new Members(maxFrameBytes);
    this.#options = options;
    this.#router = new Router(
      members.peers,
      (nameId) => members.directory.providersOf(nameId),
      members.announcer,
    );
    if (authorize !== undefined) this.#authorizer = new Authorizer(authorize, logger);
    this.#door = new Doorkeeper({
      ...options,
      secret: options.secret,
      authorizer: this.#authorizer,
      admit: (...joining) => this.#admit(...joining),
    });
  }

  /** What it has forwarded, dropped and refused so far. */
  get counts(): ControllerCounts {
    const { counts } = this.#door;
    return {
      ...this.#router.counts,
      ...counts,
      denied: this.#authorizer?.denied ?? 0,
      lost: this.#lost,
      protocolErrors: this.#protocolErrors + counts.protocolErrors,
    };
  }

  /**
   * Listens for nodes.
   *
   * @returns The address as bound.
   * @throws {ConnectionError} when the address cannot be listened on.
   * @throws {GlobalContextError} when this is stopped meanwhile.
   */
  async listen(transport: Listening): Promise<Address> {
    const listener = await transport.listen(({ message }) =>
      this.#options.logger.warn(`daffi: connections cannot be accepted at present: ${message}`)
    );
    if (this.#stopped) {
      listener.close();
      throw stoppedError("go on");
    }
    this.#listeners.set(listener, this.#acceptAll(listener));
    return listener.address;
  }

  /** Counts and logs who was not let in before it could ask to join; see {@linkcode Doorkeeper.turnedAway}. */
  turnedAway(why: string, isStranger: boolean, remote: string | undefined): void {
    this.#door.turnedAway(why, isStranger, remote);
  }

  async #acceptAll(listener: Listener): Promise<void> {
    for (let stream = await listener.accept(); stream; stream = await listener.accept()) {
      void this.#door.take(stream);
    }
  }

  /** Lets a node of this process join. @returns Its end of the connection. */
  connect(): ByteStream {
    const [there, here] = memoryPipe(isAnswer, isForOthers);
    this.takeOwn(here);
    return there;
  }

  /** Takes the connection of the node in this process; see {@linkcode Doorkeeper.takeOwn}. */
  takeOwn(stream: ByteStream): void {
    void this.#door.takeOwn(stream);
  }

  #admit(
    hello: Hello,
    connection: Connection,
    mac: Uint8Array | undefined,
    own: boolean,
  ): ConnectionHandler {
    const peer = this.#members.join(hello, connection, mac, own);
    this.#options.onJoin(peer.name);
    const holding = (act: (incoming: Frame) => void) => (incoming: Frame) => {
      const before = connection.queuedBytes;
      act(incoming);
      if (connection.congested && this.#members.peers.has(peer.id)) {
        peer.holdItself(incoming.kind, connection.queuedBytes > before);
      }
    };
    const onFrame = holding((incoming) => this.#onFrame(peer, incoming));
    const deny = holding((incoming) => this.#router.deny(peer, incoming));
    const gate = this.#authorizer === undefined || own
      ? undefined
      : this.#gateOf(peer, this.#authorizer, onFrame, deny);
    peer.gate = gate;
    return {
      onFrame: gate === undefined ? onFrame : (incoming) => gate.onFrame(incoming),
      onDrain: () => peer.drained(),
      onClose: (error) => this.#remove(peer, error),
    };
  }

  #gateOf(
    peer: Peer,
    authorizer: Authorizer,
    pass: (frame: Frame) => void,
    deny: (frame: Frame) => void,
  ): Gate {
    const { peers, directory } = this.#members;
    return new Gate(peer, {
      authorizer,
      codec: this.#codec,
      peers,
      nameOf: (process, name) => directory.nameOf(process, name),
      providersOf: (name) => directory.providersOf(name),
      pass,
      deny,
    });
  }

  #onFrame(peer: Peer, incoming: Frame): void {
    switch (incoming.kind) {
      case Kind.Offer:
        return this.#offer(peer, incoming);
      case Kind.Withdraw: {
        const { directory, announcer } = this.#members;
        return announcer.announceOf(peer, directory.withdraw(peer.id, readNames(incoming.payload)));
      }
      case Kind.Leave:
        return this.#leave(peer);
      case Kind.Ping:
        return peer.connection.send(frame(Kind.Pong, { value: incoming.value }));
      case Kind.Pong:
        return;
      default:
        return this.#router.route(peer, incoming);
    }
  }

  #offer(peer: Peer, incoming: Frame): void {
    const { directory, announcer } = this.#members;
    const names = readNames(incoming.payload);
    if (directory.countOf(peer.id) + names.length > MAX_CALLBACKS_PER_NODE) {
      throw new ProtocolError(`A process may offer at most ${MAX_CALLBACKS_PER_NODE} callbacks`);
    }
    try {
      announcer.announceOf(peer, directory.offer(peer.id, names));
    } catch (error) {
      if (!(error instanceof OverloadedError)) throw error;
      this.#options.logger.warn(
        `daffi: process ${JSON.stringify(peer.name)} cannot offer more: ${error.message}`,
      );
      this.#router.denyOffer(peer, incoming, Undelivered.Overloaded);
    }
  }

  #leave(peer: Peer): void {
    this.#forget(peer, true);
    peer.connection.handler = { onFrame() {}, onClose() {} };
    closeWhenFlushed(peer.connection);
  }

  #remove(peer: Peer, error: Error | undefined): void {
    if (!this.#forget(peer, false) || this.#stopped) return;
    this.#lost++;
    if (error instanceof ProtocolError) this.#protocolErrors++;
    this.#options.logger.warn(
      `daffi: the connection to process ${JSON.stringify(peer.name)} was lost` +
        (error === undefined ? "" : `: ${error.message}`),
    );
  }

  #forget(peer: Peer, graceful: boolean): boolean {
    const wasThere = this.#members.leave(peer, graceful);
    if (wasThere) this.#options.onLeave(peer.name);
    return wasThere;
  }

  /** @throws {AuthenticationError} when `processName`, in which it runs, may not stop the nodes. */
  async authorizeStop(processName: string): Promise<void> {
    if (this.#authorizer === undefined) return;
    if (await this.#authorizer.decideAndCount({ action: "stopNodes", processName }) === true) {
      return;
    }
    throw new AuthenticationError("Cannot stop the connected nodes: authorize does not allow it");
  }

  /** Asks every connected node but `except` to stop itself, and waits until they have left. */
  async stopNodes(except: string, timeoutMs: number): Promise<void> {
    const others = () => [...this.#members.peers.values()].filter((peer) => peer.name !== except);
    const left = others().map(({ connection }) => connection.over);
    for (const { connection } of others()) connection.send(frame(Kind.Shutdown));
    if (await within(Promise.all(left), timeoutMs)) return;
    const names = others().map(({ name }) => name).join(", ");
    this.#options.logger.warn(`daffi: asked to stop, but still connected are: ${names}`);
  }

  /** Stops listening, sends what is queued, and closes all connections. Idempotent. */
  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const listener of this.#listeners.keys()) listener.close();
    this.#door.stop();
    this.#members.announcer.stop();
    this.#authorizer?.stop();
    await Promise.all(
      Array.from(this.#members.peers.values(), (peer) => closeWhenFlushed(peer.connection)),
    );
    await Promise.all(this.#listeners.values()); // until then an address may still be taken
  }
}

async function closeWhenFlushed(connection: Connection): Promise<void> {
  await within(connection.flushed(), FLUSH_TIMEOUT_MS);
  connection.close();
}

/** What runs callbacks is left to the turn of the node's own connection, and to its asynchronous context. */
function isAnswer({ kind, stream }: Frame): boolean {
  return kind === Kind.Result || kind === Kind.Error || (kind === Kind.Item && stream === 0);
}

/** What is only passed on. */
function isForOthers({ kind }: Frame): boolean {
  return kind >= Kind.Call;
}
