import { assertRejects } from "@std/assert";
import { DaffiError, type Global, type GlobalOptions } from "../mod.ts";
import { assertRejectsLater, soon, until } from "./helpers/soon.ts";
import { TestNetwork } from "./helpers/test_network.ts";

type Ask = (g: Global, to: string) => PromiseLike<unknown>;

const uuid = crypto.randomUUID();

/** What a user can ask of another process, and how messages call it. */
const ASKED: Readonly<Record<string, Ask>> = {
  "call f": (g, to) => g.call.f().fg({ to }),
  "schedule f": (g, to) => g.call.f().period({ to, interval: "1h" }),
  "list the tasks": (g, to) => g.getScheduledTasks(to),
  "describe the tasks": (g, to) => g.describeScheduledTasks(to),
  "cancel the task": (g, to) => g.cancelScheduledTaskByUuid(to, uuid),
  "run the function": (g, to) => g.transferAndCall(to, () => 1),
  "run double": (g, to) => g.transferAndCall(to, function double() {}),
};

/** A hub that offers `f`, and a process that asks it. */
async function start(options: GlobalOptions = {}): Promise<{ net: TestNetwork; a: Global }> {
  const net = await TestNetwork.start((callback) => callback("f", () => {}), options);
  return { net, a: await net.join("a") };
}

const fails = (asked: PromiseLike<unknown>, message: string) =>
  assertRejects(() => soon(asked), DaffiError, message);

Deno.test("errors say what was asked when the process is not there, or does not offer it", async () => {
  const { net, a } = await start();
  await using _ = net;
  for (const [verb, ask] of Object.entries(ASKED)) {
    await fails(ask(a, "x"), `Cannot ${verb} on "x": no such process is connected`);
  }
  await fails(a.call.g().period({ to: "hub", interval: "1h" }), 'Cannot schedule g on "hub": ');
  await fails(a.call.g().period({ interval: "1h" }), "Cannot schedule g: no other process offers");
});

Deno.test("errors say what was asked when the controller does not allow it", async () => {
  const { net, a } = await start({ authorize: ({ action }) => action === "join" });
  await using _ = net;
  for (const [verb, ask] of Object.entries(ASKED)) {
    await fails(ask(a, "hub"), `Cannot ${verb} on hub: the controller does not allow it`);
  }
});

Deno.test("errors say what was asked when the process is lost, and when the Global is stopped", async () => {
  for (const [verb, ask] of Object.entries(ASKED)) {
    const { net, a } = await start({
      authorize: ({ action }) => action === "join" || new Promise(() => {}),
    });
    await using _ = net;
    const deed = verb === "call f" ? "call of f" : `request to ${verb}`;
    const lost = assertRejectsLater(
      () => soon(ask(a, "hub")),
      DaffiError,
      `Process hub has left before the ${deed} came`,
    );
    await until(() => a.stats.pendingCalls === 1);
    await net.hub.stop();
    await lost;
    await a.stop();
    await fails(ask(a, "hub"), `Cannot ${verb}`);
  }
});
