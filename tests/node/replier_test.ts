import { assertEquals, assertRejects } from "@std/assert";
import { ExtData } from "@msgpack/msgpack";
import { CallCancelledError } from "../../mod.ts";
import { Kind } from "../../src/wire/frame.ts";
import { settled, soon } from "../helpers/soon.ts";
import { AnsweringRig } from "./answering_rig.ts";

Deno.test("a stream that a callback gives when its call was cancelled is closed, and nothing is sent of it", async () => {
  const ready = Promise.withResolvers<void>();
  let closed = 0;
  const source = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: false, value: 1 }),
      return: () => Promise.resolve({ done: true, value: ++closed }),
    }),
  };
  const rig = new AnsweringRig(async () => {
    await ready.promise;
    return source;
  });
  rig.call();
  rig.say(Kind.Cancel);
  ready.resolve();
  await settled();
  assertEquals([closed, rig.wire.told], [1, []]);
  assertEquals(rig.dispatcher.counts.runningCalls, 0);
});

Deno.test("an argument that is read behind the end of a stream ends with it, here and there", async () => {
  let read: Promise<unknown> | undefined;
  const rig = new AnsweringRig(function* (items: AsyncIterator<unknown>) {
    read = items.next();
    read.catch(() => {});
    yield 1;
  });
  rig.call(new ExtData(9, new Uint8Array([0, 1]))); // the stream of number 1
  rig.say(Kind.Credit, { value: 10 });
  await settled();
  const end = "streams of its arguments end with it";
  await assertRejects(() => soon(read!), CallCancelledError, end);
  assertEquals(rig.wire.told, ["STREAM 2 1", "CREDIT 2 1", "ITEM 2 1", "END 2 1", "STOP 2 1"]);
  assertEquals(rig.dispatcher.counts.runningCalls, 0);
});

Deno.test("a call whose answer finds no room has run", () => {
  const rig = new AnsweringRig(() => "x".repeat(5_000));
  rig.outbox.hasRoom = () => false;
  rig.call();
  assertEquals(rig.failures, [[1, "OVERLOADED", "yes"]]);
});
