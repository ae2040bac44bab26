/**
 * The tasks of this process.
 *
 * @module
 */

import type { LiveTask } from "./live_task.ts";

/** Tasks by their UUIDs, in the order in which they came, and by their callbacks. */
export class LiveTasks {
  readonly #byUuid = new Map<string, LiveTask>();
  readonly #byCallback = new Map<string, Set<LiveTask>>();

  /** How many there are. */
  get size(): number {
    return this.#byUuid.size;
  }

  /** Their UUIDs. */
  uuids(): string[] {
    return [...this.#byUuid.keys()];
  }

  /** All of them. */
  values(): Iterable<LiveTask> {
    return this.#byUuid.values();
  }

  /** Those of some callbacks, or all, if there are no names. */
  *of(callbackNames: readonly string[]): Iterable<LiveTask> {
    if (callbackNames.length === 0) yield* this.values();
    for (const name of callbackNames) yield* this.#byCallback.get(name) ?? [];
  }

  /** The task with a UUID. */
  get(uuid: string): LiveTask | undefined {
    return this.#byUuid.get(uuid);
  }

  /** Adds a task. */
  add(task: LiveTask): void {
    const { uuid, callbackName } = task.record;
    this.#byUuid.set(uuid, task);
    const others = this.#byCallback.get(callbackName);
    if (others === undefined) this.#byCallback.set(callbackName, new Set([task]));
    else others.add(task);
  }

  /** Takes a task out. */
  remove(task: LiveTask): void {
    const { uuid, callbackName } = task.record;
    this.#byUuid.delete(uuid);
    const others = this.#byCallback.get(callbackName)!;
    others.delete(task);
    if (others.size === 0) this.#byCallback.delete(callbackName);
  }
}
