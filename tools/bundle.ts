/**
 * Programs as one text of JavaScript.
 *
 * @module
 */

import { fromFileUrl } from "@std/path";

/**
 * Bundles a module with all that it imports.
 *
 * @param file The module.
 * @param platform What `node:` imports mean: modules of the runtime, or nothing.
 * @param options More options of `deno bundle`.
 */
export async function bundleText(
  file: URL,
  platform: "deno" | "browser",
  options: readonly string[] = [],
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", platform, ...options, fromFileUrl(file)],
    cwd: fromFileUrl(new URL("../", import.meta.url)),
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot bundle ${file}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}
