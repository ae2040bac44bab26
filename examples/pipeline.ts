// A pipeline: each process does its part and calls on to the next one. The time that the first
// caller gives holds for the whole of it.
//
//   deno run --allow-net examples/pipeline.ts
import { CallbackRegistry, currentCall, Global } from "@daffi/core";

// Three processes in one program, so each has its callbacks in a registry of its own.
const splitter = new CallbackRegistry();
splitter.callback(async function wordsOf(text: string) {
  const { g, caller } = currentCall()!;
  console.log(`splitter: called by ${caller}`);
  return await g.call.count(text.split(" "));
});

const counter = new CallbackRegistry();
counter.callback(async function count(words: string[]) {
  const { g, caller, deadline } = currentCall()!;
  console.log(`counter: called by ${caller}, in a hurry: ${deadline !== undefined}`);
  return await g.call.format(words.length);
});

const formatter = new CallbackRegistry();
formatter.callback(function format(n: number) {
  console.log(`formatter: called by ${currentCall()!.caller}`);
  return `${n} words`;
});

const host = "localhost";
await using main = new Global({ processName: "main", initController: true, host });
await main.ready;
const port = main.port;
await using _1 = new Global({ processName: "splitter", host, port, callbacks: splitter });
await using _2 = new Global({ processName: "counter", host, port, callbacks: counter });
await using _3 = new Global({ processName: "formatter", host, port, callbacks: formatter });
for (const name of ["splitter", "counter", "formatter"]) await main.waitProcess(name);

console.log("main:", await main.call.wordsOf("a call travels on and on").fg({ timeout: "10s" }));
