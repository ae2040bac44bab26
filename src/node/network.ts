/**
 * A node's copy of the directory: whom it can call.
 *
 * @module
 */

import { CallbackNotFoundError, ProcessNotFoundError, ProtocolError } from "../errors.ts";
import type { Strategy } from "../internal/call_request.ts";
import { suggestion } from "../internal/suggestion.ts";
import { Waiters } from "../internal/waiters.ts";
import type { DirectoryChange, NamedCallback, ProcessEntry, Welcome } from "../wire/control.ts";
import { MAX_WITHDRAWN } from "../wire/limits.ts";
import { ShownCallbacks } from "./shown_callbacks.ts";

/** Another process, or the own one. */
export class RemoteProcess {
  /** Names of its callbacks by name id. */
  readonly callbacks = new Map<number, string>();
  /** Calls from here that it has not answered yet. */
  pendingCalls = 0;
  /** Calls from it that run here, or wait for their turn. */
  activeCalls = 0;

  /**
   * @param id Its number in the directory.
   * @param name Its process name.
   */
  constructor(readonly id: number, readonly name: string) {}
}

/** Those who offer a callback. */
interface Offer {
  readonly nameId: number;
  readonly providers: RemoteProcess[];
  turn: number;
}

/** Who hears of changes. */
export interface NetworkEvents {
  /** Another process came. */
  onJoin(process: RemoteProcess): void;
  /** Another process left. */
  onLeave(process: RemoteProcess, graceful: boolean): void;
  /** Whether this process offers a callback itself. */
  offersItself(callbackName: string): boolean;
}

/** The processes that are connected, and what they offer. */
export class Network {
  #events: NetworkEvents;
  #selfId = 0;
  #processes = new Map<number, RemoteProcess>();
  #byName = new Map<string, RemoteProcess>();
  #offers = new Map<string, Offer>();
  #waiters = new Waiters();
  /** What the user sees, and may keep. */
  readonly #shown = new ShownCallbacks();
  /** The own callbacks that were withdrawn, by name id: who has not heard of it may still call them. */
  #withdrawn = new Map<number, string>();

  /** @param events Who hears of changes. */
  constructor(events: NetworkEvents) {
    this.#events = events;
  }

  /** Begins anew with what the controller says. @throws {ProtocolError} when it contradicts itself: nobody is there then. */
  reset(welcome: Welcome): void {
    this.clear();
    this.#selfId = welcome.id;
    try {
      for (const entry of welcome.processes) this.#add(entry);
    } catch (error) {
      this.clear();
      throw error;
    }
    this.#waiters.wake();
  }

