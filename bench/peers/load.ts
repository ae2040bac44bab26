/**
 * Loads a peer, with its packages.
 *
 * @module
 */

import type { Peer } from "./peer.ts";

/** @param name Name of its file in `systems/`. */
export async function load(name: string): Promise<Peer> {
  return await import(`./systems/${name}.ts`);
}
