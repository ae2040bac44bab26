/**
 * Lets the frames of a process pass that its controller's `authorize` function allows.
 *
 * @module
 */

import type { AuthorizationRequest } from "../internal/authorization.ts";
import { asTaskOperation } from "../internal/task_operations.ts";
import { isUuid } from "../internal/uuid.ts";
import type { Codec } from "../wire/codec.ts";
import { nameProblem, readNames } from "../wire/control.ts";
import { type Frame, Kind, ownFrame } from "../wire/frame.ts";
import { MAX_VERDICTS_PER_NODE } from "../wire/limits.ts";
import { isModest } from "../wire/modest.ts";
import type { Authorizer, Verdict } from "./authorizer.ts";
import type { Peer } from "./peer.ts";

/** What a gate needs of its controller. */
export interface GateOptions {
  readonly authorizer: Authorizer;
  readonly codec: Codec;
  readonly peers: ReadonlyMap<number, Peer>;
  /** A callback that a process offers, or has just withdrawn, by number. */
  nameOf(process: number, name: number): string | undefined;
  /** Who offers a callback. */
  providersOf(name: number): ReadonlySet<number>;
  /** What becomes of a frame that is allowed. @throws {ProtocolError} */
  pass(frame: Frame): void;
  /** What becomes of one that is not. */
  deny(frame: Frame): void;
}

/** More than the times that a task may have, and what else it has; its arguments are bytes, and one of these values. */
const MAX_TASK_VALUES = 2_000;

/** Stands for "functions that are sent" among the names of callbacks, which are never empty. */
const TRANSFER = "";

/**
 * The gate of one process. Each call, that is each pair of a target and a callback, is decided once
 * and remembered. While something is decided, all that comes after it waits, in order; it is not more
 * than one read brings, for the connection is not read from meanwhile.
 */
export class Gate {
  readonly #source: Peer;
  readonly #options: GateOptions;
  /** By target, then by callback: by its name, for its number may be another's one day. */
  readonly #verdicts = new Map<number, Map<string, boolean>>();
  /** Of the broadcast that passes, by target: who comes meanwhile was not decided about. */
  #broadcast = new Map<number, boolean>();
  #verdictCount = 0;
  #waiting: Frame[] | undefined;
  #ended = false;

  /**
   * @param source Whose frames come here.
   * @param options What it needs.
   */
  constructor(source: Peer, options: GateOptions) {
    this.#source = source;
    this.#options = options;
  }

  /** Takes a frame of the process. @throws {ProtocolError} when it is malformed. */
  onFrame(incoming: Frame): void {
    if (this.#waiting !== undefined) return void this.#waiting.push(ownFrame(incoming));
    const question = this.#question(incoming);
    if (typeof question === "boolean") return this.#finish(incoming, question);
    this.#waiting = [];
    this.#source.hold(this);
    void this.#decideAll(ownFrame(incoming), question);
  }

  /** Whether the broadcast that passes may go to a process; counts it if not. `undefined` for who has come since it came. */
  allowsBroadcast(target: number): boolean | undefined {
    const verdict = this.#broadcast.get(target);
    if (verdict === false) this.#options.authorizer.denied++;
    return verdict;
  }

  /** A process is gone, and with it what was decided about calls of it. */
  forget(target: number): void {
    this.#verdictCount -= this.#verdicts.get(target)?.size ?? 0;
    this.#verdicts.delete(target);
  }

  /** The process is gone: what waits is dropped. */
  end(): void {
    this.#ended = true;
  }

  async #decideAll(first: Frame, question: Promise<boolean>): Promise<void> {
    try {
      this.#finish(first, await question);
      for (let at = 0; at < this.#waiting!.length && !this.#ended; at++) {
        const next = this.#waiting![at]!;
        const question = this.#question(next);
        // No turn between: a process that was not there when it was asked about could be there then.
        this.#finish(next, typeof question === "boolean" ? question : await question);
      }
    } catch (error) {
      this.#source.connection.close(error as Error);
    }
    this.#waiting = undefined;
    this.#source.goOn(this);
  }

  #finish(incoming: Frame, allowed: boolean): void {
    if (this.#ended) return;
    if (allowed) {
      this.#options.pass(incoming);
      return this.#broadcast.clear();
    }
    this.#options.authorizer.denied++;
    this.#options.deny(incoming);
  }

