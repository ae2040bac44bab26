/**
 * What functions in a sandbox print.
 *
 * @module
 */

import type { Logger } from "../internal/log.ts";

/** Stops a function from filling the node's log. */
const MAX_LINES = 100;
const MAX_LINE_LENGTH = 200;

/**
 * Tells the first lines, and reads the rest so that nobody waits for it to be read.
 *
 * @param output What is printed.
 * @param sender Whose functions print it.
 * @param logger Where it is told.
 */
export async function logOutput(
  output: ReadableStream<Uint8Array>,
  sender: string,
  logger: Logger,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  let told = 0;
  const who = JSON.stringify(sender);
  const tell = (line: string) => {
    if (told === MAX_LINES) return;
    logger.warn(`daffi: a function of ${who} says: ${plain(line)}`);
    if (++told === MAX_LINES) {
      logger.warn(`daffi: what functions of ${who} say further is dropped`);
    }
  };
  try {
    for await (const bytes of output) {
      if (told === MAX_LINES) continue;
      const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
      rest = lines.pop()!.slice(0, MAX_LINE_LENGTH);
      lines.forEach(tell);
    }
    if (rest !== "") tell(rest);
  } catch {
    await output.cancel().catch(() => {}); // the logger has thrown: nobody wants to hear
  }
}

/** Without what a terminal would take for commands. */
function plain(line: string): string {
  // deno-lint-ignore no-control-regex -- these are what must not get through
  return line.slice(0, MAX_LINE_LENGTH).replace(/[\x00-\x1f\x7f-\x9f]/g, "");
}
