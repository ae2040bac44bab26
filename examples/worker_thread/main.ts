// A node in a worker, which joins the controller of its parent by a port: no socket, no network
// permission. --allow-read is only for loading worker.ts.
//
//   deno run --allow-read examples/worker_thread/main.ts
import { callback, Global } from "@daffi/core";

callback(function progress(text: string) {
  console.log("progress:", text);
});

await using g = new Global({ processName: "main", initController: true, web: true });
const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
const { port1, port2 } = new MessageChannel();
g.attach(port1);
worker.postMessage(port2, [port2]);

await g.waitFunction("countPrimes");
console.log("primes below 100000:", await g.call.countPrimes(100_000));
worker.terminate();
