import { assert } from "@std/assert";
import { buildSandbox, PROGRAM_FILE } from "../../tools/build_sandbox.ts";

Deno.test("the program of the sandbox is what the present sources give", async () => {
  const isPresent = await Deno.readTextFile(PROGRAM_FILE) === await buildSandbox();
  assert(isPresent, "run `deno task build:sandbox`, and commit what it makes");
});
