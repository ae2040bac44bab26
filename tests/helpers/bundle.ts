/**
 * Programs as one file of JavaScript, for runtimes that do not read TypeScript.
 *
 * @module
 */

import { fromFileUrl, join } from "@std/path";

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
  const directory = await Deno.makeTempDir({ prefix: "daffi_" });
  const remove = () => Deno.remove(directory, { recursive: true });
  const path = join(directory, "bundle.mjs");
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--platform", platform, "--output", path, fromFileUrl(file)],
    cwd: fromFileUrl(new URL("../../", import.meta.url)),
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  if (!success) {
    await remove();
    throw new Error(`Cannot bundle ${file}: ${new TextDecoder().decode(stderr)}`);
  }
  return { path, [Symbol.asyncDispose]: remove };
}
