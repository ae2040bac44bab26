/**
 * What all errors of this module have in common.
 *
 * @module
 */

/**
 * How far a failed call got on the other process: `"never"` if the callback certainly did not run, `"yes"` if it ran
 * to its end or threw, `"maybe"` if it is not known whether or how far it ran: the connection was lost, the caller gave
 * up, the callback's own `timeout` was over, or its process stopped.
 */
export type Executed = "never" | "maybe" | "yes";

/** What {@linkcode DaffiError} tells about the call that failed. */
export interface FailedCall {
  /** The process that was called. */
  processName?: string | undefined;
  /** The callback that was called. */
  callbackName?: string | undefined;
  /** The caller's number of the call, as in `currentCall().callId` on the other side. */
  callId?: number | undefined;
  /** How far the call got. */
  executed?: Executed | undefined;
}

/** Options of the constructor of {@linkcode DaffiError}. */
export interface DaffiErrorOptions extends FailedCall {
  /** The error behind this one. */
  cause?: unknown;
}

/**
 * Base class of everything that this module throws on purpose.
 *
 * @example Telling this module's errors from others
 * ```ts
 * import { DaffiError, Global } from "@daffi/core";
 *
 * await using g = new Global({ processName: "main", initController: true, host: "localhost" });
 * try {
 *   await g.call.nobodyOffersThis();
 * } catch (error) {
 *   if (error instanceof DaffiError) console.log(error.code, error.executed);
 * }
 * ```
 */
export class DaffiError extends Error {
  /** Stable, machine-readable discriminant, for example `"CALL_TIMEOUT"`. */
  readonly code: string;
  /** The process that was called, if a call is concerned. */
  declare readonly processName?: string;
  /** The callback that was called, if a call is concerned. */
  declare readonly callbackName?: string;
  /** The caller's number of the call, if a call is concerned. */
  declare readonly callId?: number;
  /** How far the call got, if a call is concerned. */
  declare readonly executed?: Executed;

  /**
   * Makes the error.
   *
   * @param code Stable discriminant.
   * @param message What was wrong and what would be right.
   * @param options The cause, and the call that is concerned.
   */
  constructor(code: string, message: string, options: DaffiErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    // Not the name of the class: bundlers shorten that.
    this.name = new.target === DaffiError ? "DaffiError" : nameOf(code);
    this.code = code;
    for (const fact of ["processName", "callbackName", "callId", "executed"] as const) {
      if (options[fact] !== undefined) Object.assign(this, { [fact]: options[fact] });
    }
  }
}

/** `CALL_TIMEOUT` is the code of `CallTimeoutError`. */
function nameOf(code: string): string {
  return `${code.toLowerCase().replace(/(?:^|_)(.)/g, (_, c) => c.toUpperCase())}Error`;
}
