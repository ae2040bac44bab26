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
 * Opens a store.
 *
 * @param store `"memory"`, the path of a file, or a store itself.
 * @throws {InitializationError} when it is none of these, or the file cannot be used.
 */
export function openTaskStore(store: string | TaskStore = "memory"): TaskStore {
  if (store === "memory") return new MemoryTaskStore();
  if (typeof store === "string" && store !== "") return new SqliteTaskStore(store);
  const methods = store as TaskStore | null;
  if (METHODS.every((name) => typeof methods?.[name] === "function")) return store as TaskStore;
  badOption("taskStore", store, `the path of a file, or an object with ${METHODS.join(", ")}`);
}
