import { assertEquals, assertRejects } from "@std/assert";
import { type DaffiError, PeerLostError } from "../../../mod.ts";
import { later, within } from "../../helpers/soon.ts";
import { joinHere, overBoth, startNode } from "../network.ts";

/** So that a test need not wait for as long as it takes by default. */
const heartbeat = { interval: 100, timeout: 3_000 };

overBoth(
  "calls to a frozen process fail, and it is there again when it goes on",
  async (place) => {
    const controller = { initController: true, initNode: false, heartbeat };
    await using _controller = await startNode(place, "controller", controller);
    await using there = await startNode(place, "there", { heartbeat });
    await using other = await startNode(place, "other", { heartbeat });
    await using here = await joinHere(place, { heartbeat });
    const { g } = here;
    await Promise.all([g.waitProcess("there"), g.waitProcess("other")]);

    there.signal("SIGSTOP");
    const pending = later(g.call.add(1, 2).fg({ to: "there" }));
    const broadcast = later(g.call.add(3, 4).broadcast({ returnResult: true }));
    const error = await within("the loss", assertRejects(() => pending, PeerLostError));
    assertEquals([error.processName, error.executed], ["there", "maybe"]);
    const { results, errors } = await assertRejects(() => broadcast) as unknown as {
      results: Record<string, unknown>;
      errors: Record<string, DaffiError>;
    };
    assertEquals(results, { other: 7 });
    assertEquals(Object.entries(errors).map(([name, { code }]) => [name, code]), [
      ["there", "PEER_LOST"],
    ]);
    assertEquals(await g.call.add(5, 6), 11);

    there.signal("SIGCONT");
    await within("the return", g.waitProcess("there"));
    assertEquals(await g.call.add(7, 8).fg({ to: "there" }), 15);
    const invocation = { how: "fg", name: "add", args: [1, 1], options: { to: "other" } };
    assertEquals(await g.call.invoke(invocation).fg({ to: "there" }), { value: 2 });
    await there.endGracefully();
    await other.endGracefully();
  },
  { needsPosix: true },
);

overBoth("calls fail when the controller is frozen, and all come back to it", async (place) => {
  const options = { initController: true, initNode: false, heartbeat };
  await using controller = await startNode(place, "controller", options);
  await using there = await startNode(place, "there", { heartbeat });
  const gone = Promise.withResolvers<void>();
  await using here = await joinHere(place, { heartbeat, onNodeDisconnect: () => gone.resolve() });
  const { g } = here;
  await g.waitProcess("there");

  controller.signal("SIGSTOP");
  const pending = later(g.call.add(1, 2).fg());
  const error = await within("the loss", assertRejects(() => pending, PeerLostError));
  assertEquals(error.executed, "maybe");
  await gone.promise;
  const waiting = later(g.call.add(3, 4).fg()); // waits for the connection
  await there.event("disconnect");

  controller.signal("SIGCONT");
  assertEquals(await within("the answer", waiting), 7);
  await within("the return", g.waitProcess("there"));
  const invocation = { how: "fg", name: "add", args: [5, 6], options: { to: "here" } };
  assertEquals(await g.call.invoke(invocation).fg({ to: "there" }), { value: 11 });
}, { needsPosix: true });

overBoth("a process that is frozen for a moment only is not lost", async (place) => {
  const options = { initController: true, initNode: false };
  await using _controller = await startNode(place, "controller", options);
  await using there = await startNode(place, "there");
  const left: string[] = [];
  await using here = await joinHere(place, { onProcessLeave: (_, name) => void left.push(name) });
  await here.g.waitProcess("there");
  for (let i = 0; i < 5; i++) {
    there.signal("SIGSTOP");
    const pending = later(here.g.call.add(i, 1).fg());
    await here.g.call.unknown().fg({ timeout: 100 }).catch(() => {});
    there.signal("SIGCONT");
    assertEquals(await pending, i + 1);
  }
  assertEquals(left, []);
}, { needsPosix: true });
