/**
 * Removes coverage files that are not whole: tests kill processes, which then leave half a file, and
 * `deno coverage` reads none at all if it cannot read one.
 *
 * @module
 */

const [directory = "coverage"] = Deno.args;
let dropped = 0;
for await (const { name } of Deno.readDir(directory)) {
  const path = `${directory}/${name}`;
  try {
    JSON.parse(await Deno.readTextFile(path));
  } catch {
    await Deno.remove(path);
    dropped++;
  }
}
console.log(`coverage: ${dropped} torn files dropped`);
