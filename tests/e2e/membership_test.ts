import { assertEquals, assertRejects } from "@std/assert";
import { CallbackRegistry, DuplicateProcessError, Global } from "../../mod.ts";
import { Program } from "../helpers/processes.ts";
import { within } from "../helpers/soon.ts";
import { View } from "./fixtures/view.ts";
import {
  joinHere,
  overAll,
  overBoth,
  type Place,
  QUICK,
  startController,
  startNode,
} from "./network.ts";

const CROWD = new URL("./fixtures/crowd.ts", import.meta.url);

function startCrowd(place: Place, names: string[]): Program {
  return new Program(CROWD, { names, reconnect: QUICK, ...place.options });
}

function namesOf(group: string): string[] {
  return Array.from({ length: 5 }, (_, i) => `${group}${i}`);
}

overAll("every view converges when many processes join and leave", async (place) => {
  await using _controller = await startController(place);
  const view = new View();
  const callbacks = new CallbackRegistry();
  callbacks.callback("only observer", () => "observer");
  await using observer = await joinHere(place, {
    processName: "observer",
    callbacks,
    ...view.hooks,
  });
  view.watch(observer.g);

  /** Asks each of them whether it sees all of them. */
  const converged = async (names: string[]) => {
    const all = [...names, "observer"];
    assertEquals(await within("the observer's view", view.until(all)), []);
    for (const name of names) {
      assertEquals(
        await observer.g.call.agrees(all).fg({ to: name, timeout: "20s" }),
        [],
        `the view of ${name}`,
      );
    }
  };

  await using crowds = new AsyncDisposableStack();
  const [a, b, c, d] = ["a", "b", "c", "d"].map((group) =>
    crowds.use(startCrowd(place, namesOf(group)))
  );
  await converged(["a", "b", "c", "d"].flatMap(namesOf));

  b!.signal("SIGKILL");
  const cEnds = c!.endGracefully();
  await converged(["a", "d"].flatMap(namesOf));
  await cEnds;

  crowds.use(startCrowd(place, namesOf("b")));
  crowds.use(startCrowd(place, namesOf("e")));
  const aEnds = a!.endGracefully();
  await converged(["b", "d", "e"].flatMap(namesOf));
  await Promise.all([aEnds, d!.endGracefully(), b!.ended()]);
  await converged(["b", "e"].flatMap(namesOf));
});

overBoth("a callback is known before what its process does after offering it", async (place) => {
  await using _controller = await startController(place);
  await using _there = await startNode(place, "there");
  await using here = await joinHere(place);
  const { call } = here.g;
  await here.g.waitProcess("there");
  const seen: boolean[] = [];
  const offered = () => here.g.registeredCallbacks.there!.includes("late");

  for (let round = 0; round < 20; round++) {
    await call.offerMore("late");
    seen.push(offered());
    assertEquals(await call.late(), "late");
    await call.withdraw("late");
    seen.push(offered());
    await assertRejects(() => call.late().fg());
  }
  assertEquals(seen, Array(20).fill([true, false]).flat());
});

overBoth("`waitFunction()` resolves when the callback is offered later", async (place) => {
  await using _there = await startNode(place, "there", { initController: true });
  await using here = await joinHere(place);
  await here.g.waitProcess("there");
  const wait = here.g.waitFunction("late", { timeout: "20s" });
  await here.g.call.offerMore("late");
  await wait;
  assertEquals(await here.g.call.late(), "late");
});

overBoth("a process whose name is taken is refused and the first one stays", async (place) => {
  await using _controller = await startController(place);
  await using there = await startNode(place, "there");
  await using here = await joinHere(place);
  await here.g.waitProcess("there");

  const impostor = new Global({
    processName: "there",
    logger: { warn() {}, error() {} },
    ...place.options,
  });
  await using _stop = impostor;
  await assertRejects(() => impostor.ready, DuplicateProcessError);
  assertEquals(await here.g.call.add(1, 2).fg({ to: "there" }), 3);

  await there.kill();
  await using successor = await startNode(place, "there");
  await here.g.waitProcess("there");
  assertEquals(await here.g.call.add(1, 2).fg({ to: "there" }), 3);
  await successor.endGracefully();
});
