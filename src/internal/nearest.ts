/**
 * "Did you mean …?"
 *
 * @module
 */

/** So many are compared: with all names of a large network it would take long. */
const MAX_COMPARED = 1_000;

/**
 * Finds the name that is most like a mistyped one: fewest edits ("optimal string alignment", for which two letters
 * that have changed places are one), at most a third of the length, and not all of it.
 *
 * @param wanted What was asked for.
 * @param names What there is; the first thousand count.
 * @returns The nearest name, or `undefined` if none is near.
 */
export function nearest(wanted: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  // Of a name of one letter every other one is as near.
  let bestDistance = Math.min(wanted.length, Math.floor(Math.max(wanted.length, 3) / 3) + 1);
  for (const name of names.slice(0, MAX_COMPARED)) {
    if (Math.abs(name.length - wanted.length) >= bestDistance) continue;
    const distance = editsBetween(wanted.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

function editsBetween(a: string, b: string): number {
  let former: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwapped ? former[j - 2]! + 1 : Infinity;
      next.push(Math.min(replaced, swapped, row[j]! + 1, next[j - 1]! + 1));
    }
    [former, row] = [row, next];
  }
  return row[b.length]!;
}
