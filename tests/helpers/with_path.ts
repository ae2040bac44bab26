import { join } from "@std/path";

/** Runs a test with the path of a file that does not exist, in a directory of its own. */
export async function withPath(run: (path: string) => void | Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await run(join(directory, "tasks.db"));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
