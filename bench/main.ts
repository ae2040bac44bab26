/**
 * Measures `@daffi/core` beside the raw sockets: `deno task bench`.
 *
 * @module
 */

import { daffiCrowds, daffiSystems } from "./daffi/systems.ts";
import { floorSystems, resultsFloor } from "./floor/systems.ts";
import { runFirstCall } from "./runner/first_call.ts";
import { readFlags } from "./runner/flags.ts";
import { writeReadme } from "./runner/readme.ts";
import { machineLine, makeReport } from "./runner/report.ts";
import { Results } from "./runner/results.ts";
import { runRounds } from "./runner/rounds.ts";
import { tables } from "./runner/table.ts";
import { runThousand } from "./runner/thousand.ts";
import { BROADCAST_WORKS, CALL_WORKS } from "./works.ts";

const flags = readFlags(Deno.args, {
  rounds: 5,
  json: new URL("./results/latest.json", import.meta.url),
});
const results = new Results();
const options = { ...flags, results };

for (const transport of ["tcp", "unix"] as const) {
  const floors = floorSystems(transport);
  const calls = [...floors, resultsFloor(transport), ...daffiSystems(transport)];
  await runRounds(calls, CALL_WORKS, options);
  await runRounds([...floors, ...daffiCrowds(transport)], BROADCAST_WORKS, options);
  await runThousand(transport, flags.idleNodes, flags.restMs, options);
  await runFirstCall(transport, options);
}

const report = makeReport(results.all());
await Deno.mkdir(new URL("./results/", import.meta.url), { recursive: true });
await Deno.writeTextFile(flags.json, JSON.stringify(report, undefined, 2) + "\n");
const text = `${machineLine(report)}\n\n${tables(report.results)}`;
console.log(text);
if (flags.writeReadme) await writeReadme("results", text);
