/**
 * Kinds of frame in messages.
 *
 * @module
 */

let names: ReadonlyMap<number, string> | undefined;

/** Has messages tell the names. A page does without them. */
export function provideKindNames(provided: ReadonlyMap<number, string>): void {
  names = provided;
}

/** A kind's name as in the protocol's document; its number where there are no names. */
export function kindName(kind: number): string {
  return names?.get(kind) ?? `0x${kind.toString(16)}`;
}
