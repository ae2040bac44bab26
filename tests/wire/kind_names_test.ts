import { assertEquals } from "@std/assert";
import { Kind } from "../../src/wire/frame.ts";
import { KIND_NAMES, kindName } from "../../src/wire/kind_names.ts";

Deno.test("KIND_NAMES has all kinds by the names that they have in the protocol's document", () => {
  const names = Object.entries(Kind).map(([name, kind]): [number, string] => [
    kind,
    name.replace(/(?<=[a-z])(?=[A-Z])/, "_").toUpperCase(),
  ]);
  assertEquals([...KIND_NAMES], names);
});

Deno.test("kindName() tells the number of what is no kind", () => {
  assertEquals([kindName(Kind.TaskFailed), kindName(0x0f), kindName(0xff)], [
    "TASK_FAILED",
    "0xf",
    "0xff",
  ]);
});
