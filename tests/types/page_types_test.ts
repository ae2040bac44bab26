import { assert } from "@std/assert";

const root = new URL("../../", import.meta.url);

Deno.test("deno check accepts @daffi/core/browser where there are the types of a page alone", async () => {
  const { compilerOptions, ...config } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", root)),
  );
  const lib = ["esnext", "dom", "dom.iterable", "dom.asynciterable"];
  const links = config.links.map((link: string) => new URL(link, root).pathname);
  const directory = await Deno.makeTempDir();
  try {
    const file = `${directory}/deno.json`;
    const pageConfig = { compilerOptions: { ...compilerOptions, lib }, imports: config.imports };
    await Deno.writeTextFile(file, JSON.stringify({ ...pageConfig, links, lock: false }));
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--config", file, new URL("browser.ts", root).pathname],
      env: { NO_COLOR: "1" },
    }).output();
    assert(success, new TextDecoder().decode(stderr));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
