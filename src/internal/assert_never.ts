/**
 * Ends a `switch` over a union: the compiler refuses the call while a case is missing.
 *
 * Only for values that this program made itself. What a peer sent is checked where it is decoded,
 * and an unknown kind is a `ProtocolError` there.
 *
 * @param value What is left of the union: nothing, if every case is there.
 * @param what What the value is, for the message, for example `"frame kind"`.
 * @returns Never.
 * @throws {TypeError} When it is reached all the same, which is a defect of this module.
 *
 * @example
 * ```ts
 * import { assertNever } from "./assert_never.ts";
 *
 * function label(mode: "skip" | "queue"): string {
 *   switch (mode) {
 *     case "skip":
 *       return "skipped";
 *     case "queue":
 *       return "queued";
 *     default:
 *       return assertNever(mode, "overlap mode");
 *   }
 * }
 *
 * console.log(label("skip"));
 * ```
 */
export function assertNever(value: never, what: string): never {
  throw new TypeError(`Cannot handle ${what}: current value is ${show(value)}`);
}

function show(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  // The one field that tells a member of a union from the others.
  return "kind" in value ? `an object of kind ${String(value.kind)}` : "an object";
}
