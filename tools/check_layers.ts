/**
 * Fails, naming file and line, on an import that runs against the architecture, and on a file of
 * `src/` that is too long.
 *
 * ```sh
 * deno run -A tools/check_layers.ts [directory of mod.ts]
 * ```
 *
 * @module
 */
import { dirname, fromFileUrl, join, toFileUrl } from "@std/path";

/** Importable by every room; they import nothing but each other. */
const GROUND = ["errors.ts", "internal"];
/** What carries bytes and values. */
const BOTTOM = [...GROUND, "wire", "transport"];
/** What runs things in a process. */
const MIDDLE = ["scheduler", "transfer", "registry"];
/** The files around `global.ts` that make up the public interface. */
const SURFACE = [
  "options.ts",
  "resolve_options.ts",
  "resolve_security.ts",
  "resolve_address.ts",
  "message_address.ts",
  "callback.ts",
  "modifiers.ts",
  "remote_call.ts",
  "remote_types.ts",
  "result_iterator.ts",
  "async_result.ts",
  "wait_options.ts",
  "stop_options.ts",
  "call_options.ts",
  "gated_calls.ts",
  "hooks.ts",
  "period_options.ts",
  "scheduled_task.ts",
  "task_client.ts",
  "transfer_client.ts",
  "runtime.ts",
  "parts.ts",
  "stats.ts",
];

/**
 * What each room may import besides itself. A room is `mod.ts`, `browser.ts`, a file at the top of
 * `src/`, or a folder in it. `import type` counts like any other import.
 */
export const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  "mod.ts": ["full_global.ts", ...SURFACE, ...MIDDLE, ...GROUND],
  "browser.ts": ["global.ts", ...SURFACE, ...MIDDLE, ...GROUND],

  "full_global.ts": [
    "full_runtime.ts",
    "global.ts",
    "parts.ts",
    "remote_call.ts",
    "resolve_address.ts",
    "resolve_security.ts",
    "node",
    ...MIDDLE,
    ...BOTTOM,
  ],
  "global.ts": [...SURFACE, ...MIDDLE, ...GROUND],
  "full_runtime.ts": [...SURFACE, "controller", "node", "link", ...BOTTOM],
  "runtime.ts": [...SURFACE, "node", "link", ...MIDDLE, ...BOTTOM],
  "parts.ts": [
    "options.ts",
    "message_address.ts",
    "resolve_options.ts",
    "resolve_security.ts",
    "runtime.ts",
    "node",
    ...MIDDLE,
    ...BOTTOM,
  ],
  "stats.ts": [],
  "task_client.ts": [
    "node",
    "modifiers.ts",
    "period_options.ts",
    "scheduled_task.ts",
    ...MIDDLE,
    ...BOTTOM,
  ],
  "transfer_client.ts": ["node", ...MIDDLE, ...BOTTOM],
  "period_options.ts": ["modifiers.ts", ...MIDDLE, ...GROUND],
  "scheduled_task.ts": [],
  "options.ts": ["global.ts", ...MIDDLE, ...GROUND], // the type of what users get back, which is above it
  "resolve_options.ts": [
    "parts.ts",
    "options.ts",
    "resolve_security.ts",
    "callback.ts",
    "link",
    ...MIDDLE,
    ...BOTTOM,
  ],
  "resolve_address.ts": ["options.ts", "message_address.ts", ...BOTTOM],
  "message_address.ts": ["options.ts", ...BOTTOM],
  "resolve_security.ts": ["options.ts", ...BOTTOM],
  "callback.ts": ["registry", "remote_types.ts", "global.ts", ...GROUND], // the same
  "gated_calls.ts": ["remote_call.ts", "wire", ...GROUND],
  "hooks.ts": ["resolve_options.ts", "scheduler", "wire", ...GROUND],
  "result_iterator.ts": ["wire", ...GROUND],
  "remote_call.ts": [
    "modifiers.ts",
    "result_iterator.ts",
    "call_options.ts",
    "async_result.ts",
    "remote_types.ts",
    "scheduled_task.ts",
    "wire",
    ...GROUND,
  ],
  "remote_types.ts": ["async_result.ts", "modifiers.ts", "scheduled_task.ts", "registry"],
  "call_options.ts": ["modifiers.ts", ...GROUND],
  "async_result.ts": ["wait_options.ts", ...GROUND],
  "wait_options.ts": ["wire", ...GROUND],
  "stop_options.ts": ["options.ts", ...GROUND],
  "modifiers.ts": ["scheduler", ...GROUND],

  "controller": ["link", ...BOTTOM],
  "node": ["link", ...MIDDLE, ...BOTTOM],
  "link": [...BOTTOM],

  "scheduler": [...GROUND],
  "transfer": ["link", ...BOTTOM],
  "registry": ["wire", ...GROUND],

  "wire": [...GROUND],
  "transport": ["wire", ...GROUND],

  "errors.ts": [...GROUND],
  "internal": [...GROUND],
};

