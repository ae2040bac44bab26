/**
 * Running the lifecycle functions of a `Global`.
 *
 * @module
 */

import { runOutside } from "./internal/call_scope.ts";
import type { Logger } from "./internal/log.ts";
import type { HookName, ResolvedOptions } from "./resolve_options.ts";
import type { TaskFailureInfo } from "./scheduler/task.ts";
import { MAX_NODES } from "./wire/limits.ts";

/** So many calls of each may go on, for all processes may come at once. Stops others from starting more without end. */
export const MAX_HOOKS: number = MAX_NODES;

/** The lifecycle functions are the user's: they run in a turn of their own, and errors are told. */
export class Hooks {
  readonly #g: unknown;
  readonly #hooks: ResolvedOptions["hooks"];
  readonly #logger: Logger;
  readonly #running: Partial<Record<HookName, Set<Promise<void>>>> = {};

  /**
   * @param g Their first argument.
   * @param hooks The functions that there are.
   * @param logger Hears of those that fail.
   */
  constructor(g: unknown, hooks: ResolvedOptions["hooks"], logger: Logger) {
    this.#g = g;
    this.#hooks = hooks;
    this.#logger = logger;
  }

  /** Calls one. */
  run(name: HookName, argument: string | TaskFailureInfo): void {
    const hook = this.#hooks[name] as ((g: unknown, argument: unknown) => unknown) | undefined;
    if (hook === undefined) return;
    const all = this.#running[name] ??= new Set();
    if (all.size >= MAX_HOOKS) {
      const why = `${MAX_HOOKS} calls of it are not over yet`;
      return this.#logger.error(`daffi: ${name} was not called, for ${why}:`, argument);
    }
    const running = this.#run(name, () => hook(this.#g, argument));
    all.add(running);
    void running.then(() => all.delete(running));
  }

  async #run(name: HookName, hook: () => unknown): Promise<void> {
    await Promise.resolve();
    try {
      await runOutside(hook);
    } catch (error) {
      this.#logger.error(`daffi: ${name} failed:`, error);
    }
  }

  /** Resolves when those that run have finished. */
  async finished(): Promise<void> {
    await Promise.all(Object.values(this.#running).flatMap((all) => [...all]));
  }
}
