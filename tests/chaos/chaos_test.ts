import { assert } from "@std/assert";
import { POSIX } from "../e2e/network.ts";
import { runChaos } from "./chaos.ts";

Deno.test({
  name: "every call is as promised while processes are killed, frozen and restarted",
  ignore: !POSIX,
  fn: async () => {
    const { calls, runs } = await runChaos({
      seed: 7,
      steps: 9,
      limitMs: 20_000,
      heartbeatTimeoutMs: 15_000, // a busy machine freezes processes too
      say: () => {},
    });
    assert(calls > 500 && runs > 500, `${calls} calls and ${runs} runs were made`);
  },
});
