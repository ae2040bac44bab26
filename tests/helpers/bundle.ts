/**
 * Programs as one file of JavaScript, for runtimes that do not read TypeScript.
 *
 * @module
 */

import { join } from "@std/path";
import { bundleText } from "../../tools/bundle.ts";

/** A bundled program, deleted at the end of its scope. */
export interface Bundle extends AsyncDisposable {
  /** Its path. */
  readonly path: string;
}

/**
 * Bundles a program.
 *
 * @param file The program.
 * @param platform What `node:` imports mean: modules of the runtime, or nothing.
 */
export async function bundle(file: URL, platform: "deno" | "browser"): Promise<Bundle> {
  const text = await bundleText(file, platform);
  const directory = await Deno.makeTempDir({ prefix: "daffi_" });
  const remove = () => Deno.remove(directory, { recursive: true });
  const path = join(directory, "bundle.mjs");
  await Deno.writeTextFile(path, text);
  return { path, [Symbol.asyncDispose]: remove };
}
