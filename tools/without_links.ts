/**
 * Takes `links` out of `deno.json`, so that `jsr:` imports come from JSR and not from the stand-ins
 * of `tools/links/`, and leaves the stand-ins out of what is published.
 *
 * ```sh
 * deno run -A tools/without_links.ts [path of deno.json]
 * ```
 *
 * @module
 */
import { fromFileUrl } from "@std/path";

/** The part of `deno.json` that is read here. */
interface Config {
  links?: string[];
  publish: { exclude: string[] };
}

/**
 * Changes the text of a `deno.json`.
 *
 * @param text What is in the file.
 * @returns The same without `links`, and without the exception for them in `publish.exclude`.
 */
export function withoutLinks(text: string): string {
  const { links: _, ...config }: Config = JSON.parse(text);
  const exclude = config.publish.exclude.filter((pattern) => !pattern.startsWith("!"));
  return JSON.stringify({ ...config, publish: { ...config.publish, exclude } }, null, 2) + "\n";
}

if (import.meta.main) {
  const path = Deno.args[0] ?? fromFileUrl(import.meta.resolve("../deno.json"));
  await Deno.writeTextFile(path, withoutLinks(await Deno.readTextFile(path)));
}
