import type { Connection } from "../../src/link/connection.ts";
import { type Frame, kindName } from "../../src/wire/frame.ts";

/** A connection that keeps what is sent on it and is as full as a test says. */
export class FakeConnection {
  readonly sent: Frame[] = [];
  congested = false;
  queuedBytes = 0;
  held = false;
  closedBecause: Error | undefined;

  send(frame: Frame): void {
    this.sent.push({ ...frame });
  }

  hold(): void {
    this.held = true;
  }

  close(error?: Error): void {
    this.closedBecause = error;
  }

  release(): void {
    this.held = false;
  }

  /** Frames sent, as `KIND peer call`. */
  get told(): string[] {
    return this.sent.map(({ kind, peer, call }) => `${kindName(kind)} ${peer} ${call}`);
  }

  /** Itself where a real one is wanted, whose private fields no other class can have. */
  get connection(): Connection {
    return this as unknown as Connection;
  }
}
