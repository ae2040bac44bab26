import type { Connection } from "../../src/link/connection.ts";
import { type Frame, ownFrame } from "../../src/wire/frame.ts";
import { KIND_NAMES } from "../../src/wire/kind_names.ts";
import { Framer } from "../../src/wire/framer.ts";
import { DEFAULT_MAX_FRAME_BYTES } from "../../src/wire/limits.ts";

/** A connection that keeps what is sent on it and is as full as a test says. */
export class FakeConnection {
  readonly sent: Frame[] = [];
  /** What was sent to others as well. */
  readonly shared: Uint8Array[] = [];
  congested = false;
  queuedBytes = 0;
  hasMore = false;
  /** Frames that had been sent when it was told to write them. */
  readonly hurried: number[] = [];
  held = false;
  gaveWay = false;
  closedBecause: Error | undefined;
  closed = false;
  /** Says that what was shared is written. */
  readonly releases: (() => void)[] = [];
  readonly #framer = new Framer(DEFAULT_MAX_FRAME_BYTES);

  send(frame: Frame): void {
    this.sent.push({ ...frame });
  }

  sendShared(frames: Uint8Array, release?: () => void): void {
    this.shared.push(frames);
    if (release !== undefined) this.releases.push(release);
    for (let at = 0; at < frames.length;) {
      const space = this.#framer.space();
      const part = frames.subarray(at, at + space.length);
      space.set(part);
      at += part.length;
      this.#framer.advance(part.length, (frame) => this.sent.push(ownFrame(frame)));
    }
  }

  writeNow(): void {
    this.hurried.push(this.sent.length);
  }

  flushed(): Promise<void> {
    return Promise.resolve();
  }

  hold(): void {
    this.held = true;
  }

  giveWay(): void {
    this.gaveWay = true;
  }

  close(error?: Error): void {
    this.closedBecause = error;
  }

  release(): void {
    this.held = false;
  }

  /** Frames sent, as `KIND peer call`. */
  get told(): string[] {
    return this.sent.map(({ kind, peer, call }) => `${KIND_NAMES.get(kind)} ${peer} ${call}`);
  }

  /** Itself where a real one is wanted, whose private fields no other class can have. */
  get connection(): Connection {
    return this as unknown as Connection;
  }
}
