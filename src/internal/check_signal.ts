import { InitializationError } from "../errors.ts";
import { show } from "./show.ts";

/**
 * Checks the option `signal`: what is none would fail much later, where nobody looks.
 *
 * @param what Whose option it is, for the message.
 * @throws {InitializationError} when it is no `AbortSignal`.
 */
export function checkSignal(what: string, signal: AbortSignal | undefined): void {
  const isSignal = typeof signal?.addEventListener === "function" &&
    typeof signal.aborted === "boolean";
  if (signal === undefined || isSignal) return;
  throw new InitializationError(
    `The signal of ${what} must be an AbortSignal, but is ${show(signal)}`,
  );
}
