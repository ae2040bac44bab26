/**
 * What happens when the process is asked to end by SIGINT or SIGTERM.
 *
 * @module
 */

/** How long the rest of the program has to finish once everything is stopped. */
const GRACE_MS = 200;

const stoppers = new Set<() => Promise<void>>();

function signals(): Deno.Signal[] {
  return Deno.build.os === "windows" ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
}

/**
 * Has `stop` called when the process is asked to end. Once all that asked for it have stopped, and
 * what waits for that had a moment to finish, the process ends with code 0. A second signal ends it
 * at once, as signals do by default.
 *
 * @param stop Stops something; must not reject.
 * @returns Takes it back.
 */
export function onTermination(stop: () => Promise<void>): () => void {
  if (typeof Deno === "undefined") return () => {};
  if (stoppers.size === 0) {
    for (const name of signals()) {
      Deno.addSignalListener(name, terminate);
    }
  }
  stoppers.add(stop);
  return () => {
    if (stoppers.delete(stop) && stoppers.size === 0) removeListeners();
  };
}

function removeListeners(): void {
  for (const name of signals()) Deno.removeSignalListener(name, terminate);
}

async function terminate(): Promise<void> {
  const all = [...stoppers];
  stoppers.clear();
  removeListeners();
  await Promise.all(all.map((stop) => stop()));
  setTimeout(() => Deno.exit(0), GRACE_MS);
}
