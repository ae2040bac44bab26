/**
 * Options that nobody knows are mistakes.
 *
 * @module
 */

import { InitializationError } from "../errors.ts";
import { show } from "./show.ts";
import { suggestion } from "./suggestion.ts";

/**
 * Checks that `options` is an object with known names only.
 *
 * @param what Whose options they are, for the message.
 * @throws {InitializationError} when it is not; the message lists the known ones and names the nearest.
 */
export function checkOptionNames(what: string, options: unknown, known: readonly string[]): void {
  // A signal, a list or a map has none of the names either, and would be as good as nothing.
  if (Object.prototype.toString.call(options) !== "[object Object]") {
    throw new InitializationError(
      `The options of ${what} must be an object, but are ${show(options)}`,
    );
  }
  const unknown = Object.keys(options as object).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new InitializationError(
    `${what} has no option ${unknown}; valid are ${known.join(", ")}${suggestion(unknown, known)}`,
  );
}
