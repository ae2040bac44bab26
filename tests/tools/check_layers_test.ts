import { assertEquals } from "@std/assert";
import { dirname, fromFileUrl, join } from "@std/path";
import { ALLOWED, checkLayers, MAX_LINES, type Violation } from "../../tools/check_layers.ts";

const TOOL = fromFileUrl(import.meta.resolve("../../tools/check_layers.ts"));

/** A project in which every import runs the right way. */
const SOUND: Record<string, string> = {
  "deno.json": "{}",
  "mod.ts": 'export { g } from "./src/full_global.ts";\n',
  "src/full_global.ts": 'export { g } from "./global.ts";\n',
  "src/global.ts": 'import "./runtime.ts";\nexport const g = 1;\n',
  "src/full_runtime.ts": 'import "./controller/controller.ts";\nimport "./runtime.ts";\n',
  "src/runtime.ts": 'import "./node/node.ts";\n',
  "src/controller/controller.ts": 'import "../link/link.ts";\n',
  "src/node/node.ts": 'import "../link/link.ts";\nimport "./caller.ts";\n',
  "src/node/caller.ts": 'import "../errors.ts";\n',
  "src/link/link.ts": 'import "../wire/frame.ts";\nimport "../transport/tcp.ts";\n',
  "src/wire/frame.ts": "export interface Frame {\n  kind: string;\n}\n",
  "src/transport/tcp.ts": "export {};\n",
  "src/errors.ts": 'import "./internal/duration.ts";\n',
  "src/internal/duration.ts": "export {};\n",
};

/** Runs with the directory of such a project, some files of it replaced or added. */
async function withProject<T>(
  files: Record<string, string>,
  run: (root: string) => Promise<T>,
): Promise<T> {
  const root = await Deno.makeTempDir({ prefix: "layers " });
  try {
    for (const [file, text] of Object.entries({ ...SOUND, ...files })) {
      await Deno.mkdir(join(root, dirname(file)), { recursive: true });
      await Deno.writeTextFile(join(root, file), text);
    }
    return await run(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

function check(files: Record<string, string>): Promise<Violation[]> {
  return withProject(files, checkLayers);
}

Deno.test("checkLayers() finds nothing when every import runs the right way", async () => {
  assertEquals(await check({}), []);
});

Deno.test("checkLayers() names file and line when an import runs upwards", async () => {
  assertEquals(await check({ "src/wire/frame.ts": '\nimport "../link/link.ts";\n' }), [{
    file: "src/wire/frame.ts",
    line: 2,
    text: '"wire" may not import "link" (src/link/link.ts)',
  }]);
});

Deno.test("checkLayers() sees each form of import", async () => {
  const forms = [
    'import type { C } from "../controller/controller.ts";',
    'import { type C } from "../controller/controller.ts";',
    'export * from "../controller/controller.ts";',
    'export type C = import("../controller/controller.ts").C;',
    'await import("../controller/controller.ts");',
  ];
  for (const form of forms) {
    assertEquals(await check({ "src/node/caller.ts": `${form}\nexport {};\n` }), [{
      file: "src/node/caller.ts",
      line: 1,
      text: '"node" may not import "controller" (src/controller/controller.ts)',
    }]);
  }
});

Deno.test("checkLayers() reads a file that nothing imports", async () => {
  const violations = await check({ "src/transfer/sandbox_main.ts": 'import "../global.ts";\n' });
  assertEquals(violations.map(({ file }) => file), ["src/transfer/sandbox_main.ts"]);
});

Deno.test("checkLayers() refuses an import from outside the sources and of mod.ts", async () => {
  const violations = await check({
    "tests/helper.ts": "export {};\n",
    "src/errors.ts": 'import "../tests/helper.ts";\nimport "../mod.ts";\n',
  });
  assertEquals(violations.map(({ text }) => text), [
    '"errors.ts" may not import "tests" (tests/helper.ts)',
    '"errors.ts" may not import "mod.ts" (mod.ts)',
  ]);
});

Deno.test("checkLayers() refuses a room that is not in the table", async () => {
  assertEquals(await check({ "src/attic/old.ts": 'import "../errors.ts";\n' }), [{
    file: "src/attic/old.ts",
    line: 1,
    text: 'the room "attic" is not in the table of allowed imports',
  }]);
});

Deno.test("checkLayers() refuses a file that is too long", async () => {
  assertEquals(await check({ "src/errors.ts": "\n".repeat(MAX_LINES) }), []);
  assertEquals(await check({ "src/errors.ts": "\n".repeat(MAX_LINES + 1) }), [{
    file: "src/errors.ts",
    line: MAX_LINES + 1,
    text: `${MAX_LINES + 1} lines; split the file, or list it with a reason in LONG_FILES`,
  }]);
});

Deno.test("ALLOWED names no room that is not itself in the table", () => {
  const rooms = Object.keys(ALLOWED);
  assertEquals(Object.values(ALLOWED).flat().filter((room) => !rooms.includes(room)), []);
});

Deno.test("check_layers ends with 1 and names the place when an import is wrong", async () => {
  const wrong = { "src/node/node.ts": 'import "../controller/controller.ts";\n' };
  const { code, stderr } = await withProject(wrong, (root) => runTool(root));
  assertEquals(code, 1);
  assertEquals(
    stderr,
    'src/node/node.ts:1: "node" may not import "controller" (src/controller/controller.ts)\n',
  );
});

Deno.test("check_layers ends with 0 when every import is right", async () => {
  const { code, stderr } = await withProject({}, (root) => runTool(root));
  assertEquals([code, stderr], [0, ""]);
});

async function runTool(root: string): Promise<{ code: number; stderr: string }> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", TOOL, root],
    env: { NO_COLOR: "1" },
  }).output();
  return { code, stderr: new TextDecoder().decode(stderr).replaceAll("\r\n", "\n") };
}
