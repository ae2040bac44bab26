/**
 * Loads a peer, with its packages.
 *
 * @module
 */

import type { Peer } from "./peer.ts";

/** @param name Name of its file in `systems/`. */
export async function load(name: string): Promise<Peer> {
  // Not a literal, for the type checker follows those, and the packages are not there for it.
  return await import(new URL(`systems/${name}.ts`, import.meta.url).href);
}
