// A process that runs functions which main.ts sends it, in a sandbox. Start both, in any order:
//
//   deno run --allow-net --allow-run examples/transfer/other_process.ts
//   deno run --allow-net examples/transfer/main.ts
import { Global } from "@daffi/core";

const [port = 8888] = Deno.args.map(Number);

const g = new Global({
  processName: "other_process",
  initController: true,
  host: "localhost",
  port,
  // Without this it is a sandbox with no permission at all, 30 seconds and 256 MiB.
  transfer: { permissions: { sys: ["hostname"] }, timeout: "1s", memoryLimitMb: 128 },
});
await g.ready;
console.log(`The process id of other_process is ${Deno.pid}`);
await g.join(); // until Ctrl+C
