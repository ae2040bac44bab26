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
import { fromFileUrl, join } from "@std/path";

const ROOT = fromFileUrl(import.meta.resolve("../"));

/** Where the module is. */
export const PROGRAM_FILE: string = join(ROOT, "src/transfer/sandbox_program.ts");

/** What the present sources give. */
export async function buildSandbox(): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform", "deno", "--minify", "src/transfer/sandbox_main.ts"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot bundle it: ${decoder.decode(stderr)}`);
  return `/**
 * The program of a sandbox, as text: a sandbox may import nothing, not even this package. Made of
 * \`sandbox_main.ts\` by \`deno task build:sandbox\`; not to be changed by hand.
 *
 * @module
 */

/** A module without imports but those of the runtime. */
export const SANDBOX_PROGRAM: string =
  ${JSON.stringify(decoder.decode(stdout).trim())};
`;
}

if (import.meta.main) await Deno.writeTextFile(PROGRAM_FILE, await buildSandbox());
