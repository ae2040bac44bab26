/**
 * "Did you mean …?"
 *
 * @module
 */

/** Finds the name that is most like a mistyped one, if one is. */
export type FindSimilar = (wanted: string, names: Iterable<string>) => string | undefined;

let find: FindSimilar = () => undefined;

/** Provides what finds names, while `mod.ts` is loaded; a page guesses none. */
export function provideNearest(similar: FindSimilar): void {
  find = similar;
}

/** The name that is most like a mistyped one; `undefined` if none is, or nobody looks. */
export function nearest(wanted: string, names: Iterable<string>): string | undefined {
  return find(wanted, names);
}
