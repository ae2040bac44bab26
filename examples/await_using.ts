// `await using` stops a Global at the end of its block, however the block is left: for short jobs.
//
//   deno run --allow-net examples/await_using.ts
import { callback, Global } from "@daffi/core";

callback(async function save(text: string) {
  await new Promise((resolve) => setTimeout(resolve, 50));
  console.log("saved:", text);
});

const server = new Global({
  processName: "server",
  initController: true,
  host: "localhost",
  onProcessJoin: (_, name) => console.log("joined:", name),
  onProcessLeave: (_, name) => console.log("left:", name),
});
await server.ready;

async function job(text: string) {
  await using g = new Global({ processName: "job", host: "localhost", port: server.port });
  await g.call.save(text);
  if (text === "") throw new Error("there was nothing to save");
}

await job("first");
await job("").catch((error: Error) => console.log("failed:", error.message));

// Stopping lets callbacks finish that are running.
{
  await using g = new Global({ processName: "last job", host: "localhost", port: server.port });
  await g.call.save("last").noReturn();
}
await server.stop();
console.log("stopped");
