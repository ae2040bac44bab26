/**
 * The way from `g.call` to the node: open while there is one to call with.
 *
 * @module
 */

import type { Logger } from "./internal/log.ts";
import type { CallPort } from "./remote_call.ts";

/**
 * Makes the way.
 *
 * @param caller Gives what carries calls out. @throws {GlobalContextError} when nothing does.
 * @param terminating Whether the process is about to end: calls then neither succeed nor fail, so
 * that no part of the program trips over what it could not do any more.
 * @param logger Where calls without answer that fail at once are told.
 */
export function gatedCalls(
  caller: () => CallPort,
  terminating: () => boolean,
  logger: Logger,
): CallPort {
  const run = <T>(call: (caller: CallPort) => Promise<T>): Promise<T> => {
    if (terminating()) return new Promise(() => {});
    try {
      return call(caller());
    } catch (error) {
      return Promise.reject(error);
    }
  };
  return {
    call: (request, eager) => run((caller) => caller.call(request, eager)),
    broadcast: (request) => run((caller) => caller.broadcast(request)),
    broadcastNoReturn: (request) => run((caller) => caller.broadcastNoReturn(request)),
    stream: (request) => run((caller) => caller.stream(request)),
    noReturn: (request) =>
      run((caller) => caller.noReturn(request)).catch((error: Error) => {
        logger.warn(`daffi: a call without answer was dropped: ${error.message}`);
      }),
  };
}
