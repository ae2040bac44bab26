/**
 * A process that calls another one, is cut off from it meanwhile, and calls again.
 *
 * @module
 */

import { type DaffiError, Global, type GlobalOptions } from "../../../mod.ts";
import { argument, emit } from "../fixtures/program.ts";

await using g = new Global(argument<GlobalOptions>());
await g.waitFunction("untilAborted");
const pending = g.call.untilAborted("t").fg();
await g.call.notes("t", 1);
emit("waits");
try {
  await pending;
} catch (error) {
  const { name, executed } = error as DaffiError;
  emit("lost", { name, executed });
}
await g.waitFunction("add");
emit("back", { sum: await g.call.add(1, 2) });
