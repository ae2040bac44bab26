import { assert, assertEquals } from "@std/assert";
import { withoutLinks } from "../../tools/without_links.ts";

const CONFIG = await Deno.readTextFile(new URL("../../deno.json", import.meta.url));

Deno.test("withoutLinks() takes out the links and what publishing excepts for them", () => {
  const text = JSON.stringify({
    name: "x",
    links: ["./tools/links/y"],
    imports: { y: "jsr:y@1" },
    publish: { include: ["a"], exclude: ["tools/", "!tools/links/"] },
  });
  assertEquals(JSON.parse(withoutLinks(text)), {
    name: "x",
    imports: { y: "jsr:y@1" },
    publish: { include: ["a"], exclude: ["tools/"] },
  });
});

Deno.test("withoutLinks() leaves nothing of tools/ in the package when given deno.json", () => {
  const { publish } = JSON.parse(withoutLinks(CONFIG));
  assert(publish.exclude.includes("tools/"));
  assertEquals(publish.exclude.filter((pattern: string) => pattern.startsWith("!")), []);
});

Deno.test("withoutLinks() changes nothing when it has run before", () => {
  const once = withoutLinks(CONFIG);
  assertEquals(withoutLinks(once), once);
});
