// Schedules tasks on the process of scheduler.ts, which starts this program, and leaves: the tasks go
// on there. Started again, it looks at what is left and cancels it.
import { CallbackRegistry, Global, PERIOD } from "@daffi/core";

const [port, what] = [Number(Deno.args[0]), Deno.args[1]];
const failed = Promise.withResolvers<void>();

await using g = new Global({
  processName: "client",
  port,
  callbacks: new CallbackRegistry(),
  onTaskFailure(_, { callbackName, message }) {
    console.log(`client: ${callbackName} failed: ${message}`);
    failed.resolve();
  },
});
await g.waitProcess("scheduler");

if (what === "schedule") {
  // Every 100 milliseconds, counted from now. This UUID makes it the same task however often it is
  // scheduled.
  const uuid = "7d3f2a50-3b52-4c6e-9a43-5d1c0e8b9f10";
  await g.call.report("recurring").exec(PERIOD({ interval: "100ms", uuid }));
  await g.call.report("recurring").exec(PERIOD({ interval: "100ms", uuid }));

  // At given times, once each.
  const atTime = [Date.now() + 500, new Date(Date.now() + 600)];
  await g.call.report("listed").exec(PERIOD({ atTime }));

  // By the clock on a wall in Berlin.
  await g.call.report("nightly").period({ cron: "30 2 * * *", timezone: "Europe/Berlin" });

  // A run that fails is told to the process that wanted it.
  await g.call.fail().period({ interval: 50, pauseAfterFailures: 1 });
  await failed.promise;

  for (const task of await g.describeScheduledTasks("scheduler")) {
    console.log(`client: ${task.callbackName} by ${task.trigger.type}, ${task.status}`);
  }
  // Stay until the listed times are over. The task is, too, and is not listed any more.
  while ((await g.getScheduledTasks("scheduler")).length > 3) await sleep(10);
} else {
  for (const uuid of await g.getScheduledTasks("scheduler")) {
    console.log("client: cancelled:", await g.cancelScheduledTaskByUuid("scheduler", uuid));
  }
}

function sleep(ms: number) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
