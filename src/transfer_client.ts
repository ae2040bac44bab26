/**
 * Functions that are sent to other processes, as this process sees them.
 *
 * @module
 */

import { checkProcessName, requestTo, valueOf } from "./internal/call_request.ts";
import { currentScope } from "./internal/call_scope.ts";
import { CallSites } from "./internal/call_site.ts";
import { beforeCall } from "./internal/concerning.ts";
import type { Node } from "./node/node.ts";
import type { AnyFunction } from "./registry/registered_callback.ts";
import type { FunctionSource } from "./transfer/function_source.ts";
import { Kind } from "./wire/frame.ts";

/** Sends functions. */
export class TransferClient {
  readonly #requireNode: (verb: string, object: string) => Node;
  readonly #sourceOf: (fn: AnyFunction) => FunctionSource;
  readonly #sites = new CallSites();

  /**
   * @param requireNode Gives the node. @throws {GlobalContextError} when there is none.
   * @param sourceOf Takes the source of a function. @throws {TransferError} when it cannot be sent.
   */
  constructor(
    requireNode: (verb: string, object: string) => Node,
    sourceOf: (fn: AnyFunction) => FunctionSource,
  ) {
    this.#requireNode = requireNode;
    this.#sourceOf = sourceOf;
  }

  /**
   * Has another process run a function, and gives its result; see `Global.transferAndCall`.
   *
   * @param method What the user has called: errors tell where.
   */
  // deno-lint-ignore require-await -- that would keep the arguments
  async call(
    processName: string,
    fn: AnyFunction,
    args: readonly unknown[],
    method: (...args: never[]) => unknown,
  ): Promise<unknown> {
    const site = this.#sites.capture(method);
    checkProcessName(processName);
    const [caller, { source, name }, encoded] = beforeCall({ processName }, () => {
      const sent = this.#sourceOf(fn);
      const { caller } = this.#requireNode("run", sent.name);
      return [caller, sent, caller.encodeArguments(args)] as const;
    });
    // It can be given no signal, so it ends with the call that it is part of; but cleaning up after that is allowed.
    const signal = currentScope()?.signal;
    const wanted = signal?.aborted ? undefined : signal;
    const request = requestTo(processName, `run ${name}`, [source, name, encoded], site, wanted);
    return caller.ask(Kind.Transfer, request).then(valueOf);
  }
}
