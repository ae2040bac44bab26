/**
 * Runs the fuzz tests for as long as you like, with a seed of their own:
 *
 *     deno task fuzz [--seconds 30] [--seed 1] [--filter <part of a test's name>]
 *
 * `--seconds` is for each property. A failure prints the case that broke it, made as small as
 * possible; with the seed it is found again. Keep it in `tests/vectors/found_cases.ts`.
 *
 * @module
 */

import { readFlags } from "./flags.ts";

const { seconds, seed, filter } = readFlags(Deno.args, {
  seconds: 30,
  seed: crypto.getRandomValues(new Uint32Array(1))[0]! >>> 1,
  filter: "",
});

console.log(`seed ${seed}, ${seconds} s for each property`);
const { code } = await new Deno.Command(Deno.execPath(), {
  args: ["test", "-A", "--filter", filter, "tests/fuzz/"],
  env: { DAFFI_FUZZ_SECONDS: String(seconds), DAFFI_FUZZ_SEED: String(seed) },
  stdout: "inherit",
  stderr: "inherit",
}).output();
if (code !== 0) console.log(`Again: deno task fuzz --seed ${seed} --seconds ${seconds}`);
Deno.exit(code);
