// Functions as callbacks: a registered function stays an ordinary one, and others call it by name.
//
//   deno run --allow-net examples/callbacks_functions.ts
import { callback, Global } from "@daffi/core";

// Under its own name.
const add = callback(function add(a: number, b: number) {
  return a + b;
});

// Sync or async makes no difference to the caller.
callback(async function countLines(path: string) {
  const text = await Promise.resolve(`pretend\nthat this is\n${path}\n`);
  return text.split("\n").length - 1;
});

// Under a name of your choice, and with options: one call at a time, ten seconds at most.
callback("subtract", (a: number, b: number) => a - b);
callback(add, { name: "slowSum", concurrency: 1, timeout: "10s" });

// The second Global would be another process in a real program.
await using server = new Global({ processName: "server", initController: true, host: "localhost" });
await server.ready;
await using client = new Global({ processName: "client", host: "localhost", port: server.port });

console.log("here:", add(1, 2));
console.log("add:", await client.call.add(1, 2));
console.log("subtract:", await client.call.subtract(5, 3));
console.log("slowSum:", await client.call.slowSum(3, 4));
console.log("countLines:", await client.call.countLines("notes.txt"));
console.log("offered:", client.registeredCallbacks.server?.sort().join(", "));

// Withdrawn and registered while it runs: the others learn of it at once.
callback.remove("subtract");
callback(function multiply(a: number, b: number) {
  return a * b;
});
await client.waitFunction("multiply");
console.log("offered:", client.registeredCallbacks.server?.sort().join(", "));
