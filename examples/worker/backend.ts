// An ordinary process somewhere else: it offers what the worker calls, and asks the worker too.
//
//   deno run --allow-net=localhost:8001 --allow-env=CONTROLLER_URL examples/worker/backend.ts
import { callback, Global } from "@daffi/core";

callback("add", async (a: number, b: number) => {
  const before = await g.call.answeredRequests();
  console.log(`${a} + ${b}, after ${before} requests`);
  return a + b;
});

const g = new Global({
  processName: "backend",
  url: Deno.env.get("CONTROLLER_URL") ?? "ws://localhost:8001/daffi",
  onNodeConnect: () => console.log("connected"),
});
await g.join();
