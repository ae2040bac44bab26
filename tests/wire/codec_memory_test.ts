import { assertEquals } from "@std/assert";
import { collectGarbage } from "../helpers/garbage.ts";
import { until } from "../helpers/soon.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import type { AttachmentTaker } from "../../src/wire/codec.ts";
import { frame, Kind } from "../../src/wire/frame.ts";
import { largePayloads } from "../../src/wire/large_payloads.ts";

const SIZE = 1 << 20;

async function isCollected(made: WeakRef<object>): Promise<void> {
  await until(() => {
    collectGarbage();
    return made.deref() === undefined;
  });
}

Deno.test("a codec keeps nothing of a value that it has encoded", async () => {
  const codec = new MessagePackCodec(largePayloads);
  const encode = () => {
    const value = new Uint8Array(SIZE);
    const taker: AttachmentTaker = { attachments: undefined };
    codec.encode([value], "args", { addStream: () => value.length }, taker);
    assertEquals(taker.attachments?.length, 1);
    return new WeakRef(value);
  };
  await isCollected(encode());
  assertEquals(codec.encode(1, "args"), new Uint8Array([1]));
});

for (const [how, valid] of [["has", true], ["could not have", false]] as const) {
  Deno.test(`a codec keeps nothing large of what it ${how} decoded`, async () => {
    const codec = new MessagePackCodec(largePayloads);
    const payload = (value: unknown) => {
      const bytes = codec.encode(value, "result").slice();
      return valid ? bytes : bytes.subarray(0, -1);
    };
    const decode = (read: () => unknown) => {
      try {
        read();
      } catch {
        // as it should where it is not valid
      }
    };
    const whole = () => {
      const bytes = payload("x".repeat(SIZE));
      decode(() => codec.decode(bytes));
      return new WeakRef(bytes.buffer);
    };
    const attached = () => {
      const bytes = new Uint8Array(SIZE);
      const attachments = [{ at: 0, bytes }];
      const fields = { payload: payload([1, 2]), attachments };
      decode(() => codec.decodePayload(frame(Kind.Result, fields)));
      return new WeakRef(bytes);
    };
    await isCollected(whole());
    await isCollected(attached());
    assertEquals(codec.decode(new Uint8Array([1])), 1);
  });
}
