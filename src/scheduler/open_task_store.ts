/**
 * Which task store an option stands for.
 *
 * @module
 */

import { MemoryTaskStore, type TaskStore } from "./task_store.ts";

/**
 * Opens a store.
 *
 * @param store `undefined` for memory, the path of a file, or a store itself.
 * @param openFile Opens a file. @throws {InitializationError} when it cannot be used.
 */
export function openTaskStore(
  store: string | TaskStore | undefined,
  openFile: (path: string) => TaskStore,
): TaskStore {
  if (store === undefined) return new MemoryTaskStore();
  return typeof store === "string" ? openFile(store) : store;
}
