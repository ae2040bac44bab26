/**
 * The tables in `bench/README.md`.
 *
 * @module
 */

const README = new URL("../README.md", import.meta.url);

/**
 * Puts text between `<!-- begin NAME -->` and `<!-- end NAME -->`.
 *
 * @throws {Error} when the markers are not there.
 */
export async function writeReadme(name: string, text: string): Promise<void> {
  const readme = await Deno.readTextFile(README);
  const begin = `<!-- begin ${name} -->`;
  const end = `<!-- end ${name} -->`;
  const from = readme.indexOf(begin);
  const to = readme.indexOf(end);
  if (from < 0 || to < from) throw new Error(`Cannot find ${begin} … ${end} in ${README.pathname}`);
  await Deno.writeTextFile(
    README,
    `${readme.slice(0, from + begin.length)}\n\n${text}\n\n${readme.slice(to)}`,
  );
}
