// What can go wrong with a call, and how to tell. Every error is a DaffiError with a `code`;
// `executed` says whether the callback ran, so that you know what may safely be tried again.
//
//   deno run --allow-net --allow-run examples/errors.ts
import {
  type BroadcastError,
  callback,
  DaffiError,
  Global,
  type RemoteCallError,
} from "@daffi/core";

const [port] = Deno.args;
if (port === undefined) await main();
else await worker(Number(port));

async function worker(port: number) {
  callback(function withdraw(amount: number) {
    const cause = new Error("the account is empty");
    throw Object.assign(new RangeError(`Cannot withdraw ${amount}`, { cause }), { left: 0 });
  });
  callback(function connectionOf() {
    return { send() {} };
  });
  callback(function crash() {
    Deno.exit(1);
  });
  await new Global({ processName: "worker", host: "localhost", port, reconnect: false }).join();
}

async function main() {
  await using g = new Global({ processName: "main", initController: true, host: "localhost" });
  await g.ready;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-net", import.meta.filename!, String(g.port)],
  }).spawn();
  await g.waitProcess("worker");

  // The callback threw: its error is the cause, with name, message, own fields and causes.
  await g.call.withdraw(100).catch((error: RemoteCallError) => {
    show(error);
    console.log(`  fields: left = ${error.remoteFields.left}`);
    console.log(`  because: ${((error.cause as Error).cause as Error).message}`);
  });

  // Nobody offers it, or nobody has this name: at once.
  await g.call.withdrew(100).catch(show);
  await g.call.withdraw(100).fg({ to: "wroker" }).catch(show);

  // What cannot travel, on either side.
  await g.call.withdraw({ user: { save() {} } }).catch(show);
  await g.call.connectionOf().catch(show);

  // Of a broadcast: who failed, and the results of the others.
  await g.call.withdraw(5).broadcast({ returnResult: true }).catch((error: BroadcastError) => {
    show(error);
    console.log(`  worker: ${error.errors.worker?.code}`);
  });

  // The process died during the call: known at once, without a timeout.
  await g.call.crash().catch(show);
  await child.status;
}

function show(error: unknown) {
  if (!(error instanceof DaffiError)) throw error;
  console.log(`${error.name} (executed: ${error.executed}): ${error.message}`);
}
