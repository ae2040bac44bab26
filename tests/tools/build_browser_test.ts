import { assertEquals } from "@std/assert";
import { INTERNAL_NAMES } from "../../tools/build_browser.ts";

/** All names in a documentation, of whatever. */
function namesIn(node: unknown, names: Set<string> = new Set()): Set<string> {
  if (typeof node !== "object" || node === null) return names;
  for (const [key, value] of Object.entries(node)) {
    if (key === "name" && typeof value === "string") names.add(value);
    namesIn(value, names);
  }
  return names;
}

Deno.test("the names that the bundle for pages shortens are in no public interface", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", "browser.ts"],
    stdin: "null",
    stderr: "null",
  }).output();
  const names = namesIn(JSON.parse(new TextDecoder().decode(stdout)));
  assertEquals([names.has("waitProcess"), names.has("callbackName")], [true, true]);
  assertEquals(INTERNAL_NAMES.filter((name) => names.has(name)), []);
});
