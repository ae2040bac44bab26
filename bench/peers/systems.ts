/**
 * The systems by name.
 *
 * @module
 */

import type { Peer } from "./peer.ts";

/** Loads a system; its packages are loaded with it. */
export async function load(name: string): Promise<Peer> {
  return await import(`./systems/${name}.ts`);
}
