/**
 * "Did you mean …?", for the end of a message.
 *
 * @module
 */

type Nearest = (wanted: string, names: Iterable<string>) => string | undefined;

/** So many are compared: with all names of a large network it would take long. */
const MAX_COMPARED = 1_000;

let nearest: Nearest | undefined;

/** Has messages name what is most like a mistyped name. A page does without. */
export function provideNearest(provided: Nearest): void {
  nearest = provided;
}

/** What may have been meant; empty if there is nothing like it. */
export function suggestion(wanted: string, names: readonly string[]): string {
  const name = nearest?.(wanted, names.slice(0, MAX_COMPARED));
  return name === undefined ? "" : `; did you mean ${name}?`;
}
