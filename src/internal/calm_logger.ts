/**
 * A logger that other processes cannot fill.
 *
 * @module
 */

import { type Logger, safely } from "./log.ts";

/** So many lines of one kind are told in each period. */
const MAX_LINES = 100;
const PERIOD_MS = 60_000;

/** So many kinds are told apart at a time, so that whatever is logged, memory stays bounded. */
const MAX_KINDS = 64;

/** What is quoted and does not end reaches to the end of the line, so that nothing is looked through twice. */
const NAMES_AND_NUMBERS = /"(?:[^"\\]|\\[^])*(?:"|\\?$)|\d+/g;

// deno-lint-ignore no-control-regex -- these are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g;

interface Count {
  readonly beganAt: number;
  lines: number;
}

/**
 * Passes lines on, but of each kind only so many in a minute, and says when it leaves some out, and how
 * many it did, if the kind comes again soon. Control characters are escaped, so that a name or a message from another process cannot
 * look like a line of its own; a text that a callback throws neither.
 */
export class CalmLogger implements Logger {
  readonly #logger: Logger;
  readonly #counts = new Map<string, Count>();

  /** @param logger Where the lines go. */
  constructor(logger: Logger) {
    this.#logger = safely(logger);
  }

  /** See {@linkcode Logger.warn}. */
  warn(message: string, ...details: unknown[]): void {
    this.#tell("warn", message, details);
  }

  /** See {@linkcode Logger.error}. */
  error(message: string, ...details: unknown[]): void {
    this.#tell("error", message, details);
  }

  #tell(level: keyof Logger, message: string, details: unknown[]): void {
    const kind = level + kindOf(message);
    const now = Date.now();
    if (!this.#counts.has(kind) && this.#counts.size >= MAX_KINDS) this.#forget(now);
    const key = this.#counts.has(kind) || this.#counts.size < MAX_KINDS ? kind : "";
    let count = this.#counts.get(key);
    let note = "";
    if (count === undefined || isOver(count, now)) {
      const leftOut = (count?.lines ?? 0) - MAX_LINES;
      if (leftOut > 0) note = ` (${leftOut} lines like this one were left out)`;
      this.#counts.set(key, count = { beganAt: now, lines: 0 });
    }
    count.lines++;
    if (count.lines > MAX_LINES) return;
    if (count.lines === MAX_LINES) note = " (more lines like this one are left out for a minute)";
    this.#logger[level](plain(message) + note, ...details.map(plain));
  }

  /** Makes room: kinds whose period is over begin anew anyway. */
  #forget(now: number): void {
    for (const [kind, count] of this.#counts) if (isOver(count, now)) this.#counts.delete(kind);
  }
}

/** A clock that was set back ends a period, too. */
function isOver(count: Count, now: number): boolean {
  return Math.abs(now - count.beganAt) >= PERIOD_MS;
}

/**
 * The line up to the colon behind which details begin, without names and numbers. So whoever logs quotes what
 * varies, or tells it behind a colon.
 */
function kindOf(message: string): string {
  return message.replace("daffi: ", "").replace(NAMES_AND_NUMBERS, "").split(":", 1)[0]!;
}

/** A text without control characters. What is no text, an error for example, is the logger's to show. */
function plain<T>(value: T): T | string {
  return typeof value === "string" ? value.replace(CONTROL, escaped) : value;
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
