/**
 * Contexts for callbacks that have always been done when they returned: one that is not, keeps the one in which it was run.
 *
 * @module
 */

import type { CallScope, SpareContexts, Storage } from "./call_scope.ts";

/** Those of the runtime's storage. */
export class StoredContexts implements SpareContexts {
  readonly #storage: Storage;

  /** @param storage Tells which context code runs in. */
  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** See {@linkcode SpareContexts.enter}. */
  enter(): void {
    this.#storage.enterWith({ scope: undefined });
  }

  /** See {@linkcode SpareContexts.keep}. */
  keep(scope: CallScope): void {
    const context = this.#storage.getStore();
    if (context === undefined || context.scope !== undefined) return;
    context.scope = scope;
    scope.asyncContext = context;
    this.enter();
  }
}
