// Typed calls: the compiler knows the callbacks of the other processes, their arguments and results.
//
//   deno run --allow-net examples/typed_calls.ts
import { callback, type CallbacksOf, Global } from "@daffi/core";

function add(a: number, b: number) {
  return a + b;
}
async function* countTo(last: number) {
  for (let n = 1; n <= last; n++) yield await Promise.resolve(n);
}
class Store {
  #rows = new Map<string, number>();
  put(key: string, value: number) {
    this.#rows.set(key, value);
    return this.#rows.size;
  }
}
callback(add);
callback(countTo);
new (callback(Store))();

// From a module it is: import type * as offered from "./offered.ts", CallbacksOf<typeof offered>.
const offered = { add, countTo, Store };
type Offered = CallbacksOf<typeof offered>;

// Or by hand, for callbacks whose source is elsewhere.
interface Remote extends Offered {
  subtract(a: number, b: number): number;
}

// The second Global would be another process in a real program.
await using server = new Global({ processName: "server", initController: true, host: "localhost" });
await server.ready;
await using client = new Global<Remote>({
  processName: "client",
  host: "localhost",
  port: server.port,
});

const sum: number = await client.call.add(1, 2);
console.log("sum:", sum.toFixed(1));

const rows: number = await client.call.put("a", 1).bg().get();
console.log("rows:", rows);

const everybody: Record<string, number> = await client.call.add(3, 4)
  .broadcast({ returnResult: true });
console.log("everybody:", everybody.server);

for await (const n of client.call.countTo(2)) console.log("n:", n.toFixed(1));

// @ts-expect-error: the compiler refuses what the callback does not take
console.log("at run time:", await client.call.add("1", 2));
