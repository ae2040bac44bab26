import { assert, assertEquals } from "@std/assert";
import { daffiCrowds, daffiSystems } from "../../bench/daffi/systems.ts";
import { FLOORS, floorSystems, resultsFloor } from "../../bench/floor/systems.ts";
import { runFirstCall } from "../../bench/runner/first_call.ts";
import { Results } from "../../bench/runner/results.ts";
import { runRounds } from "../../bench/runner/rounds.ts";
import { runThousand } from "../../bench/runner/thousand.ts";
import { BROADCAST_WORKS, CALL_WORKS, WORKS } from "../../bench/works.ts";

/** A handful of calls each. */
function briefly(): { rounds: number; ms: number; wanted: () => boolean; results: Results } {
  return { rounds: 1, ms: 1, wanted: () => true, results: new Results() };
}

/** Titles of the works that gave only figures above zero for a system, in the order of the works. */
function worksOf(results: Results, system: string): string[] {
  const own = results.all().filter((result) => result.system === system);
  for (const { work, figure, median } of own) {
    assert(figure === "cpuSeconds" || median > 0, `${system}, ${work}, ${figure}: ${median}`);
  }
  return [...new Set(own.map(({ work }) => work))].filter((work) => !work.startsWith("CPU"));
}

Deno.test("runRounds() measures every work of calls on every system", async () => {
  const options = briefly();
  const systems = [...floorSystems("tcp"), resultsFloor("tcp"), ...daffiSystems("tcp")];
  await runRounds(systems, CALL_WORKS, options);
  const titles = CALL_WORKS.map((name) => WORKS[name].title);
  for (const { name } of systems.filter(({ name }) => name !== FLOORS.results)) {
    assertEquals(worksOf(options.results, name), titles);
  }
  assertEquals(worksOf(options.results, FLOORS.results), titles.slice(0, 8));
});

Deno.test("runRounds() measures calls to many", async () => {
  const options = briefly();
  const systems = [...floorSystems("tcp"), ...daffiCrowds("tcp")];
  await runRounds(systems, BROADCAST_WORKS, options);
  const titles = BROADCAST_WORKS.map((name) => WORKS[name].title);
  for (const { name } of systems) assertEquals(worksOf(options.results, name), titles);
});

Deno.test({
  name: "the bench measures idle nodes and first calls, over UNIX sockets",
  ignore: Deno.build.os === "windows",
  fn: async () => {
    const options = briefly();
    await runThousand("unix", 8, 1, options);
    await runFirstCall("unix", options);
    const works = [...new Set(options.results.all().map(({ work }) => work))];
    assertEquals(works, [
      "controller's memory per node, RSS, when the last has joined",
      "controller's memory per node, RSS, after half a minute of rest",
      "controller's memory per node, heap and external, after half a minute of rest",
      "sequential calls between random pairs",
      "64 in flight between random pairs",
      "start of the caller's process to its first answer",
    ]);
  },
});
