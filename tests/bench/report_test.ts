import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { chart } from "../../bench/chart.ts";
import { FLOORS } from "../../bench/floor/systems.ts";
import { Results } from "../../bench/runner/results.ts";
import { tables } from "../../bench/runner/table.ts";

function threeRounds(): Results {
  const results = new Results();
  const add = (system: string, floor: string | undefined, perSecond: number) =>
    results.add({ work: "a <work>", system, transport: "tcp", floor }, { perSecond });
  for (const [ofFloor, ofOurs] of [[1000, 500], [2000, 400], [4000, 4000]] as const) {
    add("daffi", FLOORS.relay, ofOurs);
    add(FLOORS.relay, undefined, ofFloor);
  }
  return results;
}

Deno.test("Results has minimum, median and maximum, and the ratios round by round", () => {
  const [ours, floor] = threeRounds().all();
  assertEquals([ours!.minimum, ours!.median, ours!.maximum], [400, 500, 4000]);
  assertEquals(ours!.ratio, { floor: FLOORS.relay, minimum: 0.2, median: 0.5, maximum: 1 });
  assertEquals(floor!.ratio, undefined);
});

Deno.test("Results has no ratio against a floor that took no time", () => {
  const results = new Results();
  const place = { work: "CPU", transport: "tcp" };
  results.add({ ...place, system: FLOORS.relay, floor: undefined }, { cpuSeconds: 0 });
  results.add({ ...place, system: "daffi", floor: FLOORS.relay }, { cpuSeconds: 1 });
  assertEquals(results.all()[1]!.ratio, undefined);
});

Deno.test("tables() has floors first, and medians with their ratios", () => {
  const text = tables(threeRounds().all());
  assertMatch(text, /\| +\| relay floor .*\| daffi /);
  assertStringIncludes(text, "**500** (400–4,000) · 0.50 ×");
});

Deno.test("chart() draws a bar for each median", () => {
  const svg = chart(threeRounds().all(), "subtitle");
  assertStringIncludes(svg, "daffi, a &lt;work&gt;: 500 /s (400–4,000), 0.50 × relay floor");
  assertEquals(svg.match(/rx="2"/g)?.length, 2);
  assertEquals(svg.includes("NaN"), false);
});
