// A class as callbacks: its public methods are offered, and one instance answers for them.
//
//   deno run --allow-net examples/callbacks_class.ts
import { callback, Global, local } from "@daffi/core";

@callback
class Counter {
  #count = 0;

  constructor(start: number) {
    this.#count = start;
  }

  increase(by: number) {
    this.#check(by);
    return this.#count += by;
  }

  // Static methods need no instance.
  static unit() {
    return "pieces";
  }

  // These three are not offered.
  @local
  reset() {
    this.#count = 0;
  }
  #check(by: number) {
    if (by < 0) throw new RangeError(`Cannot increase by ${by}`);
  }
  _internal() {}
}

// The second Global would be another process in a real program.
await using server = new Global({ processName: "server", initController: true, host: "localhost" });
await server.ready;
await using client = new Global({ processName: "client", host: "localhost", port: server.port });

console.log("unit:", await client.call.unit());
console.log("offered:", client.registeredCallbacks.server?.sort().join(", "));

// Instance methods answer once there is an instance.
await client.call.increase(1).catch((error: Error) => console.log("too early:", error.message));
const counter = new Counter(10);
console.log("increase:", await client.call.increase(1));

// It stays usable here.
counter.reset();
console.log("increase here:", counter.increase(1));
console.log("increase:", await client.call.increase(1));
