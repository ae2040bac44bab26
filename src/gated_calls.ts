/**
 * The way from `g.call` to the node: open while there is one to call with.
 *
 * @module
 */

import type { Logger } from "./internal/log.ts";
import type { CallPort, CallRequest } from "./remote_call.ts";

/**
 * Makes the way.
 *
 * @param caller Gives what carries calls out. @throws {GlobalContextError} when nothing does.
 * @param terminating Whether the process is about to end: calls then neither succeed nor fail, so
 * that no part of the program trips over what it could not do any more.
 * @param logger Where calls without answer that fail at once are told.
 */
export function gatedCalls(
  caller: (callbackName: string) => CallPort,
  terminating: () => boolean,
  logger: Logger,
): CallPort {
  const run = <T>(
    { callbackName }: CallRequest,
    call: (caller: CallPort) => Promise<T>,
  ): Promise<T> => {
    if (terminating()) return new Promise(() => {});
    try {
      return call(caller(callbackName));
    } catch (error) {
      return Promise.reject(error);
    }
  };
  return {
    call: (request, eager) => run(request, (caller) => caller.call(request, eager)),
    broadcast: (request) => run(request, (caller) => caller.broadcast(request)),
    broadcastNoReturn: (request) => run(request, (caller) => caller.broadcastNoReturn(request)),
    stream: (request) => run(request, (caller) => caller.stream(request)),
    noReturn: (request) =>
      run(request, (caller) => caller.noReturn(request)).catch((error: Error) => {
        logger.warn(`daffi: a call without answer was dropped: ${error.message}`);
      }),
  };
}
