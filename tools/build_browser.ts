/**
 * Bundles `@daffi/core/browser` to one ES module, `dist/daffi.js`, and fails if that is too large.
 *
 * ```sh
 * deno run -A tools/build_browser.ts [directory to write to]
 * ```
 *
 * @module
 */
import { gzipSync } from "node:zlib";
import { fromFileUrl, join } from "@std/path";
import { minify } from "terser";

/** What a page may have to load, compressed: 40 KB, as bundlers count them. */
const MAX_GZIP_BYTES = 40 * 1024;

/**
 * Properties that nothing outside of the bundle sees: none of them is in the public API, travels, or is one of the
 * platform's. They get short names.
 */
export const INTERNAL_NAMES: readonly string[] = `
  abandon activeCalls addBytes addShared addStream answered argumentStreams arrayHead
  attachments bufferedBytes byId callerTimeoutMs checkRoom claim closeArgumentStreams
  compileCron congested connectionLost credit deadlineAt decodePayload defaultTimeoutMs
  deliver drained encodeArguments expects facts forget giveUp giveUpAll handleTask head2
  head3 head5 heapIndex heldBytes invoke isFree isTask isWhole limitedByCallback locate
  makeFunctionRunner nameId networkChanged nextDue onCredit onEnd onJoin onLeave
  openTaskFile outbox ownCallback problem providers providersOf queuedBytes quietTicks
  receivedBytes refuse requireNode reserve resultStream runTask sendShared settle
  silentTicks socketTransport tellCancelled tellOwner timeLeft timeoutError tracked waited
  whenFunction whenProcess writtenBytes
`.trim().split(/\s+/);

const ROOT = fromFileUrl(import.meta.resolve("../"));

/** A bundle. */
export interface BrowserBundle {
  /** Its path. */
  path: string;
  /** Its size. */
  bytes: number;
  /** What is left of that when a server compresses it. */
  gzipBytes: number;
}

/**
 * Bundles the module.
 *
 * @param directory Where to.
 */
export async function buildBrowser(directory: string): Promise<BrowserBundle> {
  const path = join(directory, "daffi.js");
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--platform", "browser", "--minify", "--output", path, "browser.ts"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  if (!success) throw new Error(`Cannot bundle it: ${new TextDecoder().decode(stderr)}`);
  // The bundler shortens names; this also leaves out, and says more shortly, what comes to the same.
  const { code } = await minify(await Deno.readTextFile(path), {
    module: true,
    compress: { ecma: 2020, passes: 3, inline: 1, hoist_funs: true, lhs_constants: false },
    mangle: { properties: { regex: new RegExp(`^(?:${INTERNAL_NAMES.join("|")})$`) } },
  });
  const file = new TextEncoder().encode(code);
  await Deno.writeFile(path, file);
  return { path, bytes: file.length, gzipBytes: gzipSync(file, { level: 9, memLevel: 9 }).length };
}

if (import.meta.main) {
  const { path, bytes, gzipBytes } = await buildBrowser(Deno.args[0] ?? join(ROOT, "dist"));
  console.log(`${path}: ${bytes} bytes, ${gzipBytes} gzipped, of at most ${MAX_GZIP_BYTES}`);
  if (gzipBytes >= MAX_GZIP_BYTES) {
    console.error(`That is too large: fewer than ${MAX_GZIP_BYTES} gzipped bytes are allowed.`);
    Deno.exit(1);
  }
}
