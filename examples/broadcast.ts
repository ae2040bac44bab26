// One call that reaches every process offering the callback. Starts three more processes of itself.
//
//   deno run --allow-net --allow-run examples/broadcast.ts
import { BROADCAST, callback, Global } from "@daffi/core";

const [name, port] = Deno.args;
if (name === undefined) await main();
else await worker(name, Number(port));

async function worker(processName: string, port: number) {
  callback(function square(n: number) {
    return `${n * n} by ${processName}`;
  });
  callback(function log(text: string) {
    console.log(`${processName} logs: ${text}`);
  });
  // A worker without its main process is of no use: it ends instead of waiting for another one.
  await new Global({ processName, host: "localhost", port, reconnect: false }).join();
}

async function main() {
  const g = new Global({ processName: "main", initController: true, host: "localhost" });
  await g.ready;
  const names = ["worker1", "worker2", "worker3"];
  const children = names.map((name) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-net", import.meta.filename!, name, String(g.port)],
    }).spawn()
  );
  for (const name of names) await g.waitProcess(name);

  // The results of all, by process.
  const results = await g.call.square(7).exec(BROADCAST({ returnResult: true }));
  for (const name of names) console.log(`${name}: ${results[name]}`);

  // Nobody waits for an answer.
  await g.call.log("nothing to report").broadcast();

  // The controller can stop all nodes with itself. They finish what they were asked to do.
  await g.stop({ killAllConnectedNodes: true });
  for (const { status } of children) console.log("exit code:", (await status).code);
}
