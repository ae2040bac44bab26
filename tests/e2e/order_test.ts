import { assertEquals } from "@std/assert";
import { later } from "../helpers/soon.ts";
import { joinHere, overAll, overBoth, startController, startNode } from "./network.ts";

const NUMBERED = 10_000;
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

overAll(
  "10,000 calls without answer arrive in order, in both directions at once",
  async (place) => {
    await using _controller = await startController(place);
    await using _there = await startNode(place, "there");
    await using here = await joinHere(place);
    const { call } = here.g;
    await here.g.waitProcess("there");

    const theirs = later(call.sendNumbered("from there", NUMBERED, ["noReturn"]).fg());
    for (let value = 0; value < NUMBERED; value++) {
      call.note({ topic: "from here", value }).noReturn();
    }
    assertEquals(await call.notes("from here", NUMBERED), numbers(NUMBERED));
    assertEquals(await here.notes.until("from there", NUMBERED), numbers(NUMBERED));
    await theirs;
  },
);

overBoth("calls with and without answer keep one order", async (place) => {
  await using _controller = await startController(place);
  await using _there = await startNode(place, "there");
  await using here = await joinHere(place);
  await here.g.waitProcess("there");

  const kinds = ["noReturn", "fg", "bg", "fg", "noReturn", "broadcast", "noReturn", "bg"];
  await here.g.call.sendNumbered("mixed", NUMBERED, kinds);
  assertEquals(await here.notes.until("mixed", NUMBERED), numbers(NUMBERED));
});

overAll("calls of mixed sizes keep their order", async (place) => {
  await using _controller = await startController(place);
  await using _there = await startNode(place, "there");
  await using here = await joinHere(place);
  await here.g.waitProcess("there");

  // Small ones are copied into a buffer, large ones travel by themselves, and all of them together
  // are more than may wait for one connection.
  const count = 400;
  const calls: Promise<void>[] = [];
  for (let value = 0; value < count; value++) {
    const padding = new Uint8Array(value % 3 === 0 ? 200_000 : 10);
    const call = here.g.call.note({ topic: "sizes", value, padding });
    if (value % 5 === 0) calls.push(call.broadcast());
    else if (value % 5 === 1) calls.push(call.broadcast({ returnResult: true }));
    else if (value % 5 === 2) calls.push(call.fg());
    else calls.push(call.noReturn());
  }
  assertEquals(await here.g.call.notes("sizes", count), numbers(count));
  await Promise.all(calls);
});

overBoth("each of several callers' calls keep their order", async (place) => {
  await using here = await joinHere(place, { initController: true });
  await using programs = new AsyncDisposableStack();
  const names = ["one", "two", "three"];
  for (const name of names) programs.use(await startNode(place, name));
  await Promise.all(names.map((name) => here.g.waitProcess(name)));

  const count = 3_000;
  await Promise.all(
    names.map((to) =>
      here.g.call.sendNumbered(`from ${to}`, count, ["noReturn", "fg"], "here").fg({ to })
    ),
  );
  for (const name of names) {
    assertEquals(await here.notes.until(`from ${name}`, count), numbers(count));
  }
});
