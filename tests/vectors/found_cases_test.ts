import { DECODERS } from "../fuzz/decoders.ts";
import { attackController, attackGuardedController } from "../fuzz/live_controller.ts";
import { attackFromTheStart, attackNode } from "../fuzz/live_node.ts";
import { fromHex } from "../wire/helpers.ts";
import { FOUND_CASES } from "./found_cases.ts";

/** Bytes against something that lives, by the names of the functions that send them. */
const ATTACKS: ReadonlyMap<string, (bytes: Uint8Array) => Promise<void>> = new Map(
  [attackController, attackGuardedController, attackNode, attackFromTheStart]
    .map((attack) => [`${attack.name}()`, attack]),
);

for (const { what, target, hex } of FOUND_CASES) {
  Deno.test(`never again in ${target}: ${what}`, async () => {
    const attempt = DECODERS.get(target) ?? ATTACKS.get(target)!;
    await attempt(fromHex(hex));
  });
}
