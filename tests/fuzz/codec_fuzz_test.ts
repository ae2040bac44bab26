import { assertStrictEquals } from "@std/assert";
import fc from "fast-check";
import { ProtocolError } from "../../src/errors.ts";
import { MessagePackCodec } from "../../src/wire/codec.ts";
import { anyValue } from "../wire/helpers.ts";
import { mutated } from "./mutated.ts";

const codec = new MessagePackCodec();

/** Anything but a value or a `ProtocolError` is a defect, and so is a codec that works no more. */
function survives(bytes: Uint8Array): void {
  try {
    codec.decode(bytes);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
  }
  assertStrictEquals((codec.decode(codec.encode(["ok"], "args")) as unknown[])[0], "ok");
  assertStrictEquals(Object.keys(Object.prototype).length, 0);
}

Deno.test("MessagePackCodec.decode() gives a value or a ProtocolError for any bytes", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), survives), { numRuns: 3000 });
});

Deno.test("MessagePackCodec.decode() gives a value or a ProtocolError for heads of every type", () => {
  const head = fc.constantFrom(0xc7, 0xc8, 0xc9, 0xd4, 0xd5, 0xd6, 0xd8, 0x91, 0x81, 0xdc, 0xdf);
  const small = fc.integer({ min: 0, max: 12 });
  const pieces = fc.array(fc.oneof(head, small, small, fc.integer({ min: 0, max: 255 })));
  fc.assert(fc.property(pieces, (bytes) => survives(Uint8Array.from(bytes))), { numRuns: 5000 });
});

Deno.test("MessagePackCodec.decode() gives a value or a ProtocolError for mutated payloads", () => {
  const payload = anyValue.map((value) => codec.encode(value, "args").slice());
  fc.assert(fc.property(mutated(payload), survives), { numRuns: 2000 });
});
