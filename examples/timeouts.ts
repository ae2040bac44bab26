// Timeouts and cancellation: the caller goes on at once, and the callback is told.
//
//   deno run --allow-net examples/timeouts.ts
import {
  callback,
  type CallCancelledError,
  CallTimeoutError,
  currentCall,
  Global,
} from "@daffi/core";

// Works until it is done or nobody wants the result any more.
callback(function work(name: string) {
  const { signal } = currentCall()!;
  console.log(`${name}: begins`);
  begun.get(name)!.resolve();
  return new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => {
      console.log(`${name}: told to stop`);
      told.get(name)!.resolve();
      reject(signal.reason);
    });
  });
});
const names = ["timeout", "signal", "cancel"];
const begun = new Map(names.map((name) => [name, Promise.withResolvers<void>()]));
const told = new Map(names.map((name) => [name, Promise.withResolvers<void>()]));

// The second Global would be another process in a real program.
await using server = new Global({ processName: "server", initController: true, host: "localhost" });
await server.ready;
await using client = new Global({ processName: "client", host: "localhost", port: server.port });

// A time limit: milliseconds, a string such as "1m24s", or a Temporal.Duration.
try {
  await client.call.work("timeout").fg({ timeout: "200ms" });
} catch (error) {
  if (!(error instanceof CallTimeoutError)) throw error;
  console.log(`timeout: ${error.code}, executed: ${error.executed}`);
}
await told.get("timeout")!.promise;

// An AbortSignal of your own.
const button = new AbortController();
const pressed = client.call.work("signal").fg({ signal: button.signal });
begun.get("signal")!.promise.then(() => button.abort());
await pressed.catch((error: CallCancelledError) => console.log(`signal: ${error.code}`));
await told.get("signal")!.promise;

// A call in the background. Giving up waiting is one thing, cancelling another.
const future = client.call.work("cancel").bg();
await begun.get("cancel")!.promise;
await future.get({ timeout: 50 }).catch(() =>
  console.log(`cancel: still running: ${!future.done}`)
);
future.cancel();
await told.get("cancel")!.promise;
console.log(`cancel: ${await future.get().catch((error: CallCancelledError) => error.code)}`);

// Every wait takes the same options.
await client.waitProcess("nobody", { timeout: 50 }).catch((error: Error) =>
  console.log(error.message)
);
