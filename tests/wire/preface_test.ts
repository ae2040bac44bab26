import { assertEquals, assertThrows } from "@std/assert";
import { ProtocolError } from "../../src/errors.ts";
import { checkPreface, PREFACE, PREFACE_BYTES } from "../../src/wire/preface.ts";
import { toHex } from "./helpers.ts";

Deno.test("PREFACE is DAFFI, a zero byte and the version", () => {
  assertEquals(toHex(PREFACE), "44414646490000" + "01");
  assertEquals(PREFACE_BYTES, 8);
});

Deno.test("checkPreface() takes the preface and every beginning of it", () => {
  for (let length = 0; length <= PREFACE_BYTES; length++) checkPreface(PREFACE.slice(0, length));
  checkPreface(Uint8Array.of(...PREFACE, 1, 2, 3));
});

Deno.test("checkPreface() refuses the first byte that differs, wherever it is", () => {
  for (let at = 0; at < PREFACE_BYTES; at++) {
    const bytes = PREFACE.slice(0, at + 1);
    bytes[at]! ^= 0x20;
    assertThrows(
      () => checkPreface(bytes),
      ProtocolError,
      at < 6 ? "does not speak the daffi protocol" : "does not speak version 1",
    );
  }
});

for (const text of ["GET / HTTP/1.1\r\n", "G", "\x16\x03\x01\x02\x00\x01", "daffi\0\0\x01"]) {
  Deno.test(`checkPreface() refuses ${JSON.stringify(text)}`, () => {
    assertThrows(() => checkPreface(new TextEncoder().encode(text)), ProtocolError);
  });
}
