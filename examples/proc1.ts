// Two processes that call each other's functions: this one and proc2.ts. Start both, in any order:
//
//   deno run --allow-net examples/proc1.ts
//   deno run --allow-net examples/proc2.ts
import { callback, FG, Global, NO_RETURN } from "@daffi/core";

const [port = 8888, pace = 1] = Deno.args.map(Number);

callback(async function func3(a: number, b: number) {
  await sleep(3); // simulate a long running job
  return a + b;
});

const g = new Global({ processName: "proc1", initController: true, host: "localhost", port });
await g.waitProcess("proc2");

for (let i = 0; i < 10; i++) {
  const delta = await g.call.func1(10, 3).exec(FG);
  console.log(`Calculated delta = ${delta}`);

  await g.call.func2().exec(NO_RETURN);
  await sleep(5);
}

await g.stop();

function sleep(seconds: number) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000 * pace));
}
