/**
 * How an example is run, as its first lines tell.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";

const EXAMPLES = fromFileUrl(import.meta.resolve("../examples/"));

/**
 * The arguments of the command in the comment at the top of an example.
 *
 * @param file Its path below `examples/`.
 */
export async function commandOf(file: string): Promise<string[]> {
  const text = await Deno.readTextFile(EXAMPLES + file);
  const command = /^\/\/ {3}deno ((?:run|serve) .*)$/m.exec(text)?.[1];
  if (command?.endsWith(` examples/${file}`) !== true) {
    throw new Error(`the comment at its top must have the line "//   deno run … examples/${file}"`);
  }
  const [subcommand, ...rest] = command.split(" ");
  return [subcommand!, "--no-prompt", ...rest];
}
