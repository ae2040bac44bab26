// Tasks that this process runs by itself, and that scheduler_client.ts schedules on it. The tasks are
// in a file: the process is stopped and started again, and goes on with what is left.
//
//   deno run --allow-net --allow-run --allow-read --allow-write examples/scheduler.ts
import { CallbackRegistry, currentCall, Global } from "@daffi/core";

const directory = await Deno.makeTempDir();
const taskStore = `${directory}/tasks.db`;

// Who controls the network is a matter of its own: here it stays while the scheduler restarts.
await using hub = new Global({
  processName: "hub",
  initController: true,
  initNode: false,
  port: 0,
});
await hub.ready;
const { port } = hub;

const seen = new Map<string, number>();
let onRun = () => {};

function start() {
  const callbacks = new CallbackRegistry();
  callbacks.callback(function report(name: string) {
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    // A recurring task has no end: two lines of it are enough here.
    if (count <= 2) console.log(`${name}: run ${count}, wanted by ${currentCall()!.caller}`);
    onRun();
  });
  callbacks.callback(function fail() {
    throw new Error("the printer is on fire");
  });
  return new Global({ processName: "scheduler", port, callbacks, taskStore });
}

// The first life. The client schedules tasks, and leaves.
const first = start();
await first.ready;
await client("schedule");
console.log("tasks:", (await first.getScheduledTasks("scheduler")).length);
await first.stop();
console.log("scheduler: stopped");

// The second one. Nobody schedules anything; the tasks are still there.
const second = start();
await second.ready;
console.log("tasks:", (await second.getScheduledTasks("scheduler")).length);
await new Promise<void>((resolve) => onRun = resolve);
console.log("scheduler: the recurring task goes on");
await client("cancel");
console.log("tasks:", (await second.getScheduledTasks("scheduler")).length);
await second.stop();
await Deno.remove(directory, { recursive: true });

async function client(what: string) {
  const file = new URL("./scheduler_client.ts", import.meta.url);
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-net", file.href, String(port), what],
  }).spawn().status;
  console.log(`client: left with exit code ${code}`);
}
