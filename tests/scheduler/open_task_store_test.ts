import { assertThrows } from "@std/assert";
import { InitializationError } from "../../src/errors.ts";
import { openTaskStore } from "../../src/scheduler/open_task_store.ts";
import type { TaskStore } from "../../src/scheduler/task_store.ts";

Deno.test("openTaskStore() refuses what cannot keep tasks", () => {
  const { remove: _, ...incomplete } = { load() {}, save() {}, remove() {}, close() {} };
  for (const store of ["", null, 5, {}, () => {}, incomplete]) {
    assertThrows(
      () => openTaskStore(store as TaskStore),
      InitializationError,
      "the path of a file, or an object with load, save, remove, close",
    );
  }
});
