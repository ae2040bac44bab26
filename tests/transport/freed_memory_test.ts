import { assert, assertEquals, assertMatch } from "@std/assert";

const MODULE = new URL("../../src/transport/freed_memory.ts", import.meta.url).href;
const ignore = Deno.build.os !== "linux";

/** Page faults that the second piece of code causes in a process of its own. */
async function pageFaults(before: string, counted: string, inWorker = false): Promise<number> {
  const program = `
    import { keepFreedMemory } from ${JSON.stringify(MODULE)};
    const faults = () => Number(Deno.readTextFileSync("/proc/self/stat").split(") ")[1].split(" ")[7]);
    ${before}
    const start = faults();
    ${counted}
    console.log(faults() - start);
    if (${inWorker}) Deno.exit(); // which ends the worker
  `;
  const url = `data:application/javascript,${encodeURIComponent(program)}`;
  const starter = `new Worker(${JSON.stringify(url)}, { type: "module" });`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", inWorker ? starter : program],
  }).output();
  const printed = new TextDecoder().decode(stdout).trim();
  assertMatch(printed, /^\d+$/);
  return Number(printed);
}

for (const valueMiB of [1, 8]) {
  Deno.test({
    name: `keepFreedMemory() spares a process with 12 values of ${valueMiB} MiB most page faults`,
    ignore,
    fn: async () => {
      const use = `
        const use = () => {
          const values = Array.from({ length: 12 }, () => new Uint8Array(${valueMiB} * 2 ** 20).fill(1));
          for (const { buffer } of values) buffer.transfer(0);
        };
        use();`;
      const again = "for (let times = 0; times < 5; times++) use();";
      const kept = await pageFaults(`keepFreedMemory(); ${use}`, again);
      const returned = await pageFaults(use, again);
      assert(kept * 5 < returned, `${kept} page faults instead of ${returned}`);
    },
  });
}

for (const inWorker of [false, true]) {
  Deno.test({
    name: `keepFreedMemory() takes no memory that nothing has used${
      inWorker ? ", in a worker" : ""
    }`,
    ignore,
    fn: async () => {
      const faults = await pageFaults("", "keepFreedMemory();", inWorker);
      assert(faults < 1_000, `${faults} page faults, where 31 MiB are 7,936`);
    },
  });
}

Deno.test("keepFreedMemory() is tried once where there is too little memory for it", async () => {
  const fresh: typeof import("../../src/transport/freed_memory.ts") = await import(
    "../../src/transport/freed_memory.ts?little"
  );
  const { transfer } = ArrayBuffer.prototype;
  let tries = 0;
  ArrayBuffer.prototype.transfer = () => {
    tries++;
    throw new RangeError("Array buffer allocation failed");
  };
  try {
    for (let i = 0; i < 3; i++) fresh.keepFreedMemory();
  } finally {
    ArrayBuffer.prototype.transfer = transfer;
  }
  assertEquals(tries, 1);
});
