import { assert, assertMatch } from "@std/assert";

const MODULE = new URL("../../src/transport/freed_memory.ts", import.meta.url).href;

/** Page faults of a process that takes, fills and gives back the same 12 MiB again and again. */
async function pageFaults(before: string): Promise<number> {
  const program = `
    import { keepFreedMemory } from ${JSON.stringify(MODULE)};
    const faults = () => Number(Deno.readTextFileSync("/proc/self/stat").split(") ")[1].split(" ")[7]);
    const use = () => {
      const values = Array.from({ length: 12 }, () => new Uint8Array(2 ** 20).fill(1));
      for (const { buffer } of values) buffer.transfer(0);
    };
    ${before}
    use();
    const start = faults();
    for (let times = 0; times < 10; times++) use();
    console.log(faults() - start);
  `;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", program],
  }).output();
  const printed = new TextDecoder().decode(stdout).trim();
  assertMatch(printed, /^\d+$/);
  return Number(printed);
}

Deno.test({
  name: "keepFreedMemory() spares a process that has large values most page faults",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    const [kept, returned] = [await pageFaults("keepFreedMemory();"), await pageFaults("")];
    assert(kept * 5 < returned, `${kept} page faults instead of ${returned}`);
  },
});
