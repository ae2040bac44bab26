// A Controller by itself, as a service that all others connect to. It offers and calls nothing.
//
//   deno run --allow-net examples/standalone_controller.ts
import { CallbackRegistry, Global, GlobalContextError } from "@daffi/core";

const host = "localhost";
const controller = new Global({ initController: true, initNode: false, host });
await controller.ready; // without a port it takes a free one, known from now on
const port = controller.port;

// These would be two other processes in a real program.
const callbacks = new CallbackRegistry();
callbacks.callback(function upper(text: string) {
  return text.toUpperCase();
});
await using _node1 = new Global({ processName: "node1", host, port, callbacks });
await using node2 = new Global({ processName: "node2", host, port });

await node2.waitFunction("upper");
console.log("node1 answers node2:", await node2.call.upper("through the controller"));
console.log("frames passed on:", controller.stats.forwardedFrames > 0);

try {
  await controller.call.upper("from the controller");
} catch (error) {
  if (!(error instanceof GlobalContextError)) throw error;
  console.log(error.message);
}

// In a program that is nothing but a controller: await controller.join();
await controller.stop({ killAllConnectedNodes: true });
await node2.join();
console.log("all stopped");
