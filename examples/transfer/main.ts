// Sends functions to other_process.ts, which runs them. Start both, in any order:
//
//   deno run --allow-net examples/transfer/main.ts
//   deno run --allow-net --allow-run examples/transfer/other_process.ts
import { Global, type RemoteCallError, type TransferError } from "@daffi/core";

const [port = 8888] = Deno.args.map(Number);

await using g = new Global({ processName: "main", host: "localhost", port });
await g.waitProcess("other_process");

const pid = await g.transferAndCall("other_process", () => Deno.pid);
console.log(`It runs in process ${pid}, and this is another one: ${pid !== Deno.pid}`);

// Arguments and result travel as in any call. A function may import what Deno has built in.
async function digest(text: string) {
  const { createHash } = await import("node:crypto");
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
console.log(`digest: ${await g.transferAndCall("other_process", digest, "some text")}`);

// Only the function itself is sent. What is around it stays here, so it has to be an argument.
const rate = 1.25;
await g.transferAndCall("other_process", (net: number) => net * rate, 100).catch(tell);
const gross = await g.transferAndCall(
  "other_process",
  (n: number, by: number) => n * by,
  100,
  rate,
);
console.log(`gross: ${gross}`);

// Functions that cannot be sent are refused at once.
await g.transferAndCall("other_process", Math.max, 1, 2).catch(tell);

// It may do what the other process has granted, and nothing else.
const host = await g.transferAndCall("other_process", () => Deno.hostname());
console.log(`the host's name may be known: ${host !== ""}`);
await g.transferAndCall("other_process", () => Deno.readTextFileSync("/etc/passwd")).catch(tell);

// It has an end, whatever it does; the other process goes on.
const loop = () => {
  for (;;);
};
await g.transferAndCall("other_process", loop).catch(tell);
console.log(`still there: ${await g.transferAndCall("other_process", () => Deno.pid) === pid}`);

function tell(error: TransferError | RemoteCallError) {
  console.log(`${error.name} (executed: ${error.executed}): ${error.message}`);
}
