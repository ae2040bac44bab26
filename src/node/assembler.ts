/**
 * Payloads that come in parts, put together again (`docs/protocol.md`, section 3a).
 *
 * @module
 */

import { DaffiError, OverloadedError, ProtocolError } from "../errors.ts";
import { EMPTY, Flag, type Frame, Kind, kindName, ownFrame } from "../wire/frame.ts";
import { HEADER_BYTES, MAX_UNFINISHED_BYTES } from "../wire/limits.ts";
import { announcedBytes, announcedPlaces } from "../wire/parts.ts";
import { UnfinishedPayload } from "./unfinished_payload.ts";

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
  /** By source: nobody begins another payload for this node before one has ended. */
  readonly #unfinished = new Map<number, Unfinished>();
  /** The last one's memory: fresh memory costs more than writing into it. */
  #spare: WeakRef<Uint8Array> | undefined;

  /** @param options What becomes of frames. */
  constructor(options: AssemblerOptions) {
    this.#options = options;
  }

  /** Takes a frame as it came. @throws {ProtocolError} when no controller passes it on so. */
  onFrame(incoming: Frame): void {
    if (incoming.kind === Kind.Part) this.#add(incoming);
    else if ((incoming.flags & Flag.InParts) !== 0) this.#begin(incoming);
    else this.#options.deliver(incoming);
  }

  /** A process is gone: what it began will not be finished. */
  forget(source: number): void {
    this.#unfinished.delete(source);
  }

  #begin(incoming: Frame): void {
    const { maxFrameBytes } = this.#options;
    const size = announcedBytes(incoming);
    if (size + HEADER_BYTES > maxFrameBytes) {
      throw new ProtocolError(
        `${kindName(incoming.kind)} in parts: ${size + HEADER_BYTES} bytes were announced, ` +
          `at most ${maxFrameBytes} are allowed`,
      );
    }
    const former = this.#unfinished.get(incoming.peer);
    if (former !== undefined) this.#giveUp(former, incomplete(former));
    const unfinished = this.#unfinishedOf(incoming, size);
    if (unfinished === undefined) return;
    this.#unfinished.set(incoming.peer, unfinished);
    if (unfinished.body.isWhole) this.#finish(unfinished);
  }

  #unfinishedOf(incoming: Frame, size: number): Unfinished | undefined {
    const head = { ...ownFrame(incoming), flags: incoming.flags & ~Flag.InParts, payload: EMPTY };
    const spare = this.#spare?.deref();
    this.#spare = undefined;
    try {
      const places = announcedPlaces(incoming.payload);
      return { head, size, body: new UnfinishedPayload(size, places, this.#checkRoom, spare) };
    } catch (error) {
      return void this.#options.deliver(head, asProblem(error));
    }
  }

  /** A part of what was refused, or never announced, is nobody's. */
  #add({ peer, call, stream, payload }: Frame): void {
    const unfinished = this.#unfinished.get(peer);
    if (unfinished?.head.call !== call || unfinished.head.stream !== stream) return;
    let fits: boolean;
    try {
      fits = unfinished.body.add(payload);
    } catch (error) {
      return this.#giveUp(unfinished, asProblem(error));
    }
    if (!fits) this.#giveUp(unfinished, incomplete(unfinished));
    else if (unfinished.body.isWhole) this.#finish(unfinished);
  }

  #finish({ head, body }: Unfinished): void {
    this.#unfinished.delete(head.peer);
    const { payload, attachments } = body;
    this.#options.deliver({ ...head, payload, attachments });
    this.#spare = new WeakRef(body.memory);
  }

  #giveUp({ head }: Unfinished, problem: DaffiError): void {
    this.#unfinished.delete(head.peer);
    this.#options.deliver(head, problem);
  }

  readonly #checkRoom = (bytes: number): void => {
    let held = 0;
    for (const { body } of this.#unfinished.values()) held += body.heldBytes;
    if (held + bytes <= MAX_UNFINISHED_BYTES) return;
    throw new OverloadedError(
      `Cannot take ${bytes} bytes more: ${held} of unfinished payloads are held already, ` +
        `at most ${MAX_UNFINISHED_BYTES} may be`,
    );
  };
}

function incomplete({ head, size, body }: Unfinished): ProtocolError {
  const what = kindName(head.kind);
  return new ProtocolError(
    `${what} in parts: ${size} bytes were announced, others came after ${body.there}`,
  );
}

/** There may be no memory, whatever is allowed. */
function asProblem(error: unknown): DaffiError {
  if (error instanceof DaffiError) return error;
  return new OverloadedError("Cannot take a payload in parts: no memory", { cause: error });
}
