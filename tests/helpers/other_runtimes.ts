/**
 * JavaScript runtimes beside Deno that this machine has, or can get from npm.
 *
 * @module
 */

/** How long npm may take to bring one. */
const LIMIT_MS = 120_000;

/** Another runtime. */
export interface Runtime {
  readonly name: string;
  /** The path of its program; `undefined` if it is not to be had. */
  readonly path: string | undefined;
}

/** Node.js 22 or later: the one on the path, or else by `npx`. */
export async function findNode(): Promise<Runtime> {
  const print = ["-p", "process.versions.node.split('.')[0] >= 22 ? process.execPath : ''"];
  const path = await output("node", print) || await output("npx", ["-y", "node@22", ...print]);
  return { name: "Node.js", path };
}

/** Bun, if it is on the path. */
export async function findBun(): Promise<Runtime> {
  return { name: "Bun", path: await output("bun", ["-p", "process.execPath"]) };
}

/** What a command prints; nothing if it is not there, fails or takes too long. */
async function output(command: string, args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(command, {
      args,
      stdin: "null",
      stderr: "null",
      signal: AbortSignal.timeout(LIMIT_MS),
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() || undefined : undefined;
  } catch {
    return undefined;
  }
}
