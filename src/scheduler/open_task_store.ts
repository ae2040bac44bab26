/**
 * Which task store an option stands for.
 *
 * @module
 */

import { SqliteTaskStore } from "./sqlite_task_store.ts";
import { MemoryTaskStore, type TaskStore } from "./task_store.ts";

/**
 * Opens a store.
 *
 * @param store `undefined` for memory, the path of a file, or a store itself.
 * @throws {InitializationError} when the file cannot be used.
 */
export function openTaskStore(store: string | TaskStore | undefined): TaskStore {
  if (store === undefined) return new MemoryTaskStore();
  return typeof store === "string" ? new SqliteTaskStore(store) : store;
}
