/**
 * A system that others have made, in those processes of it that run JavaScript. Runs in Deno and in
 * Node.js.
 *
 * @module
 */

import type { Contender } from "../contender.ts";
import type { Meeting } from "../program.ts";

/** The argument of the programs here. */
export interface PeerMeeting extends Meeting {
  /** Name of the file in `systems/`. */
  readonly peer: string;
  /** The part of the crowd that this process is; absent if it is none. */
  readonly crowd?: Crowd;
}

/** A part of those that answer a broadcast. The first ten of all answer the small one as well. */
export interface Crowd {
  readonly first: number;
  readonly nodes: number;
}

/** The ends of a system. */
export interface Peer {
  /**
   * Starts the callee.
   *
   * @returns What the caller must know to reach it: fields of its {@linkcode Meeting}.
   */
  serve(meeting: Meeting): Promise<object>;
  /** The same for a part of the crowd; each of it has a connection of its own. */
  serveCrowd(meeting: Meeting, crowd: Crowd): Promise<object>;
  /** Connects the caller to the callee, and to the crowd if there is one. */
  connect(meeting: Meeting): Promise<Contender>;
}

/** How many answer the small broadcast. */
export const SMALL_CROWD = 10;

/** Names of those in a part of the crowd. */
export function crowdNumbers({ first, nodes }: Crowd): number[] {
  return Array.from({ length: nodes }, (_, i) => first + i);
}
