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
import { bundleText } from "./bundle.ts";

/** What a page may have to load, compressed: 40 KiB. */
const MAX_GZIP_BYTES = 40 * 1024;

/**
 * Properties that nothing outside of the bundle sees: none of them is in the public API, travels, or is one of the
 * platform's. They get short names.
 */
export const INTERNAL_NAMES: readonly string[] = `
  abandon abortAll abortFor accept acceptItem activeCalls addBytes addShared addStream added
  admit advance allowInfinity answer answered argumentStreams arrayHead ask asyncContext
  attachments begin body breakOff bufferedBytes buffers byId byte bytes callerTimeoutMs calls
  calm came capture challenge changed check choose claim closeArgumentStreams closed codec
  compileCron congested connect connected connection connectionLost controllerNonce counts
  credit credits deadlineAt decodePayload defaultTimeoutMs delay deliver describe description
  disconnected divide drain drained drop dropped empty encodeArguments end ended etaMs events
  expects expire facts fail failAt finish finished flushed forget frames gate give
  giveUp giveUpAll giveUpBehind giveWay handle handleTask handler hasMore hasRoom head head2
  head3 head5 held heldBytes hello here hold holder holdsBack hooks intervalMs isEmpty
  isFree isLate isOver isSent isStatic isTask isWhole item large leave limitedByCallback list
  listeners locate lose lost lostTicks makeRuntime makeTasks makeTransfers mapHead maxBytes
  memory met nameId network networkChanged nextId nodeNonce nothingWaits number objection
  offers offersItself offset onAbort onBytes onClose onConnect onCredit onDisconnect onDrain
  onEnd onFailure onFrame onJoin onLeave onShutdown onTargets onText onTimeout openStream others
  othersDone outbox over ownCallback pause payload peer piece policy post proofs
  providers providersOf queued queuedBytes quietTicks receivedBytes refusal refuse refused
  registered registry release remote reply requireController requireNode reserve reset
  resolveEntrance resultStream resume schedule scope security sendCredit sendShared sent session
  settle settled shortcut show shown silentTicks site small sourceOf space start stopping
  streams string take takeArgs target tell tellCancelled terminating text there
  timeLeft timeoutError track tracked transferred transfers transportTo turn turnsOf undelivered
  unheard until untrack verb view wait waited waits wake watch when whyLost whyNotSent
  withdrawAll writeNow writtenBytes
`.trim().split(/\s+/);

const ROOT = fromFileUrl(import.meta.resolve("../"));

/** A bundle. */
export interface BrowserBundle {
  /** Its path. */
  path: string;
  /** Its size. */
  bytes: number;
  /** What is left of that when a server compresses it as `gzip -9` does, which is what Deno calls level 8. */
  gzipBytes: number;
}

/**
 * Bundles the module.
 *
 * @param directory Where to.
 */
export async function buildBrowser(directory: string): Promise<BrowserBundle> {
  const path = join(directory, "daffi.js");
  const entry = new URL("../browser.ts", import.meta.url);
  const bundled = await bundleText(entry, "browser", ["--minify"]);
  // The bundler shortens names; this also leaves out, and says more shortly, what comes to the same. Names are given
  // anew afterwards, by what is left.
  const { code: compressed } = await minify(bundled, {
    module: true,
    compress: {
      ecma: 2022,
      passes: 5,
      inline: 1,
      hoist_funs: true,
      lhs_constants: false,
      sequences: false,
      unsafe_arrows: true,
      pure_getters: true, // no getter here does anything but give a value
    },
    mangle: false,
  });
  const { code } = await minify(compressed!, {
    module: true,
    compress: false,
    mangle: {
      properties: { builtins: true, regex: new RegExp(`^(?:${INTERNAL_NAMES.join("|")})$`) },
    },
  });
  const file = new TextEncoder().encode(code);
  await Deno.mkdir(directory, { recursive: true });
  await Deno.writeFile(path, file);
  return { path, bytes: file.length, gzipBytes: gzipSync(file, { level: 8 }).length };
}

if (import.meta.main) {
  const { path, bytes, gzipBytes } = await buildBrowser(Deno.args[0] ?? join(ROOT, "dist"));
  console.log(`${path}: ${bytes} bytes, ${gzipBytes} gzipped, of at most ${MAX_GZIP_BYTES}`);
  if (gzipBytes >= MAX_GZIP_BYTES) {
    console.error(`That is too large: fewer than ${MAX_GZIP_BYTES} gzipped bytes are allowed.`);
    Deno.exit(1);
  }
}