/** A file of `src/` may have this many lines. */
export const MAX_LINES = 350;

/** Files of `src/` that may be longer, each with the reason. */
export const LONG_FILES: Readonly<Record<string, string>> = {};

/** Something that is wrong in the sources. */
export interface Violation {
  /** Path from the directory of `mod.ts`, with `/`. */
  file: string;
  /** Line, counted from 1. */
  line: number;
  /** What is wrong. */
  text: string;
}

/** The part of `deno info --json` that is read here. */
interface ModuleGraph {
  modules: { specifier: string; dependencies?: Dependency[] }[];
}
interface Dependency {
  specifier: string;
  code?: Resolution;
  type?: Resolution;
}
interface Resolution {
  specifier?: string;
  span: { start: { line: number } };
}

/**
 * Checks the sources below a directory.
 *
 * @param directory Where `mod.ts` and `src/` are.
 * @returns What is wrong, by file and line.
 */
export async function checkLayers(directory: string): Promise<Violation[]> {
  const root = await Deno.realPath(directory);
  const files = await sourceFiles(root);
  const violations = [
    ...await checkImports(root, files),
    ...await checkLengths(root, files),
  ];
  return violations.sort((a, b) => a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line);
}

async function checkImports(root: string, files: string[]): Promise<Violation[]> {
  const violations: Violation[] = [];
  const seen = new Set<string>();
  for (const entry of files) {
    if (seen.has(entry)) continue;
    for (const { specifier, dependencies = [] } of (await moduleGraph(root, entry)).modules) {
      const file = pathIn(root, specifier);
      // Not ours, or in the graph of an earlier entry.
      if (file === undefined || !files.includes(file) || seen.has(file)) continue;
      seen.add(file);
      for (const dependency of dependencies) {
        const target = dependency.code ?? dependency.type;
        const imported = target?.specifier && pathIn(root, target.specifier);
        if (!target || !imported) continue;
        const text = judge(file, imported);
        if (text !== undefined) {
          violations.push({ file, line: target.span.start.line + 1, text });
        }
      }
    }
  }
  return violations;
}

/** What is wrong with this import, if anything. */
function judge(file: string, imported: string): string | undefined {
  const from = roomOf(file);
  const to = roomOf(imported);
  const allowed = ALLOWED[from];
  if (allowed === undefined) return `the room "${from}" is not in the table of allowed imports`;
  // The stand-ins for packages are in the tree, but stand for what is outside it.
  if (imported.startsWith("tools/links/")) return undefined;
  if (from === to || allowed.includes(to)) return undefined;
  return `"${from}" may not import "${to}" (${imported})`;
}

/** `src/wire/frame.ts` is in `wire`, `src/errors.ts` in `errors.ts`, `mod.ts` in `mod.ts`. */
function roomOf(file: string): string {
  const [top = file, room = top] = file.split("/");
  return top === "src" ? room : top;
}

async function checkLengths(root: string, files: string[]): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const file of files.filter((file) => file.startsWith("src/") && !(file in LONG_FILES))) {
    const lines = (await Deno.readTextFile(join(root, file))).split("\n").length - 1;
    if (lines > MAX_LINES) {
      const text = `${lines} lines; split the file, or list it with a reason in LONG_FILES`;
      violations.push({ file, line: MAX_LINES + 1, text });
    }
  }
  return violations;
}

/** The modules at the root and below `src/`, from the root, with `/`. */
async function sourceFiles(root: string): Promise<string[]> {
  const files: string[] = [];
  const visit = async (folder: string): Promise<void> => {
    for await (const { name, isDirectory } of Deno.readDir(join(root, folder))) {
      if (isDirectory) await visit(`${folder}/${name}`);
      else if (/\.[jt]sx?$/.test(name)) files.push(`${folder}/${name}`);
    }
  };
  await visit("src");
  for await (const { name } of Deno.readDir(root)) if (name.endsWith(".ts")) files.push(name);
  return files.sort();
}

async function moduleGraph(root: string, file: string): Promise<ModuleGraph> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", file],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`Cannot read the imports of ${file}: ${decoder.decode(stderr)}`);
  return JSON.parse(decoder.decode(stdout));
}

/** The path from the root, with `/`, or `undefined` for what is outside. */
function pathIn(root: string, specifier: string): string | undefined {
  const prefix = `${toFileUrl(root)}/`;
  return specifier.startsWith(prefix)
    ? decodeURIComponent(specifier.slice(prefix.length))
    : undefined;
}

if (import.meta.main) {
  const directory = Deno.args[0] ?? dirname(dirname(fromFileUrl(import.meta.url)));
  const violations = await checkLayers(directory);
  for (const { file, line, text } of violations) console.error(`${file}:${line}: ${text}`);
  if (violations.length > 0) Deno.exit(1);
  console.log("layers: every import runs the right way");
}
