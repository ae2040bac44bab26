import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Contender } from "../../bench/contender.ts";
import { measure, operationOf } from "../../bench/measure.ts";

function contender(members: Partial<Contender> = {}): Contender {
  return {
    add: (a, b) => Promise.resolve(a + b),
    close: () => Promise.resolve(),
    ...members,
  };
}

Deno.test("operationOf() refuses a system that answers wrong", async () => {
  const wrong = contender({
    add: () => Promise.resolve(4),
    echo: () => Promise.resolve({}),
    echoBytes: () => Promise.resolve(new Uint8Array(1)),
    broadcast: () => Promise.resolve(9),
  });
  for (
    const work of ["sequential", "inflight-64", "object", "bytes-64k", "broadcast-10"] as const
  ) {
    await assertRejects(() => operationOf(wrong, work), Error, "Wrong answer");
  }
});

Deno.test("operationOf() is undefined for what a system cannot do", async () => {
  const poor = contender();
  for (const work of ["object", "bytes-64k", "one-way", "download", "broadcast-10"] as const) {
    assertEquals(await operationOf(poor, work), undefined);
  }
  const small = contender({ maxEchoBytes: 2 ** 20, echoBytes: (bytes) => Promise.resolve(bytes) });
  assert(await operationOf(small, "bytes-1m") !== undefined);
  assertEquals(await operationOf(small, "bytes-16m"), undefined);
});

Deno.test("operationOf() keeps as many calls under way as the work says", async () => {
  let underWay = 0;
  let most = 0;
  const counting = contender({
    async add(a, b) {
      most = Math.max(most, ++underWay);
      await Promise.resolve();
      underWay--;
      return a + b;
    },
  });
  const operation = await operationOf(counting, "inflight-512");
  assert(operation !== undefined && "burst" in operation);
  await operation.burst(2000);
  assertEquals(most, 512);
});

Deno.test("measure() counts every operation, and those of the warm-up", async () => {
  let calls = 0;
  const call = () => Promise.resolve(calls++);
  const timed = await measure({ call }, 1);
  assertEquals(timed.operations, calls);
  assert(timed.figures.p50Us! <= timed.figures.p99Us!);

  let done = 0;
  const burst = (count: number) => Promise.resolve(done += count);
  const { operations, figures } = await measure({ burst, bytesEach: 2 ** 20 }, 1);
  assertEquals(operations, done);
  assertEquals(Object.keys(figures), ["mebibytesPerSecond"]);
});
