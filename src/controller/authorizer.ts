/**
 * Asks the user's `authorize` function, and takes nothing but a clear yes for one.
 *
 * @module
 */

import type { AuthorizationRequest, Authorize } from "../internal/authorization.ts";
import type { Logger } from "../internal/log.ts";
import { showError } from "../internal/show.ts";
import { within } from "../internal/within.ts";
import { AUTHORIZE_TIMEOUT_MS } from "../wire/limits.ts";

/** A process may want to offer thousands of callbacks, which nobody wants to read. */
const MAX_SHOWN_LENGTH = 500;

/** What was decided; `undefined` if the function failed or said nothing in time, which is a no too. */
export type Verdict = boolean | undefined;

/** Decides what processes may do. */
export class Authorizer {
  /** How often something was denied. */
  denied = 0;
  readonly #authorize: Authorize;
  readonly #logger: Logger;
  /** End the questions that are open. */
  readonly #open = new Set<() => void>();
  #stopped = false;

  /**
   * @param authorize The user's.
   * @param logger Where it tells what it has denied.
   */
  constructor(authorize: Authorize, logger: Logger) {
    this.#authorize = authorize;
    this.#logger = logger;
  }

  /** Asks, and tells of what is not allowed. */
  async decide(request: AuthorizationRequest): Promise<Verdict> {
    let answer: unknown;
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    this.#open.add(end);
    try {
      const asked = (async () => answer = await this.#authorize(request))();
      const isInTime = await within(Promise.race([asked, ended]), AUTHORIZE_TIMEOUT_MS);
      if (this.#stopped) return undefined;
      if (isInTime) {
        if (answer !== true) this.#tell(request, "");
        return answer === true;
      }
      this.#tell(request, `: authorize did not decide within ${AUTHORIZE_TIMEOUT_MS} ms`);
    } catch (error) {
      this.#tell(request, `: authorize failed: ${showError(error)}`);
    } finally {
      this.#open.delete(end);
    }
    return undefined;
  }

  /** The controller stops: nothing is decided any more, and nothing waits for it. */
  stop(): void {
    this.#stopped = true;
    for (const end of this.#open) end();
  }

  /** Asks what no frame waits for, and counts what is not allowed. */
  async decideAndCount(request: AuthorizationRequest): Promise<Verdict> {
    const verdict = await this.decide(request);
    if (verdict !== true) this.denied++;
    return verdict;
  }

  #tell(request: AuthorizationRequest, why: string): void {
    const what = JSON.stringify(request).slice(0, MAX_SHOWN_LENGTH);
    this.#logger.warn(`daffi: not allowed: ${what}${why}`);
  }
}
