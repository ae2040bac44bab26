/**
 * Asks the user's `authorize` function, and takes nothing but a clear yes for one.
 *
 * @module
 */

import { waitFor } from "../internal/abort.ts";
import type { AuthorizationRequest, Authorize } from "../internal/authorization.ts";
import type { Logger } from "../internal/log.ts";
import { showError } from "../internal/show.ts";
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
  /** Ends the questions that are open. */
  readonly #stopping = new AbortController();

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
    const { signal } = this.#stopping;
    let isLate = false;
    try {
      const answer = await waitFor((async () => await this.#authorize(request))(), {
        timeoutMs: AUTHORIZE_TIMEOUT_MS,
        signal,
        onTimeout: () => {
          isLate = true;
          return new Error(`authorize did not decide within ${AUTHORIZE_TIMEOUT_MS} ms`);
        },
        onAbort: () => new Error("the controller stops"),
      });
      if (answer !== true) this.#tell(request, "");
      return answer === true;
    } catch (error) {
      if (signal.aborted) return undefined;
      const why = isLate ? (error as Error).message : `authorize failed: ${showError(error)}`;
      this.#tell(request, `: ${why}`);
      return undefined;
    }
  }

  /** The controller stops: nothing is decided any more, and nothing waits for it. */
  stop(): void {
    this.#stopping.abort();
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
