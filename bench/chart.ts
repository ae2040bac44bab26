/**
 * Charts of the reports in `results/`: `deno task bench:chart`.
 *
 * @module
 */

import type { Report, Result } from "./runner/results.ts";
import { floorsFirst, short } from "./runner/table.ts";
import { type Figure, FIGURES } from "./works.ts";

/** What is drawn, a panel for each figure; the rest is in the tables. */
const PANELS: readonly { readonly figure: Figure; readonly title: string }[] = [
  { figure: "p50Us", title: "Latency, median, µs: less is better" },
  { figure: "perSecond", title: "Per second: more is better" },
  { figure: "mebibytesPerSecond", title: "MiB a second: more is better" },
];
/** Calls per second one at a time say the same as the latency does. */
const LEFT_OUT = /sequential|all answers/;

const WIDTH = 900;
const LABEL_WIDTH = 260;
const VALUE_WIDTH = 70;
const BAR_HEIGHT = 11;
const BAR_STEP = 13;
const GROUP_GAP = 14;
const LINE_HEIGHT = 22;
const MARGIN = 20;
const PLOT_WIDTH = WIDTH - LABEL_WIDTH - VALUE_WIDTH - 2 * MARGIN;

const STYLE = `
  svg { font: 12px system-ui, sans-serif; }
  .back { fill: #ffffff; } text { fill: #1f2328; } .faint { fill: #656d76; }
  .title { font-weight: 600; font-size: 14px; } .grid { stroke: #d8dee4; }
  .s0 { fill: #afb8c1; } .s1 { fill: #818b98; } .s2 { fill: #59636e; }
  .s3 { fill: #0969da; } .s4 { fill: #54aeff; } .s5 { fill: #bf8700; } .s6 { fill: #8250df; }
  .s7 { fill: #1a7f37; } .s8 { fill: #cf222e; } .s9 { fill: #bc4c00; }
  @media (prefers-color-scheme: dark) {
    .back { fill: #0d1117; } text { fill: #e6edf3; } .faint { fill: #9198a1; }
    .grid { stroke: #30363d; }
    .s0 { fill: #59636e; } .s1 { fill: #818b98; } .s2 { fill: #b7bdc8; }
    .s3 { fill: #388bfd; } .s4 { fill: #a5d6ff; } .s5 { fill: #d29922; } .s6 { fill: #ab7df8; }
    .s7 { fill: #3fb950; } .s8 { fill: #f85149; } .s9 { fill: #db6d28; }
  }`;
const COLORS = 10;

/**
 * Draws medians as bars on a logarithmic scale, grouped by work.
 *
 * @param results Of one transport.
 * @param subtitle The line below the legend.
 * @returns The SVG, readable on light and dark ground.
 */
export function chart(results: readonly Result[], subtitle: string): string {
  const systems = [...new Set(results.map(({ system }) => system))].toSorted(floorsFirst);
  // Three greys are for floors: without floors the colours begin behind them.
  const skipped = 3 - systems.filter((system) => system.includes("floor")).length;
  const isFloor = (index: number) => systems[index]!.includes("floor");
  const colorOf = (index: number) => `s${(isFloor(index) ? index : index + skipped) % COLORS}`;
  const parts: string[] = [];
  let y = MARGIN;

  for (const [index, system] of systems.entries()) {
    parts.push(`<rect class="${colorOf(index)}" x="${MARGIN}" y="${y}" width="12" height="12"/>`);
    parts.push(text(MARGIN + 18, y + 10, system));
    y += LINE_HEIGHT - 4;
  }
  parts.push(text(MARGIN, y + 12, subtitle, "faint"));
  y += 2 * LINE_HEIGHT + GROUP_GAP;

  for (const { figure, title } of PANELS) {
    const shown = results.filter((result) =>
      result.figure === figure && !(figure === "perSecond" && LEFT_OUT.test(result.work))
    );
    if (shown.length === 0) continue;
    parts.push(text(MARGIN, y, title, "title"));
    y += LINE_HEIGHT / 2;
    const scale = logScale(shown.map(({ median }) => median));
    const top = y;
    const bars: string[] = [];
    for (const work of new Set(shown.map((result) => result.work))) {
      const group = systems.entries().toArray().flatMap(([index, system]) => {
        const result = shown.find((each) => each.work === work && each.system === system);
        return result === undefined ? [] : [{ index, result }];
      });
      const middle = y + group.length * BAR_STEP / 2 + 4;
      bars.push(text(MARGIN + LABEL_WIDTH - 10, middle, work.replaceAll("`", ""), "", "end"));
      for (const { index, result } of group) {
        const width = scale.x(result.median);
        const x = MARGIN + LABEL_WIDTH;
        bars.push(
          `<rect class="${colorOf(index)}" x="${x}" y="${y}" width="${width.toFixed(1)}" ` +
            `height="${BAR_HEIGHT}" rx="2"><title>${escape(describe(result))}</title></rect>`,
          text(x + width + 5, y + BAR_HEIGHT - 2, short(result.median), "faint"),
        );
        y += BAR_STEP;
      }
      y += GROUP_GAP;
    }
    for (const tick of scale.ticks) {
      const x = MARGIN + LABEL_WIDTH + scale.x(tick);
      parts.push(`<line class="grid" x1="${x}" x2="${x}" y1="${top - 4}" y2="${y - 8}"/>`);
      parts.push(text(x, y + 4, short(tick), "faint", "middle"));
    }
    parts.push(...bars);
    y += 2 * LINE_HEIGHT;
  }

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" role="img">
<style>${STYLE}
</style>
<rect class="back" width="${WIDTH}" height="${y}" rx="8"/>
${parts.join("\n")}
</svg>
`;
}

function logScale(values: readonly number[]): { x(value: number): number; ticks: number[] } {
  const from = Math.floor(Math.log10(Math.min(...values) * 0.9));
  const to = Math.log10(Math.max(...values));
  const x = (value: number) => (Math.log10(value) - from) / (to - from) * PLOT_WIDTH;
  const ticks: number[] = [];
  for (let power = from; power <= to; power++) ticks.push(10 ** power);
  return { x, ticks };
}

function describe({ system, work, figure, median, minimum, maximum, ratio }: Result): string {
  const { unit } = FIGURES[figure];
  const spread = `${short(median)} ${unit} (${short(minimum)}–${short(maximum)})`;
  const against = ratio === undefined ? "" : `, ${ratio.median.toPrecision(2)} × ${ratio.floor}`;
  return `${system}, ${work}: ${spread}${against}`;
}

function text(x: number, y: number, content: string, className = "", anchor = "start"): string {
  const attributes = className === "" ? "" : ` class="${className}"`;
  return `<text x="${x.toFixed(1)}" y="${y}" text-anchor="${anchor}"${attributes}>${
    escape(content)
  }</text>`;
}

function escape(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** The reports, and their charts. */
const CHARTS = { "latest.json": "chart.svg", "peers.json": "peers.svg" };

if (import.meta.main) {
  const results = new URL("./results/", import.meta.url);
  for (const [from, to] of Object.entries(CHARTS)) {
    const report: Report = JSON.parse(await Deno.readTextFile(new URL(from, results)));
    const subtitle = `Over TCP on one machine, medians, logarithmic, ${report.date.slice(0, 10)}`;
    const overTcp = report.results.filter((result) => result.transport === "tcp");
    await Deno.writeTextFile(new URL(to, results), chart(overTcp, subtitle));
  }
}
