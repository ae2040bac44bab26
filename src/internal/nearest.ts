/**
 * "Did you mean …?"
 *
 * @module
 */

/** So many are compared: with all names of a large network it would take long. */
const MAX_COMPARED = 1_000;

/**
 * Finds the name that is most like a mistyped one: smallest Levenshtein distance, at most a third of
 * the length, and not all of it.
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
    const distance = levenshtein(wanted.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best;
}

function levenshtein(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
