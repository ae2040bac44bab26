// The worker of main.ts, which starts it.
import { callback, Global } from "@daffi/core";

callback(async function countPrimes(below: number) {
  await g.call.progress("begun");
  let count = 0;
  for (let n = 2; n < below; n++) if (isPrime(n)) count++;
  return count;
});

// The first message brings the port.
const { data } = await new Promise<MessageEvent<MessagePort>>((resolve) => {
  globalThis.addEventListener("message", (event) => resolve(event as MessageEvent<MessagePort>));
});
const g = new Global({ processName: "worker", port: data });

function isPrime(n: number) {
  for (let i = 2; i * i <= n; i++) if (n % i === 0) return false;
  return true;
}
