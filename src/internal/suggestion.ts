/**
 * "Did you mean …?", for the end of a message.
 *
 * @module
 */

type Nearest = (wanted: string, names: readonly string[]) => string | undefined;

let nearest: Nearest | undefined;

/** Has messages name what is most like a mistyped name. A page does without. */
export function provideNearest(provided: Nearest): void {
  nearest = provided;
}

/** What may have been meant; empty if there is nothing like it. */
export function suggestion(wanted: string, names: readonly string[]): string {
  const name = nearest?.(wanted, names);
  return name === undefined ? "" : `; did you mean ${name}?`;
}