  /** Whether a frame may pass, as far as that is known already. */
  #question(incoming: Frame): boolean | Promise<boolean> {
    switch (incoming.kind) {
      case Kind.Call:
        return this.#mayCallNow(incoming);
      case Kind.Broadcast:
        return this.#mayBroadcast(incoming.name);
      case Kind.Offer:
        return this.#ask({
          action: "offer",
          processName: this.#source.name,
          callbacks: readNames(incoming.payload),
        });
      case Kind.Task:
        return this.#maySchedule(incoming);
      case Kind.Transfer:
        return this.#mayTransfer(incoming.peer);
      default:
        return true;
    }
  }

  async #ask(request: AuthorizationRequest): Promise<boolean> {
    return await this.#options.authorizer.decide(request) === true;
  }

  /** What its target does not offer is no question, and passes without its number, for the target may know it still. */
  #mayCallNow(incoming: Frame): boolean | Promise<boolean> {
    const { peer, name } = incoming;
    const callbackName = this.#options.nameOf(peer, name);
    if (callbackName === undefined) incoming.name = 0;
    return this.#mayCall(peer, callbackName);
  }

  /** What is not there, or is not offered, is no question: nothing of it will run. */
  #mayCall(targetId: number, callbackName: string | undefined): boolean | Promise<boolean> {
    if (callbackName === undefined) return true;
    return this.#known(targetId, callbackName) ??
      this.#decide(targetId, callbackName, (caller, processName) => ({
        action: "call",
        ...{ caller, processName, callbackName },
      }));
  }

  /** It passes as such, and the router asks about each target. */
  #mayBroadcast(name: number): boolean | Promise<boolean> {
    const verdicts = this.#broadcast = new Map<number, boolean>();
    const open: Promise<unknown>[] = [];
    for (const target of this.#options.providersOf(name)) {
      if (target === this.#source.id) continue;
      const question = this.#mayCall(target, this.#options.nameOf(target, name));
      if (typeof question === "boolean") verdicts.set(target, question);
      else open.push(question.then((verdict) => verdicts.set(target, verdict)));
    }
    return open.length === 0 ? true : Promise.all(open).then(() => true);
  }

  #mayTransfer(targetId: number): boolean | Promise<boolean> {
    return this.#known(targetId, TRANSFER) ??
      this.#decide(targetId, TRANSFER, (caller, processName) => ({
        action: "transfer",
        ...{ caller, processName },
      }));
  }

  #maySchedule({ peer, payload }: Frame): boolean | Promise<boolean> {
    const target = this.#options.peers.get(peer);
    if (target === undefined) return true;
    const what = taskRequest(this.#options.codec, payload);
    if (what === undefined) return false;
    const [caller, processName] = [this.#source.name, target.name];
    return this.#ask({ action: "schedule", caller, processName, ...what });
  }

  #known(targetId: number, name: string): boolean | undefined {
    return this.#verdicts.get(targetId)?.get(name);
  }

  #decide(
    targetId: number,
    name: string,
    request: (caller: string, processName: string) => AuthorizationRequest,
  ): boolean | Promise<boolean> {
    const target = this.#options.peers.get(targetId);
    if (target === undefined) return true;
    const deciding = this.#options.authorizer.decide(request(this.#source.name, target.name));
    return deciding.then((verdict) => {
      this.#remember(targetId, name, verdict);
      return verdict === true;
    });
  }

  #remember(target: number, name: string, verdict: Verdict): void {
    if (verdict === undefined || !this.#options.peers.has(target)) return;
    if (this.#verdictCount >= MAX_VERDICTS_PER_NODE) {
      this.#verdicts.clear();
      this.#verdictCount = 0;
    }
    const verdicts = this.#verdicts.get(target) ?? new Map<string, boolean>();
    this.#verdicts.set(target, verdicts);
    if (!verdicts.has(name)) this.#verdictCount++;
    verdicts.set(name, verdict);
  }
}

/** What a `TASK` asks for; `undefined` if that is not to be seen, and so cannot be decided. */
function taskRequest(codec: Codec, payload: Uint8Array):
  | Pick<AuthorizationRequest & { action: "schedule" }, "operation" | "callbackName" | "uuid">
  | undefined {
  if (!isModest(payload, MAX_TASK_VALUES)) return undefined;
  try {
    const [request] = codec.decode(payload) as [Record<string, unknown>];
    const { op, uuid, spec } = request;
    const operation = asTaskOperation(op);
    if (operation === undefined) return undefined;
    if (operation === "list" || operation === "describe") return { operation };
    if (operation !== "create") {
      return isUuid(uuid) ? { operation, uuid: uuid.toLowerCase() } : undefined;
    }
    const { callbackName } = spec as Record<string, unknown>;
    return nameProblem(callbackName) === undefined
      ? { operation, callbackName: callbackName as string }
      : undefined;
  } catch {
    return undefined;
  }
}
