import { assertEquals, assertStrictEquals } from "@std/assert";
import { Arrivals } from "../../src/transport/arrivals.ts";
import { FakeStream } from "../link/fake_stream.ts";

Deno.test("Arrivals gives connections in the order in which they came, also to who waits", async () => {
  const arrivals = new Arrivals();
  const streams = [new FakeStream(), new FakeStream(), new FakeStream()];
  const first = arrivals.next();
  for (const stream of streams) arrivals.add(stream);
  assertStrictEquals(await first, streams[0]);
  assertStrictEquals(await arrivals.next(), streams[1]);
  assertStrictEquals(await arrivals.next(), streams[2]);
  assertEquals(streams.map(({ closes }) => closes), [0, 0, 0]);
});

Deno.test("Arrivals.close() ends who waits, what waits, and what comes later", async () => {
  const arrivals = new Arrivals();
  const [taken, waiting, late] = [new FakeStream(), new FakeStream(), new FakeStream()];
  arrivals.add(taken);
  await arrivals.next();
  const pending = arrivals.next();
  arrivals.close();
  assertEquals(await pending, null);

  const others = new Arrivals();
  others.add(waiting);
  others.close();
  others.close();
  others.add(late);
  assertEquals(await others.next(), null);
  assertEquals([taken, waiting, late].map(({ closes }) => closes), [0, 1, 1]);
});
