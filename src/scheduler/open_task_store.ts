/**
 * Which task store an option stands for.
 *
 * @module
 */

import { badOption } from "../internal/bad_option.ts";
import { SqliteTaskStore } from "./sqlite_task_store.ts";
import { MemoryTaskStore, type TaskStore } from "./task_store.ts";

const METHODS = ["load", "save", "remove", "close"] as const;

/**
 * Checks the option.
 *
 * @throws {InitializationError} when it is neither `"memory"`, nor the path of a file, nor a store.
 */
export function checkTaskStore(store: string | TaskStore = "memory"): void {
  if (typeof store === "string" && store !== "") return;
  const methods = store as TaskStore | null;
  if (METHODS.every((name) => typeof methods?.[name] === "function")) return;
  badOption("taskStore", store, `the path of a file, or an object with ${METHODS.join(", ")}`);
}

/**
 * Opens a store.
 *
 * @param store `"memory"`, the path of a file, or a store itself; checked.
 * @throws {InitializationError} when the file cannot be used.
 */
export function openTaskStore(store: string | TaskStore = "memory"): TaskStore {
  if (store === "memory") return new MemoryTaskStore();
  return typeof store === "string" ? new SqliteTaskStore(store) : store;
}
