/**
 * Measures `@daffi/core` beside other systems: `deno task bench:peers`.
 *
 * @module
 */

import { daffiCrowds, daffiSystems } from "./daffi/systems.ts";
import { floorSystems } from "./floor/systems.ts";
import { readFlags } from "./runner/flags.ts";
import { writeReadme } from "./runner/readme.ts";
import { machineLine, makeReport } from "./runner/report.ts";
import { Results } from "./runner/results.ts";
import { runRounds } from "./runner/rounds.ts";
import { tables } from "./runner/table.ts";
import { BROADCAST_WORKS, CALL_WORKS } from "./works.ts";
import { bestOf } from "./peers/best.ts";
import { installPackages, natsServerVersion, packageVersions } from "./peers/install.ts";
import { peerCrowds, peerSystems } from "./peers/systems.ts";

const flags = readFlags(Deno.args, {
  rounds: 3,
  json: new URL("./results/peers.json", import.meta.url),
});
await installPackages();
const natsServer = await natsServerVersion();
const withNats = natsServer !== undefined;
const results = new Results();
const options = { ...flags, tolerant: true, results };

const floors = floorSystems("tcp");
const peers = peerSystems(withNats);
await runRounds([...floors, ...daffiSystems("tcp"), ...peers], CALL_WORKS, options);
// One after the other, for all crowds together are more processes than a machine may have memory for.
const crowds = [...floors, ...daffiCrowds("tcp"), ...peerCrowds(withNats)];
for (let round = 0; round < flags.rounds; round++) {
  for (const system of crowds) {
    await runRounds([system], BROADCAST_WORKS, { ...options, rounds: 1 });
  }
}

const families = new Map(peers.map(({ name, family }) => [name, family]));
const all = results.all();
const best = bestOf(all, families);
const versions = { ...await packageVersions(), ...withNats && { "nats-server": natsServer } };
// `results` is what the tables show; `variants` has every way to run each peer.
const report = {
  ...makeReport(best, versions),
  variants: all.filter(({ system }) => families.has(system)),
};
await Deno.mkdir(new URL("./results/", import.meta.url), { recursive: true });
await Deno.writeTextFile(flags.json, JSON.stringify(report, undefined, 2) + "\n");
const text = `${machineLine(report)}\n\n${tables(best)}`;
console.log(text);
if (flags.writeReadme) await writeReadme("peers", text);
