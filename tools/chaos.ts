/**
 * Kills, freezes, stops and restarts processes that call each other, and checks every call:
 *
 *     deno task chaos [--seconds 60] [--seed 1]
 *
 * The seed gives what is done and what is called; when it happens is the machine's.
 *
 * @module
 */

import { runChaos } from "../tests/chaos/chaos.ts";
import { readFlags } from "./flags.ts";

const { seconds, seed } = readFlags(Deno.args, {
  seconds: 60,
  seed: crypto.getRandomValues(new Uint32Array(1))[0]! >>> 1,
});
console.log(`seed ${seed}, ${seconds} s`);
const { calls, runs, outcomes } = await runChaos({
  seed,
  steps: Infinity,
  limitMs: seconds * 1000,
  heartbeatTimeoutMs: 1_200, // some freezes are noticed, and some are not
  say: console.log,
});
console.log(`${calls} calls, ${runs} runs of callbacks, and everything as promised`);
console.log(outcomes);
