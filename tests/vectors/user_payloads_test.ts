import { assertEquals } from "@std/assert";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { frame, Kind } from "../../src/wire/frame.ts";
import { assertSame, fromHex, toHex } from "../wire/helpers.ts";
import { USER_PAYLOADS } from "./user_payloads.ts";

for (const [name, value, hex] of USER_PAYLOADS) {
  Deno.test(`MessagePackCodec writes and reads the bytes of the document for ${name}`, () => {
    const codec = new MessagePackCodec();
    assertEquals(toHex(codec.encode(value, "args")), hex.replaceAll(" ", ""));
    assertSame(codec.decode(fromHex(hex)), value);
  });
}

Deno.test("MessagePackCodec writes and reads the bytes of the document for a stream", () => {
  const codec = new MessagePackCodec();
  const stream = (async function* () {})();
  assertEquals(toHex(codec.encode([stream], "args", { addStream: () => 0x0102 })), "91d5090102");
  const numbers: number[] = [];
  codec.decodePayload(frame(Kind.Call, { payload: fromHex("91 d5 09 0102") }), (number) => {
    numbers.push(number);
    return stream;
  });
  assertEquals(numbers, [0x0102]);
});
