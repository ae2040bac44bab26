import { assert, assertEquals } from "@std/assert";

const root = new URL("../../", import.meta.url);

/** Has `deno check` look at a program. */
async function check(body: string): Promise<{ ok: boolean; said: string }> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      file,
      `import type { CallbacksOf, Global } from "${new URL("mod.ts", root)}";
import type * as calculator from "${new URL("tests/types/calculator.ts", root)}";
export async function program(g: Global<CallbacksOf<typeof calculator>>): Promise<void> {
  ${body}
}
`,
    );
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--config", new URL("deno.json", root).pathname, file],
      env: { NO_COLOR: "1" },
    }).output();
    return { ok: success, said: new TextDecoder().decode(stderr) };
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("deno check accepts a right call", async () => {
  const { ok, said } = await check("const sum: number = await g.call.add(1, 2); sum.toFixed();");
  assert(ok, said);
});

Deno.test("deno check refuses wrong calls, and says where", async () => {
  const wrong = {
    'await g.call.add(1, "2");': "not assignable",
    "const text: string = await g.call.add(1, 2); text.trim();": "not assignable",
    "await g.call.substract(1, 2);": "does not exist",
  };
  for (const [body, reason] of Object.entries(wrong)) {
    const { ok, said } = await check(body);
    assertEquals(ok, false, body);
    assert(said.includes(reason), said);
  }
});
