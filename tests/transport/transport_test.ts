import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { memoryPipe } from "../../src/transport/memory.ts";
import { acceptFrom, type ByteStream } from "../../src/transport/transport.ts";
import { FakeTime } from "../helpers/fake_time.ts";

Deno.test("acceptFrom() goes on after an accept() that failed, and not at once", async () => {
  using time = new FakeTime();
  const [stream] = memoryPipe();
  let attempts = 0;
  const told: string[] = [];
  const accepting = acceptFrom(
    {
      accept(): Promise<ByteStream> {
        return ++attempts < 3
          ? Promise.reject(new Error("too many files"))
          : Promise.resolve(stream);
      },
    },
    () => false,
    ({ message }) => told.push(message),
  );
  await time.runMicrotasks();
  assertEquals([attempts, told], [1, ["too many files"]]);
  await time.tickAsync(100);
  assertStrictEquals(await accepting, stream);
  assertEquals([attempts, time.pending, told.length], [3, 0, 1]);
});

Deno.test("acceptFrom() gives null when its listener was closed, and asks no more", async () => {
  using time = new FakeTime();
  let closed = false;
  let attempts = 0;
  const pending = Promise.withResolvers<ByteStream>();
  const accepting = acceptFrom({
    accept(): Promise<ByteStream> {
      attempts++;
      return pending.promise;
    },
  }, () => closed);
  closed = true;
  pending.reject(new Error("closed"));
  await time.tickAsync(100);
  assertEquals(await accepting, null);
  assertEquals([attempts, time.pending], [1, 0]);
});

Deno.test("memoryPipe() copies what is written, so that a buffer may be used again", async () => {
  const [a, b] = memoryPipe();
  const bytes = Uint8Array.of(1, 2);
  const into = new Uint8Array(2);
  await Promise.all([a.write(bytes), b.read(into)]);
  bytes.fill(9);
  assertEquals([...into], [1, 2]);
});

Deno.test("memoryPipe() holds a write back until somebody reads", async () => {
  const [a, b] = memoryPipe();
  let written = 0;
  const writing = a.write(Uint8Array.of(1, 2, 3)).then((count) => written = count);
  await new Promise((resolve) => setTimeout(resolve, 0)); // nothing may happen
  assertEquals(written, 0);
  await b.read(new Uint8Array(2));
  await writing;
  assertEquals(written, 2);
});

Deno.test("memoryPipe() rejects what is read after the own end, also if the other side has closed since", async () => {
  const [a, b] = memoryPipe();
  a.close();
  b.close();
  for (const end of [a, b]) {
    await assertRejects(() => end.write(new Uint8Array(1)), Error, "closed");
  }
  await assertRejects(() => a.read(new Uint8Array(1)), Error, "closed");
});
