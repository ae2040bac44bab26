/**
 * Payloads that come in parts, put together again (`docs/protocol.md`, section 3a).
 *
 * @module
 */

import { type DaffiError, OverloadedError, ProtocolError } from "../errors.ts";
import { EMPTY, Flag, type Frame, Kind, ownFrame } from "../wire/frame.ts";
import { HEADER_BYTES, MAX_UNFINISHED_BYTES } from "../wire/limits.ts";
import { announcedBytes, announcedPlaces } from "../wire/parts.ts";
import { type ClaimMemory, UnfinishedPayload } from "./unfinished_payload.ts";

/** What becomes of frames. */
export interface AssemblerOptions {
  /** Largest frame that this node accepts, put together. */
  readonly maxFrameBytes: number;
  /**
   * Takes a frame that is whole, which with its payload is valid during the call only; or one whose
   * payload never will be, and why.
   */
  deliver(frame: Frame, problem?: DaffiError): void;
}

interface Unfinished {
  readonly head: Frame;
  readonly size: number;
  readonly body: UnfinishedPayload;
}

/** Lets whole frames pass, and holds others until their last part has come. */
export class Assembler {
  readonly #options: AssemblerOptions;
  readonly #maxBytes: number;
  /** By source: nobody begins another payload for this node before one has ended. First what has stood still longest. */
  readonly #unfinished = new Map<number, Unfinished>();
  /** Memory that they have taken. */
  #held = 0;

  /**
   * @param options What becomes of frames.
   * @param maxBytes Most memory that unfinished payloads take together.
   */
  constructor(options: AssemblerOptions, maxBytes: number = MAX_UNFINISHED_BYTES) {
    this.#options = options;
    this.#maxBytes = maxBytes;
  }

  /** Takes a frame as it came. @throws {ProtocolError} when no controller passes it on so. */
  onFrame(incoming: Frame): void {
    if (incoming.kind === Kind.Part) this.#add(incoming);
    else if ((incoming.flags & Flag.InParts) !== 0) this.#begin(incoming);
    else {
      if (incoming.kind === Kind.Cancel) this.#drop(incoming);
      this.#options.deliver(incoming);
    }
  }

  /** A call that is cancelled before it has come is not to run. */
  #drop({ peer, call }: Frame): void {
    const head = this.#unfinished.get(peer)?.head;
    if (head?.call !== call) return;
    // Answers and items have numbers too: those of calls in the other direction, or of one that runs.
    if (head.kind === Kind.Call || head.kind === Kind.Transfer) this.forget(peer);
  }

  /** A process is gone: what it began will not be finished. */
  forget(source: number): void {
    this.#held -= this.#unfinished.get(source)?.body.heldBytes ?? 0;
    this.#unfinished.delete(source);
  }

  #begin(incoming: Frame): void {
    const { maxFrameBytes } = this.#options;
    const size = announcedBytes(incoming);
    if (size + HEADER_BYTES > maxFrameBytes) {
      throw new ProtocolError(`${size} bytes in parts: at most ${maxFrameBytes} are allowed`);
    }
    const former = this.#unfinished.get(incoming.peer);
    if (former !== undefined) this.#end(former, incomplete(former));
    const head = { ...ownFrame(incoming), flags: incoming.flags & ~Flag.InParts, payload: EMPTY };
    try {
      const places = announcedPlaces(incoming.payload);
      const body = new UnfinishedPayload(size, places, this.#claim);
      this.#unfinished.set(head.peer, { head, size, body });
    } catch (error) {
      return this.#options.deliver(head, error as DaffiError);
    }
    if (size === 0) this.#end(this.#unfinished.get(head.peer)!);
  }

  /** A part of what was refused, or never announced, is nobody's. */
  #add({ peer, call, stream, payload }: Frame): void {
    const unfinished = this.#unfinished.get(peer);
    if (unfinished?.head.call !== call || unfinished.head.stream !== stream) return;
    this.#unfinished.delete(peer);
    this.#unfinished.set(peer, unfinished);
    let problem: DaffiError | undefined;
    try {
      if (!unfinished.body.add(payload)) problem = incomplete(unfinished);
    } catch (error) { // there may be no memory, whatever is allowed
      problem = new OverloadedError((error as Error).message, {
        executed: undefined,
        cause: error,
      });
    }
    if (problem !== undefined || unfinished.body.isWhole) this.#end(unfinished, problem);
  }

  #end({ head, body }: Unfinished, problem?: DaffiError): void {
    this.forget(head.peer);
    if (problem !== undefined) return this.#options.deliver(head, problem);
    const { payload, attachments } = body;
    this.#options.deliver({ ...head, payload, attachments });
  }

  /** Whoever has stood still longest makes room: to begin much and to send no more must not keep others from sending. */
  readonly #claim: ClaimMemory = (wanting, bytes, least) => {
    const taken = this.#held + bytes > this.#maxBytes / 4 ? least : bytes;
    wanting.heldBytes += taken;
    for (let held = this.#held += taken; held > this.#maxBytes; held = this.#held) {
      const error = new OverloadedError(
        `${held} bytes are unfinished, at most ${this.#maxBytes} may be`,
        { executed: undefined }, // of an answer the call has run
      );
      const [stillest] = this.#unfinished.values();
      if (stillest!.body === wanting) throw error;
      this.#end(stillest!, error);
    }
    return taken;
  };
}

function incomplete({ size, body }: Unfinished): ProtocolError {
  return new ProtocolError(`${size} bytes were announced, others came after ${body.there}`);
}
