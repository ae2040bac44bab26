import { assertEquals, assertRejects } from "@std/assert";
import { BroadcastError, EncodeError } from "../../mod.ts";
import { joinHere, overBoth, startController, startNode } from "./network.ts";

const SMALL = 64 * 1024;
const TOO_LARGE = 200_000;

overBoth(
  "arguments over the controller's `maxFrameBytes` fail before they are sent",
  async (place) => {
    await using _there = await startNode(place, "there", {
      initController: true,
      maxFrameBytes: SMALL,
    });
    let disconnects = 0;
    await using here = await joinHere(place, { onNodeDisconnect: () => void disconnects++ });
    const { call } = here.g;
    await here.g.waitProcess("there");

    const error = await assertRejects(
      () => call.echo(new Uint8Array(TOO_LARGE)).fg({ timeout: "10s" }),
      EncodeError,
    );
    assertEquals([error.executed, error.callbackName], ["never", "echo"]);
    assertEquals(await call.add(1, 2), 3);
    assertEquals(disconnects, 0);
  },
);

overBoth(
  "arguments over the callee's `maxFrameBytes` fail and it stays connected",
  async (place) => {
    await using _controller = await startController(place);
    await using _there = await startNode(place, "there", { maxFrameBytes: SMALL });
    await using here = await joinHere(place);
    const { call } = here.g;
    await here.g.waitProcess("there");

    const big = new Uint8Array(TOO_LARGE);
    const error = await assertRejects(() => call.echo(big).fg({ timeout: "10s" }), EncodeError);
    assertEquals([error.executed, error.processName], ["never", "there"]);
    const broadcast = await assertRejects(
      () => call.echo(big).broadcast({ returnResult: true, timeout: "10s" }),
      BroadcastError,
    );
    assertEquals(broadcast.errors.there?.name, "EncodeError");
    assertEquals(await call.add(1, 2), 3);
  },
);

overBoth("a result over the controller's `maxFrameBytes` is an `EncodeError`", async (place) => {
  await using here = await joinHere(place, { initController: true, maxFrameBytes: SMALL });
  await using _there = await startNode(place, "there");
  const { call } = here.g;
  await here.g.waitProcess("there");

  const error = await assertRejects(
    () => call.bytes(TOO_LARGE).fg({ timeout: "10s" }),
    EncodeError,
  );
  assertEquals([error.executed, error.processName], ["yes", "there"]);
  assertEquals(await call.add(1, 2), 3);
});

overBoth("a result over the caller's `maxFrameBytes` is an `EncodeError`", async (place) => {
  await using _controller = await startController(place);
  await using _there = await startNode(place, "there");
  await using here = await joinHere(place, { maxFrameBytes: SMALL });
  const { call } = here.g;
  await here.g.waitProcess("there");

  const error = await assertRejects(
    () => call.bytes(TOO_LARGE).fg({ timeout: "10s" }),
    EncodeError,
  );
  assertEquals([error.executed, error.processName], ["yes", "there"]);
  assertEquals(await call.add(1, 2), 3);
});

overBoth("a stream's item over the caller's `maxFrameBytes` ends the stream", async (place) => {
  await using _controller = await startController(place);
  await using _there = await startNode(place, "there");
  await using here = await joinHere(place, { maxFrameBytes: SMALL });
  const { call } = here.g;
  await here.g.waitProcess("there");

  const lengths: number[] = [];
  await assertRejects(async () => {
    for await (const item of await call.chunks([10, TOO_LARGE, 20]).fg({ timeout: "10s" })) {
      lengths.push(item.length);
    }
  }, EncodeError);
  assertEquals(lengths, [10]);
  assertEquals(await call.add(1, 2), 3);
});
