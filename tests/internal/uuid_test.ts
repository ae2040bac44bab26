import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { Global } from "../../mod.ts";
import { isUuid, makeUuid } from "../../src/internal/uuid.ts";
import { uuid } from "../scheduler/rig.ts";

const VERSION_4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

Deno.test("makeUuid() makes UUIDs of version 4, each another one", () => {
  const made = Array.from({ length: 1000 }, makeUuid);
  for (const one of made) assertMatch(one, VERSION_4);
  assertEquals(new Set(made).size, made.length);
  for (const digit of "0123456789abcdef") assert(made.some((one) => one.endsWith(digit)));
});

Deno.test("a Global needs no crypto.randomUUID, which pages that came by http: do not have", async () => {
  const { randomUUID } = crypto;
  Object.defineProperty(crypto, "randomUUID", { value: undefined, configurable: true });
  try {
    await using hub = new Global({ initController: true, host: "localhost" });
    await hub.ready;
    await using g = new Global({ host: "localhost", port: hub.port! });
    await g.ready;
    assertMatch(g.call.f().bg().uuid, VERSION_4);
    assertMatch(g.processName.replace("process-", ""), VERSION_4);
  } finally {
    Object.defineProperty(crypto, "randomUUID", { value: randomUUID, configurable: true });
  }
});

Deno.test("isUuid() tells UUIDs from anything else", () => {
  fc.assert(fc.property(fc.uuid(), (text) => isUuid(text) && isUuid(text.toUpperCase())));
  for (const bad of ["", uuid(1).slice(1), uuid(1).replaceAll("-", ""), 5, null, undefined, {}]) {
    assertEquals(isUuid(bad), false);
  }
});
