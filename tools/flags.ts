/**
 * Numbers on the command line.
 *
 * @module
 */

/**
 * Reads flags like `--seed 7` and `--seed=7`.
 *
 * @param args The command line.
 * @param defaults What is wanted, with what it is if it is not given.
 * @throws {TypeError} when what follows a flag is no number.
 */
export function numbers<T extends Record<string, number>>(args: readonly string[], defaults: T): T {
  const given = args.flatMap((arg) => arg.split("="));
  const read = (name: string, otherwise: number): number => {
    const at = given.indexOf(`--${name}`);
    if (at < 0) return otherwise;
    const text = given[at + 1];
    const value = Number(text);
    if (text === undefined || !Number.isFinite(value)) {
      throw new TypeError(`--${name} is ${text}, a number is needed`);
    }
    return value;
  };
  return Object.fromEntries(
    Object.entries(defaults).map(([name, otherwise]) => [name, read(name, otherwise)]),
  ) as T;
}
