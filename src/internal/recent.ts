/**
 * What was made for a key, kept for the next time.
 *
 * @module
 */

/**
 * Gives what a map has for a key, or makes it. The map keeps what was asked for last.
 *
 * @param known The map, which nobody else changes; what was asked for last comes last.
 * @param most So many it keeps.
 * @param key The key.
 * @param make Makes what is not there. What it throws is thrown, and nothing kept.
 */
export function recent<K, V>(known: Map<K, V>, most: number, key: K, make: () => V): V {
  const value = known.get(key) ?? make();
  known.delete(key);
  known.set(key, value);
  if (known.size > most) known.delete(known.keys().next().value!);
  return value;
}
