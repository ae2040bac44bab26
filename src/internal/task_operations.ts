/**
 * What one process may ask of another's scheduler.
 *
 * @module
 */

/** What a process may want of another's scheduler. All but the first three concern one task. */
export type TaskOperation =
  | "create"
  | "list"
  | "describe"
  | "cancel"
  | "pause"
  | "resume"
  | "run";

/** What a process may want of one task. */
export type TaskChange = Exclude<TaskOperation, "create" | "list" | "describe">;

const OPERATIONS: readonly TaskOperation[] = [
  "create",
  "list",
  "describe",
  "cancel",
  "pause",
  "resume",
  "run",
];

/** The operation of this name; `undefined` if there is none. */
export function asTaskOperation(name: unknown): TaskOperation | undefined {
  return OPERATIONS.find((known) => known === name);
}
