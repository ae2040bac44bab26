/**
 * The command line of the tools.
 *
 * @module
 */

import { parseArgs } from "node:util";

/**
 * Reads flags like `--seed 7` and `--seed=7`.
 *
 * @param args The command line.
 * @param defaults What is known, each with what it is if it is not given: a number or a text.
 * @throws {TypeError} when a flag is not known, or what follows it is no number where one is needed.
 */
export function readFlags<T extends Record<string, number | string>>(
  args: string[],
  defaults: T,
): { [Name in keyof T]: T[Name] extends number ? number : string } {
  const options = Object.fromEntries(
    Object.keys(defaults).map((name) => [name, { type: "string" as const }]),
  );
  const { values } = parseArgs({ args, options });
  const read = ([name, otherwise]: [string, number | string]) => {
    const text = values[name];
    if (text === undefined) return [name, otherwise];
    if (typeof otherwise === "string") return [name, text];
    if (text === "" || !Number.isFinite(Number(text))) {
      throw new TypeError(`--${name} is "${text}", a number is needed`);
    }
    return [name, Number(text)];
  };
  return Object.fromEntries(Object.entries(defaults).map(read));
}
