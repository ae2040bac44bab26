/**
 * Frame → forward, fan out, or refuse. Reads headers only; payloads pass untouched.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import { MAX_BUFFER_BYTES, MIN_SHARED_BYTES } from "../link/write_queue.ts";
import { controlToSend } from "../wire/control.ts";
import { Flag, type Frame, frame, Kind, payloadSize, Undelivered } from "../wire/frame.ts";
import { encodeFrame } from "../wire/frame_codec.ts";
import { kindName } from "../wire/kind_name.ts";
import { HEADER_BYTES, MAX_PART_BYTES } from "../wire/limits.ts";
import { announcedBytes } from "../wire/parts.ts";
import type { Announcer } from "./announcer.ts";
import { Shared } from "./backlog.ts";
import type { Peer } from "./peer.ts";

/** To forward a frame to so many takes longer than to write what others wait for. */
const MANY = 100;

/** What the router has forwarded and dropped since it was made. */
export interface RouterCounts {
  /** Frames passed on. */
  forwarded: number;
  /** Frames that are no calls, for processes that are gone. */
  dropped: number;
}

/** Moves frames between the peers. */
export class Router {
  /** What happened so far. */
  readonly counts: RouterCounts = { forwarded: 0, dropped: 0 };
  readonly #peers: ReadonlyMap<number, Peer>;
  readonly #providersOf: (nameId: number) => ReadonlySet<number>;
  readonly #announcer: Pick<Announcer, "isBehind" | "catchUp">;

  /**
   * @param peers The joined nodes by id.
   * @param providersOf Who offers a callback.
   * @param announcer Tells a node of others before it hears from them.
   */
  constructor(
    peers: ReadonlyMap<number, Peer>,
    providersOf: (nameId: number) => ReadonlySet<number>,
    announcer: Pick<Announcer, "isBehind" | "catchUp">,
  ) {
    this.#peers = peers;
    this.#providersOf = providersOf;
    this.#announcer = announcer;
  }

  /**
   * Routes one frame.
   *
   * @param source Who sent it.
   * @param incoming The frame; its `peer` is the target's id, and is changed here.
   * @throws {ProtocolError} when a node may not send a frame of this kind, or a call without a number.
   */
  route(source: Peer, incoming: Frame): void {
    const bytes = announcedBytes(incoming);
    switch (incoming.kind) {
      case Kind.Call:
      case Kind.Task:
      case Kind.Transfer:
        checkCallId(incoming);
        this.#forward(source, incoming, bytes);
        break;
      case Kind.TaskFailed:
      case Kind.Result:
      case Kind.Error:
      case Kind.Cancel:
      case Kind.Stream:
      case Kind.Item:
      case Kind.End:
      case Kind.Fail:
      case Kind.Credit:
      case Kind.Stop:
        this.#forward(source, incoming, bytes);
        break;
      case Kind.Part:
        if (bytes > MAX_PART_BYTES) {
          throw new ProtocolError(`A PART may have at most ${MAX_PART_BYTES} bytes`);
        }
        this.#forward(source, incoming, bytes);
        break;
      case Kind.Broadcast:
        checkCallId(incoming);
        this.#fanOut(source, incoming, bytes);
        break;
      default:
        throw new ProtocolError(`${kindName(incoming.kind)} is not allowed from a node`);
    }
  }

