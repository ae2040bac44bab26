import type { Logger } from "../../src/internal/log.ts";

/** Keeps what was logged, one line each. */
export class RecordingLogger implements Logger {
  readonly lines: string[] = [];

  warn(message: string, ...details: unknown[]): void {
    this.lines.push(`warn ${[message, ...details].join(" ")}`);
  }

  error(message: string, ...details: unknown[]): void {
    this.lines.push(`error ${[message, ...details].join(" ")}`);
  }

  /** Whether a line contains `text`. */
  has(text: string): boolean {
    return this.lines.some((line) => line.includes(text));
  }
}
