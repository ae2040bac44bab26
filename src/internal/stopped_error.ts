/**
 * What is said of a `Global` that is stopped.
 *
 * @module
 */

import { GlobalContextError } from "../errors.ts";

/** What is told who wants something of a `Global` that is stopped. @param what What cannot be done. */
export function stoppedError(what: string): GlobalContextError {
  return new GlobalContextError(`Cannot ${what}: this Global is stopped`);
}
