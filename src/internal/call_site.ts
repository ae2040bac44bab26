/**
 * Where in the program a call was made. An answer comes in a turn of the event loop of its own, in
 * which the caller is not on the stack, so the place is remembered when the call is made.
 *
 * @module
 */

/** A remembered place. Its `stack` is made into text only when somebody reads it. */
export interface CallSite {
  /** `"Error\n    at …"` */
  readonly stack?: string;
}

/** The types of pages do not know of it. */
interface MayCapture {
  captureStackTrace?(site: CallSite, below: unknown): void;
}

/** Remembering a place takes microseconds, as long as a call; so many are remembered in each window. */
const MAX_PER_WINDOW = 100;
const WINDOW_MS = 100;
/** In a flood even looking at the clock is much: it is done for one call of so many. */
const CALLS_PER_LOOK = 16;

/** Remembers where calls are made; of a flood of calls only some. */
export class CallSites {
  #window = 0;
  #remembered = 0;
  /** Calls that are let pass before the clock is looked at again. */
  #unseen = 0;

  /**
   * Remembers the place.
   *
   * @param below The function from which on frames are left out, and everything it has called.
   * @returns The place, or `undefined` if too many were remembered just now.
   */
  capture(below: (...args: never[]) => unknown): CallSite | undefined {
    if (this.#unseen > 0) {
      this.#unseen--;
      return undefined;
    }
    const window = Math.trunc(Date.now() / WINDOW_MS);
    if (window !== this.#window) {
      this.#window = window;
      this.#remembered = 0;
    }
    if (this.#remembered++ >= MAX_PER_WINDOW) {
      this.#unseen = CALLS_PER_LOOK - 1;
      return undefined;
    }
    const site: CallSite = {};
    (Error as MayCapture).captureStackTrace?.(site, below);
    return site;
  }
}

/** Lets an error's stack show where the call was made, and then the stack of the other process. */
export function showCallSite(error: Error, site: CallSite | undefined, remoteStack?: string): void {
  const lines = site?.stack?.split("\n").slice(1) ?? [];
  const parts = [`${error.name}: ${error.message}`, ...lines];
  if (remoteStack !== undefined) {
    parts.push("  in the other process:", ...remoteStack.split("\n").map((line) => `    ${line}`));
  }
  const stack = parts.join("\n");
  Object.defineProperty(error, "stack", { value: stack, writable: true, configurable: true });
}