  /** Forgets everybody, for the controller is lost. */
  clear(): void {
    for (const process of [...this.#processes.values()]) this.#remove(process, false);
    this.#offers.clear();
    this.#withdrawn.clear();
  }

  /**
   * Applies one change.
   *
   * @throws {ProtocolError} when it does not fit to what was said before.
   */
  apply(change: DirectoryChange): void {
    if (change.type === "join") {
      this.#add(change.process);
    } else {
      const process = this.#processes.get(change.id);
      if (process === undefined) {
        throw new ProtocolError(`The directory has no process ${change.id} to change`);
      }
      if (change.type === "leave") this.#remove(process, change.graceful);
      else if (change.type === "offer") this.#offer(process, change.callbacks);
      else this.#withdraw(process, change.callbacks);
    }
    this.#waiters.wake();
  }

  #add([id, name, callbacks]: ProcessEntry): void {
    if (this.#processes.has(id) || this.#byName.has(name)) {
      throw new ProtocolError(
        `The directory has process ${id}, or its name, ${quote(name)}, already`,
      );
    }
    const process = new RemoteProcess(id, name);
    this.#processes.set(id, process);
    this.#byName.set(name, process);
    this.#offer(process, callbacks);
    if (id !== this.#selfId) this.#events.onJoin(process);
  }

  #remove(process: RemoteProcess, graceful: boolean): void {
    this.#withdraw(process, [...process.callbacks.keys()]);
    this.#processes.delete(process.id);
    if (this.#byName.get(process.name) === process) this.#byName.delete(process.name);
    this.#shown.forget(process);
    if (process.id !== this.#selfId) this.#events.onLeave(process, graceful);
  }

  #offer(process: RemoteProcess, callbacks: readonly NamedCallback[]): void {
    for (const [nameId, name] of callbacks) {
      if (process.callbacks.has(nameId)) continue; // told twice
      process.callbacks.set(nameId, name);
      if (process.id === this.#selfId) continue; // the own ones are called as functions
      const offer = this.#offers.get(name);
      // A name that nobody offered for a while has come back with another number.
      if (offer?.nameId === nameId) offer.providers.push(process);
      else this.#offers.set(name, { nameId, providers: [process], turn: 0 });
    }
    if (process.id !== this.#selfId) this.#shown.show(process);
  }

  #withdraw(process: RemoteProcess, nameIds: readonly number[]): void {
    for (const nameId of nameIds) {
      const name = process.callbacks.get(nameId);
      if (name === undefined) continue;
      process.callbacks.delete(nameId);
      if (process.id === this.#selfId) this.#remember(nameId, name);
      const offer = this.#offers.get(name);
      const index = offer?.providers.indexOf(process) ?? -1;
      if (index < 0) continue;
      offer!.providers.splice(index, 1);
      if (offer!.providers.length === 0) this.#offers.delete(name);
    }
    if (process.id !== this.#selfId) this.#shown.show(process);
  }

  #remember(nameId: number, name: string): void {
    this.#withdrawn.set(nameId, name);
    if (this.#withdrawn.size <= MAX_WITHDRAWN) return;
    const [oldest] = this.#withdrawn.keys();
    this.#withdrawn.delete(oldest!);
  }

  /** The process with this number. */
  byId(id: number): RemoteProcess | undefined {
    return this.#processes.get(id);
  }

  /** The own callback's name for a number in a `CALL`, also if it has just been withdrawn. */
  ownCallback(nameId: number): string | undefined {
    return this.#processes.get(this.#selfId)?.callbacks.get(nameId) ??
      this.#withdrawn.get(nameId);
  }

  /** The callbacks of the other processes by process name: one object, which is kept up to date. */
  registeredCallbacks(): Record<string, string[]> {
    return this.#shown.all(() => this.others());
  }

  /** The other processes. */
  others(): RemoteProcess[] {
    return [...this.#processes.values()].filter((process) => process.id !== this.#selfId);
  }

  /** Whether a process, or any, offers a callback, or, without a name, is there. */
  offers(callbackName: string, to: string | undefined): boolean {
    const process = to === undefined ? undefined : this.#byName.get(to);
    if (callbackName === "") return process !== undefined;
    const offer = this.#offers.get(callbackName);
    if (offer === undefined || to === undefined) return offer !== undefined;
    return process?.callbacks.has(offer.nameId) === true && process.id !== this.#selfId;
  }

  /**
   * All who offer a callback.
   *
   * @throws {CallbackNotFoundError} when no other process does.
   */
  providersOf(callbackName: string): readonly RemoteProcess[] {
    return [...(this.#offers.get(callbackName) ?? this.#notFound(callbackName)).providers];
  }

  /**
   * The number of a callback's name.
   *
   * @throws {CallbackNotFoundError} when no other process offers it.
   */
  nameId(name: string): number {
    return (this.#offers.get(name) ?? this.#notFound(name)).nameId;
  }

  /**
   * Chooses who runs a callback.
   *
   * @param verb What the user does, for messages.
   * @throws {CallbackNotFoundError} when nobody, or not the one asked for, offers it.
   * @throws {ProcessNotFoundError} when the one asked for is not connected.
   */
  choose(name: string, to: string | undefined, strategy: Strategy, verb?: string): RemoteProcess {
    if (to !== undefined) return this.#pinned(name, to, verb);
    const offer = this.#offers.get(name) ?? this.#notFound(name, verb);
    const { providers } = offer;
    if (providers.length === 1) return providers[0]!;
    switch (strategy) {
      case "random":
        return providers[Math.floor(Math.random() * providers.length)]!;
      case "round-robin":
        return providers[offer.turn++ % providers.length]!;
      case "least-pending":
        return leastPending(providers);
    }
  }

  /**
   * The process of this name.
   *
   * @param to Its name.
   * @param verb What is wanted of it, for the message.
   * @param callbackName The callback that is wanted, if it is one.
   * @throws {ProcessNotFoundError} when it is not connected.
   */
  process(to: string, verb: string, callbackName?: string): RemoteProcess {
    const process = this.#byName.get(to);
    if (process === undefined) {
      const names = this.others().map((other) => other.name);
      throw new ProcessNotFoundError(
        `Cannot ${verb} on ${quote(to)}: no such process is connected; ` +
          `there is ${list(names)}${suggestion(to, names)}`,
        { processName: to, callbackName, executed: "never" },
      );
    }
    return process;
  }

  #pinned(name: string, to: string, verb = `call ${name}`): RemoteProcess {
    const process = this.process(to, verb, name);
    if (this.#offers.get(name)?.providers.includes(process)) return process;
    if (process.id === this.#selfId) {
      throw new CallbackNotFoundError(
        `Cannot ${verb} on ${quote(to)}: that is this process itself; ` +
          "call it as an ordinary function, or by a second Global",
        { processName: to, callbackName: name, executed: "never" },
      );
    }
    const names = [...process.callbacks.values()];
    throw new CallbackNotFoundError(
      `Cannot ${verb} on ${quote(to)}: that process does not offer it; ` +
        `it offers ${list(names)}${suggestion(name, names)}`,
      { processName: to, callbackName: name, executed: "never" },
    );
  }

  #notFound(name: string, verb = `call ${name}`): never {
    const names = [...this.#offers.keys()];
    throw new CallbackNotFoundError(
      `Cannot ${verb}: ` +
        (this.#events.offersItself(name)
          ? "only this process itself offers it; call it as an ordinary function, or by a second Global"
          : "no other process offers it") +
        `; others offer ${list(names)}${suggestion(name, names)}`,
      { callbackName: name, executed: "never" },
    );
  }

  /** Resolves when a process is connected, or another process offers a callback; the second function gives up waiting. */
  when(kind: "process" | "callback", name: string): [Promise<void>, () => void] {
    const all: ReadonlyMap<string, unknown> = kind === "process" ? this.#byName : this.#offers;
    return this.#waiters.until(() => all.has(name));
  }

  /** Nothing will change any more: whoever waits is told why. */
  end(reason: () => Error): void {
    this.#waiters.end(reason);
  }
}

/** The one with the fewest calls under way; among equals a random one, so that nobody is favoured. */
function leastPending(providers: readonly RemoteProcess[]): RemoteProcess {
  let best = providers[0]!;
  let equals = 1;
  for (let i = 1; i < providers.length; i++) {
    const candidate = providers[i]!;
    if (candidate.pendingCalls < best.pendingCalls) [best, equals] = [candidate, 1];
    else if (candidate.pendingCalls === best.pendingCalls && Math.random() * ++equals < 1) {
      best = candidate;
    }
  }
  return best;
}

const quote = (name: string): string => JSON.stringify(name);

function list(names: readonly string[]): string {
  if (names.length === 0) return "nothing";
  const shown = names.slice(0, 20).sort().join(", ");
  return names.length > 20 ? `${shown} and ${names.length - 20} more` : shown;
}
