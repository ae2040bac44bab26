/**
 * Values in messages.
 *
 * @module
 */

const MAX_LENGTH = 80;
const MAX_ERROR_LENGTH = 1_000;
const UNREADABLE = "something that cannot be shown";

/** A value for people to read; never throws, whatever the value does when it is asked. */
export function show(value: unknown): string {
  try {
    if (typeof value === "string") return JSON.stringify(cut(value));
    if (typeof value === "function") return `function ${cut(String(value.name))}`;
    const tag = Object.prototype.toString.call(value);
    const readable = typeof value !== "object" || value === null ||
      value instanceof Date || value instanceof Error || tag.startsWith("[object Temporal.");
    return readable ? cut(String(value)) : tag;
  } catch {
    return UNREADABLE;
  }
}

/** What was thrown, in a text of bounded length; never throws, whatever it is. */
export function showError(error: unknown): string {
  try {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : show(error);
    return text.slice(0, MAX_ERROR_LENGTH).toWellFormed(); // it may travel
  } catch {
    return UNREADABLE;
  }
}

function cut(text: string): string {
  return text.length <= MAX_LENGTH ? text : `${text.slice(0, MAX_LENGTH).toWellFormed()}…`;
}
