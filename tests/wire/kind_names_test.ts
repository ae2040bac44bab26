import { assertEquals } from "@std/assert";
import { Kind } from "../../src/wire/frame.ts";
import { kindName, provideKindNames } from "../../src/wire/kind_name.ts";
import { KIND_NAMES } from "../../src/wire/kind_names.ts";

Deno.test("KIND_NAMES has all kinds by the names that they have in the protocol's document", () => {
  const names = Object.entries(Kind).map(([name, kind]): [number, string] => [
    kind,
    name.replace(/(?<=[a-z])(?=[A-Z])/, "_").toUpperCase(),
  ]);
  assertEquals([...KIND_NAMES], names);
});

Deno.test("kindName() tells the number of what is no kind, and of all where no names are provided", () => {
  provideKindNames(new Map());
  assertEquals(kindName(Kind.Call), "0x10");
  provideKindNames(KIND_NAMES);
  assertEquals([kindName(Kind.TaskFailed), kindName(0x0f), kindName(0xff)], [
    "TASK_FAILED",
    "0xf",
    "0xff",
  ]);
});
