/**
 * Makes `src/transfer/sandbox_program.ts`: the program of a sandbox, `src/transfer/sandbox_main.ts`, with all that
 * it imports, as text.
 *
 * ```sh
 * deno run -A tools/build_sandbox.ts
 * ```
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { bundleText } from "./bundle.ts";

/** Where the module is. */
export const PROGRAM_FILE: string = fromFileUrl(
  new URL("../src/transfer/sandbox_program.ts", import.meta.url),
);

/** What the present sources give. */
export async function buildSandbox(): Promise<string> {
  const program = new URL("../src/transfer/sandbox_main.ts", import.meta.url);
  const text = await bundleText(program, "deno", ["--minify"]);
  return `/**
 * The program of a sandbox, as text: a sandbox may import nothing, not even this package. Made of
 * \`sandbox_main.ts\` by \`deno task build:sandbox\`; not to be changed by hand.
 *
 * @module
 */

/** A module without imports but those of the runtime. */
export const SANDBOX_PROGRAM: string =
  ${JSON.stringify(text.trim())};
`;
}

if (import.meta.main) await Deno.writeTextFile(PROGRAM_FILE, await buildSandbox());
