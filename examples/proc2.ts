// Two processes that call each other's functions: this one and proc1.ts.
import { BG, callback, Global } from "@daffi/core";

const [port = 8888, pace = 1] = Deno.args.map(Number);

callback(async function func1(a: number, b: number) {
  return await Promise.resolve(a - b); // callbacks may be async
});

callback(function func2() {
  console.log("Func2 has been triggered!");
});

async function callFunc3() {
  await g.waitFunction("func3");
  for (let i = 0; i < 5; i++) {
    const future = g.call.func3(4, 6).exec(BG);
    await sleep(2); // do something else meanwhile
    console.log(`Calculated sum is ${await future.get()}`);
  }
}

const g = new Global({ processName: "proc2", host: "localhost", port });
// Stay until Ctrl+C, while the calls run.
await Promise.all([callFunc3(), g.join()]);

function sleep(seconds: number) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000 * pace));
}