  /** @param shared What is sent in its place, if others get it as well. */
  #forward(source: Peer, incoming: Frame, bytes: number, shared?: readonly Shared[]): void {
    const target = this.#peers.get(incoming.peer);
    if (target === undefined) return this.#targetIsGone(source, incoming);
    if (bytes + HEADER_BYTES > target.maxFrameBytes) {
      return this.#tooLarge(source, target, incoming);
    }
    incoming.peer = source.id;
    this.#send(target, incoming, shared);
    this.counts.forwarded++;
    if (target.connection.congested) target.slowDown(source, payloadSize(incoming) + HEADER_BYTES);
  }

  #send(target: Peer, outgoing: Frame, shared?: readonly Shared[]): void {
    if (this.#announcer.isBehind) this.#announcer.catchUp(target);
    if (shared === undefined) target.connection.send(outgoing);
    else for (const each of shared) target.sendShared(each);
    target.grew();
  }

  /** Sends back what its sender may not do. @throws {ProtocolError} when it is a call without a number. */
  deny(source: Peer, incoming: Frame): void {
    if (incoming.kind === Kind.Offer) return this.denyOffer(source, incoming, Undelivered.Denied);
    checkCallId(incoming);
    this.#sendBack(source, incoming, incoming.peer, Undelivered.Denied);
  }

  /** Sends back an `OFFER` that changes nothing, for its sender to see what was in it. */
  denyOffer({ connection }: Peer, { payload }: Frame, value: number): void {
    connection.send(frame(Kind.Undelivered, { value, payload }));
  }

  #targetIsGone(source: Peer, incoming: Frame): void {
    const { kind, peer } = incoming;
    if (asksForAnswer(kind)) this.#sendBack(source, incoming, peer, Undelivered.UnknownProcess);
    else this.counts.dropped++; // its node has told everybody by leaving
  }

  /** The caller is told, whichever way the frame went: it alone can end the call. */
  #tooLarge(source: Peer, target: Peer, incoming: Frame): void {
    const { kind, call, stream } = incoming;
    // Of no call, so nobody waits for it; or of one that was sent back with its announcement.
    if (call === 0 || kind === Kind.Part) return void this.counts.dropped++;
    const isAnswer = kind === Kind.Result || kind === Kind.Error ||
      (!asksForAnswer(kind) && stream === 0);
    if (isAnswer) {
      this.#sendBack(target, incoming, source.id, Undelivered.AnswerTooLarge);
      if (target.connection.congested) target.slowDown(source, HEADER_BYTES);
    } else {
      this.#sendBack(source, incoming, target.id, Undelivered.TooLarge);
      // Whatever it was, its sender has made its own queue longer by it.
      if (source.connection.congested) source.holdUntilDrained();
    }
  }

  #sendBack(caller: Peer, incoming: Frame, peer: number, value: number): void {
    const { call } = incoming;
    // Whether it wanted an answer is for who made it to say.
    const flags = value === Undelivered.AnswerTooLarge ? 0 : incoming.flags & Flag.NoReply;
    this.#send(caller, frame(Kind.Undelivered, { call, flags, peer, value }));
  }

  #fanOut(source: Peer, incoming: Frame, bytes: number): void {
    const targets: Peer[] = [];
    const denied = new Set<Peer>();
    for (const id of this.#providersOf(incoming.name)) {
      const target = this.#peers.get(id);
      if (target === undefined || target === source) continue;
      const isAllowed = source.gate === undefined || source.gate.allowsBroadcast(id);
      if (isAllowed === undefined) continue;
      targets.push(target);
      if (!isAllowed) denied.add(target);
    }
    if ((incoming.flags & Flag.NoReply) === 0) {
      const payload = controlToSend(targets.map((target) => target.id));
      this.#send(source, frame(Kind.Targets, { call: incoming.call, payload }));
    }
    incoming.kind = Kind.Call;
    incoming.peer = source.id;
    const shared = bytes + HEADER_BYTES < MIN_SHARED_BYTES
      ? undefined
      : divided(encodeFrame(incoming)).map((piece) => new Shared(piece, source.backlog));
    // The first ones work on it while it is sent to the others; of several, they do on all that came together.
    const isLast = !source.connection.hasMore;
    for (const target of targets) {
      incoming.peer = target.id;
      if (denied.has(target)) this.deny(source, incoming);
      else this.#forward(source, incoming, bytes, shared);
      if (isLast) target.connection.writeNow();
    }
    if (targets.length >= MANY) source.connection.giveWay();
    if (shared !== undefined) source.backlog.check();
  }
}

/** Equal pieces, each of which leaves in a write: some connections copy what they write. */
function divided(bytes: Uint8Array): Uint8Array[] {
  const size = Math.ceil(bytes.length / Math.ceil(bytes.length / MAX_BUFFER_BYTES));
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

/** What is sent back of call 0 is of no call, but of an `OFFER`. */
function checkCallId({ kind, call }: Frame): void {
  if (call === 0) throw new ProtocolError(`${kindName(kind)} needs a call id`);
}

function asksForAnswer(kind: Kind): boolean {
  return kind === Kind.Call || kind === Kind.Task || kind === Kind.Transfer;
}
